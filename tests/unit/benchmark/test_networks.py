# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes and slow networks of the benchmark: what they do, and that a machine without them says so."""

from __future__ import annotations

import argparse
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmark import __main__ as program
from tests.benchmark import network, relay, route
from tests.benchmark.cases import NETWORKS, TRANSPORTS, Case, cases
from tests.benchmark.images import Images, Sizes
from tests.benchmark.measure import BenchmarkFailed
from tests.benchmark.network import Network, NoNetwork
from tests.benchmark.relay import Direction
from tests.benchmark.results import Results
from tests.benchmark.rounds import Runner, Table
from tests.benchmark.route import NoRoute, Route, haproxy_program
from tests.zone.authority import Authority


@pytest.fixture
def wires() -> Iterator[tuple[socket.socket, int, int, socket.socket]]:
    """Two devices of a relay, each with what is plugged into it."""
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _device in range(2)]
    for pair in pairs:
        for end in pair:
            end.setblocking(False)
    yield pairs[0][0], pairs[0][1].fileno(), pairs[1][0].fileno(), pairs[1][1]
    for pair in pairs:
        for end in pair:
            end.close()


def test_packets_arrive_in_order(wires: tuple[socket.socket, int, int, socket.socket]) -> None:
    sender, source, target, receiver = wires
    direction = Direction(source, target, 0.0, 0.0)
    for packet in (b"one", b"two"):
        sender.send(packet)
    direction.take()
    assert direction.deliver() is None
    assert [receiver.recv(10), receiver.recv(10)] == [b"one", b"two"]


def test_packets_are_late(wires: tuple[socket.socket, int, int, socket.socket]) -> None:
    sender, source, target, receiver = wires
    direction = Direction(source, target, 3600.0, 0.0)
    sender.send(b"one")
    direction.take()
    left = direction.deliver()
    assert left is not None
    assert 0 < left <= 3600
    with pytest.raises(BlockingIOError):
        receiver.recv(10)


def test_packets_get_lost(wires: tuple[socket.socket, int, int, socket.socket]) -> None:
    sender, source, target, receiver = wires
    direction = Direction(source, target, 0.0, 1.0)
    sender.send(b"one")
    direction.take()
    assert direction.deliver() is None
    with pytest.raises(BlockingIOError):
        receiver.recv(10)


def test_no_more_is_kept_than_a_router_would(
    wires: tuple[socket.socket, int, int, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "LIMIT", 2)
    sender, source, target, receiver = wires
    direction = Direction(source, target, 0.0, 0.0)
    for packet in (b"one", b"two", b"three"):
        sender.send(packet)
    direction.take()
    direction.deliver()
    assert [receiver.recv(10), receiver.recv(10)] == [b"one", b"two"]
    with pytest.raises(BlockingIOError):
        receiver.recv(10)


def test_where_no_network_can_be_made_nothing_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(network, "DEVICE", str(tmp_path / "tun"))
    before = os.stat("/proc/thread-self/ns/net").st_ino
    with pytest.raises(NoNetwork, match="cannot be made here"), Network(0.01):
        pass
    assert os.stat("/proc/thread-self/ns/net").st_ino == before
    assert not [one for one in opened_files() if one.startswith("net:")]


def opened_files() -> Iterator[str]:
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            yield os.readlink(f"/proc/self/fd/{descriptor}")
        except FileNotFoundError:  # what lists the folder itself
            continue


@pytest.fixture
def haproxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that stands in for haproxy."""
    file = tmp_path / "haproxy"
    file.write_text('#!/bin/sh\n: > "$(dirname "$3")/haproxy.sock"\nexec sleep 600\n')
    file.chmod(0o755)
    monkeypatch.setattr(route, "haproxy_program", lambda: str(file))
    return file


def test_a_route_ends_tls_and_begins_it_anew(haproxy: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "registry-ca")
    one = Route(tmp_path / "route", "127.0.0.1", "127.0.0.1:5000", authority.ca_file)
    try:
        one.start()
        text = (tmp_path / "route" / "haproxy.cfg").read_text()
        assert re.search(rf"server pod 127\.0\.0\.1:5000 ssl .*verify required ca-file {authority.ca_file} ", text)
        assert re.search(r"bind unix@\S+ ssl crt \S+/route\.pem accept-proxy", text)
        assert (tmp_path / "route" / "route.pem").stat().st_mode & 0o077 == 0
        host, _colon, port = one.host.partition(":")
        socket.create_connection((host, int(port))).close()  # nobody is refused while it starts
        assert one.ca_file != authority.ca_file
    finally:
        one.stop()


def test_a_haproxy_that_does_not_start_is_told(haproxy: Path, tmp_path: Path) -> None:
    haproxy.write_text("#!/bin/sh\necho no such\necho option\nexit 1\n")
    one = Route(tmp_path / "route", "127.0.0.1", "127.0.0.1:5000", Authority(tmp_path, "registry-ca").ca_file)
    with pytest.raises(NoRoute, match="does not start: no such option"):
        one.start()


def test_no_haproxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route.shutil, "which", lambda name, path: None)
    with pytest.raises(NoRoute, match="not installed"):
        haproxy_program()


def test_networks_are_ways_to_registries() -> None:
    assert set(NETWORKS) < set(TRANSPORTS)
    used = {transport for case in cases() for transport in case.transports}
    assert used == set(TRANSPORTS)


def test_a_case_that_fails_does_not_lose_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def table(self: Runner, case: Case, number: int) -> Table:
        if case.name == "unchanged":
            raise BenchmarkFailed("skopeo copy\nended with 1")
        return Table(case, self.transport, [])

    monkeypatch.setattr(program.Runner, "table", table)
    (tmp_path / "work").mkdir()
    results = Results("A machine", [], [], Sizes())
    chosen = [case for case in cases() if case.name in ("layout", "unchanged", "changed")]
    program._over("plain", chosen, Images(tmp_path / "images"), tmp_path, results, 1)
    assert [one.case.name for one in results.tables] == ["layout", "changed"]
    assert results.left_out == {"unchanged": "it failed: skopeo copy ended with 1"}


def test_registries_that_fail_do_not_lose_what_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def over(transport: str, chosen: list[Case], images: Images, folder: Path, results: Results, number: int) -> None:
        if transport == "latency":
            raise RuntimeError("the process\nis gone")
        results.tables += [Table(case, transport, []) for case in chosen]

    monkeypatch.setattr(program, "_over", over)
    results = Results("A machine", [], [], Sizes())
    program._measure(argparse.Namespace(transport=None, case=["route", "latency", "loss"], rounds=1), tmp_path, results)
    assert [table.case.name for table in results.tables] == ["route", "loss"]
    assert results.left_out == {"latency": "it failed: the process is gone"}


def test_what_cannot_be_had_here_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def over(transport: str, *_arguments: object) -> None:
        raise NoNetwork("no device")

    monkeypatch.setattr(program, "_over", over)
    results = Results("A machine", [], [], Sizes())
    wanted = ["loss", "loss-small-layers"]
    arguments = argparse.Namespace(transport=None, case=wanted, rounds=1)
    program._measure(arguments, tmp_path, results)
    assert results.left_out == dict.fromkeys(wanted, "no device")
    assert results.tables == []
