# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults hit the requests they are meant for, and only those; zones start, stop and leave nothing behind."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.zone import ChildFailed, Distribution, LocalZones, Zone, attached
from tests.zone.client import GUARD, Client, digest_of, path_of
from tests.zone.process.child import ROOT

Projects = Callable[..., str]
BROKEN = (http.client.HTTPException, OSError)
CONTENT = os.urandom(700_000)


@pytest.fixture
def project(fresh_project: Projects) -> str:
    return fresh_project("faults")


@pytest.fixture
def client(zone: Zone, project: str) -> Client:
    return Client(zone, zone.token_for(project, "pusher"))


def test_a_status_with_retry_after_hits_as_often_as_told(zone: Zone, client: Client) -> None:
    number = zone.faults.add("status", side="registry", status=429, retry_after="3", path="^/v2/$", skip=1, count=2)
    replies = [client("GET", "/v2/") for _ignored in range(4)]
    assert [reply.status for reply in replies] == [200, 429, 429, 200]
    assert replies[1].headers["Retry-After"] == "3"
    assert zone.faults.hits(number) == 2
    assert Client(zone, zone.admin_token, "api")("GET", "/api").status == 200


def test_a_request_broken_in_the_middle_leaves_what_came(zone: Zone, client: Client, project: str) -> None:
    path = client.start_upload(f"{project}/app")
    zone.faults.add("reset_request", method="PATCH", after_bytes=300_000, count=1)
    with pytest.raises(BROKEN):
        client("PATCH", path, CONTENT)
    until = time.monotonic() + GUARD
    while (status := client("GET", path)).headers["Range"] != "0-299999":
        assert time.monotonic() < until, status.headers["Range"]
        time.sleep(0.05)
    rest = client("PUT", f"{path_of(status.headers['Location'])}&digest={digest_of(CONTENT)}", CONTENT[300_000:])
    assert rest.status == 201
    assert client("GET", f"/v2/{project}/app/blobs/{digest_of(CONTENT)}").body == CONTENT


@pytest.mark.parametrize("action", ["reset_response", "truncate_response"])
def test_a_response_cut_in_the_middle(zone: Zone, client: Client, project: str, action: str) -> None:
    digest = client.put_blob(f"{project}/app", CONTENT)
    zone.faults.add(action, path="/blobs/sha256", after_bytes=100_000, count=1)
    with pytest.raises(BROKEN):
        client("GET", f"/v2/{project}/app/blobs/{digest}")
    assert client("GET", f"/v2/{project}/app/blobs/{digest}").body == CONTENT


def test_a_request_that_is_never_answered(zone: Zone, client: Client) -> None:
    number = zone.faults.add("hang", path="^/v2/$", count=1)
    tls = ssl.create_default_context(cafile=zone.registry_ca_file)
    connection = http.client.HTTPSConnection(zone.registry, context=tls, timeout=GUARD)
    connection.connect()
    connection.sock.settimeout(0.1)
    connection.request("GET", "/v2/")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    assert client("GET", "/v2/").status == 200
    assert zone.faults.hits(number) == 1


def test_a_body_that_is_another_one_and_a_range_that_is_ignored(zone: Zone, client: Client, project: str) -> None:
    path = f"/v2/{project}/app/blobs/{client.put_blob(f'{project}/app', CONTENT)}"
    zone.faults.add("corrupt_response", path="/blobs/sha256", count=1)
    other = client("GET", path).body
    assert (other[:1] == CONTENT[:1], other[1:] == CONTENT[1:]) == (False, True)
    assert client("GET", path, Range="bytes=100-").body == CONTENT[100:]
    zone.faults.add("ignore_range", path="/blobs/sha256")
    whole = client("GET", path, Range="bytes=100-")
    assert (whole.status, whole.body) == (200, CONTENT)


def test_bodies_that_come_in_small_pieces(zone: Zone, client: Client, project: str) -> None:
    digest = client.put_blob(f"{project}/app", CONTENT[:1000])
    number = zone.faults.add("throttle", path="/blobs/sha256", bytes_per_second=1_000_000, block=10)
    assert client("GET", f"/v2/{project}/app/blobs/{digest}").body == CONTENT[:1000]
    assert zone.faults.hits(number) == 1


def test_a_lost_answer_was_done_all_the_same(zone: Zone, client: Client, project: str) -> None:
    manifest = client.image(f"{project}/app")
    zone.faults.add("lose_answer", method="PUT", path="/manifests/v1", count=1)
    with pytest.raises(BROKEN):
        client.put_manifest(f"{project}/app", "v1", manifest)
    assert zone.tags(project, "app") == {"v1": digest_of(manifest)}


def test_a_full_disk(zone: Zone, client: Client, project: str) -> None:
    path = client.start_upload(f"{project}/app")
    zone.faults.add("disk_full", method="PUT|PATCH", after_bytes=1000)
    reply = client("PUT", f"{path}&digest={digest_of(CONTENT)}", CONTENT)
    assert (reply.status, reply.code) == (500, "UNKNOWN")
    assert reply.json["errors"][0]["detail"]["Enclosed"]["Err"] == 28


def test_another_answer_than_what_was_done(zone: Zone, client: Client, project: str) -> None:
    zone.faults.add("replace_answer", method="PUT", status=504, body=b"late", headers=[("X-From", "router")], count=1)
    upload = client.start_upload(f"{project}/app")
    reply = client("PUT", f"{upload}&digest={digest_of(CONTENT)}", CONTENT)
    assert (reply.status, reply.body, reply.headers["X-From"]) == (504, b"late", "router")
    assert reply.headers["Connection"] == "close"
    assert client("HEAD", f"/v2/{project}/app/blobs/{digest_of(CONTENT)}").status == 200
    record = next(record for record in zone.requests() if record["method"] == "PUT")
    assert (record["status"], record["bytes_in"]) == (504, len(CONTENT))


def test_a_page_for_everything(zone: Zone, client: Client, project: str) -> None:
    number = zone.faults.add("page")
    api = Client(zone, zone.admin_token, "api")
    replies = [
        client("GET", "/v2/"),
        client("PUT", f"/v2/{project}/app/manifests/x", b"{}"),
        api("GET", "/api/v1/pods"),
    ]
    for reply in replies:
        assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert reply.body.startswith(b"<!DOCTYPE html>")
    assert zone.faults.hits(number) == 3


def test_a_token_that_ends_in_the_middle(zone: Zone, client: Client) -> None:
    zone.faults.add("revoke_token", side="registry", skip=2, count=1)
    assert [client("GET", "/v2/").status for _ignored in range(4)] == [200, 200, 401, 401]


def test_slow_ones_are_slow(zone: Zone, client: Client, project: str) -> None:
    digest = client.put_blob(f"{project}/app", CONTENT[:100_000])
    zone.faults.add("throttle", path="/blobs/sha256", bytes_per_second=200_000)
    zone.faults.add("delay", path="/blobs/sha256", seconds=0.2)
    client("GET", f"/v2/{project}/app/blobs/{digest}")
    record = zone.requests()[-1]
    assert record["faults"] == "throttle,delay"
    assert record["seconds"] > 0.6


def test_faults_that_are_none(zone: Zone) -> None:
    with pytest.raises(ValueError, match="none of"):
        zone.faults.add("explode")
    with pytest.raises(ValueError, match="side"):
        zone.faults.add("delay", side="front")
    with pytest.raises(TypeError):
        zone.faults.add("delay", second=1)


def test_a_zone_goes_down_and_comes_back_on_the_same_ports(zone: Zone, client: Client, project: str) -> None:
    zone.stop()
    with pytest.raises(OSError):  # noqa: PT011 - refused, whatever the words
        client("GET", "/v2/")
    host, _ignored, port = zone.registry.partition(":")
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((host, int(port)))  # nobody is given the port meanwhile
    zone.start()
    assert client("GET", "/v2/").status == 200
    zone.stop_registry()
    assert client("POST", f"/v2/{project}/app/blobs/uploads/").status == 503
    zone.start_registry()
    assert client("POST", f"/v2/{project}/app/blobs/uploads/").status == 202


def test_those_who_speak_the_other_protocol_are_told_so_at_once(zone: Zone, tmp_path: Path) -> None:
    def first_words(address: str, said: bytes) -> bytes:
        host, _ignored, port = address.partition(":")
        with socket.create_connection((host, int(port)), timeout=GUARD) as connection:
            connection.sendall(said)
            return connection.recv(1000)

    assert b"HTTP request to an HTTPS server" in first_words(zone.registry, b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n")
    with Distribution(tmp_path, tls=False) as plain:
        assert first_words(plain.registry, b"\x16\x03\x01\x02\x00\x01\x00").startswith(b"HTTP/1.1 400")


def test_the_log_tells_who_did_what_and_no_secret(zone: Zone, client: Client, project: str) -> None:
    zone.clear_requests()
    client.put_blob(f"{project}/app", CONTENT)
    post, put = zone.requests()
    assert (post["side"], post["method"], post["status"]) == ("registry", "POST", 202)
    assert (put["bytes_in"], put["user"]) == (len(CONTENT), f"system:serviceaccount:{project}:pusher")
    assert (put["authorization"], "_state=…" in put["path"]) == ("Bearer", True)
    assert str(client.token) not in json.dumps([post, put])
    assert len(zone.writes("registry")) == 2


def test_chunked_bodies_arrive_whole(zone: Zone, client: Client, project: str) -> None:
    path = client.start_upload(f"{project}/app")
    pieces = [CONTENT[start : start + 33_333] for start in range(0, len(CONTENT), 33_333)]
    assert client("PUT", f"{path}&digest={digest_of(CONTENT)}", iter(pieces)).status == 201
    assert client("GET", f"/v2/{project}/app/blobs/{digest_of(CONTENT)}").body == CONTENT


def test_two_sets_of_zones_live_side_by_side_and_one_process_can_join(tmp_path: Path) -> None:
    with LocalZones(1, directory=tmp_path / "a") as first, LocalZones(1, directory=tmp_path / "b") as second:
        assert first[0].registry != second[0].registry
        first[0].create_project("here")
        joined = attached(tmp_path / "a")[0]
        assert joined.object("Namespace", "here") is not None
        assert second[0].object("Namespace", "here") is None
        assert stat.S_IMODE((tmp_path / "a" / "state.json").stat().st_mode) == 0o600
    with pytest.raises(ChildFailed):
        joined.requests()


def test_zones_end_with_their_parent(tmp_path: Path) -> None:
    code = (
        "import sys, time; from tests.zone import LocalZones\n"
        f"zones = LocalZones(1, directory={str(tmp_path / 'z')!r}).start(); print(zones[0].registry, flush=True)\n"
        "time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    address = parent.stdout.readline().strip()
    zone = attached(tmp_path / "z")[0]
    assert zone.registry == address
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + GUARD
    while any(str(tmp_path) in command for command in _commands()):
        assert time.monotonic() < until, "something is left"
        time.sleep(0.05)


def test_the_command_line(tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.zone", *words, "--directory", str(tmp_path)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    try:
        up = run("up", "--zones", "2", "--name", "cloudscale-lpg-2")
        assert up.returncode == 0, up.stderr
        assert run("up").returncode == 1
        assert "cloudscale-lpg-2: runs" in run("status").stdout
        variables = run("env").stdout
        assert f"export APPUIO_INVENTORY={tmp_path}/inventory.yml" in variables
        assert "export APPUIO_HOST_CLOUDSCALE_LPG_2=https://127.0.0." in variables
        # Down and up again in the same directory is a new zone; what else lies there stays.
        attached(tmp_path)[0].create_project("of-before")
        (tmp_path / "mine").write_text("kept")
        assert run("down").stdout == "stopped\n"
        again = run("up", "--zones", "1")
        assert again.returncode == 0, again.stderr
        assert attached(tmp_path)[0].object("Namespace", "of-before") is None
        assert (tmp_path / "mine").read_text() == "kept"
    finally:
        down = run("down")
    assert (down.returncode, down.stdout) == (0, "stopped\n")
    assert run("status").returncode == 1


@pytest.mark.parametrize("auth", ["anonymous", "basic", "token"])
def test_a_plain_registry_asks_for_what_it_is_told_to(tmp_path: Path, auth: str) -> None:
    with Distribution(tmp_path, tls=False, auth=auth) as plain:
        connection = http.client.HTTPConnection(plain.registry, timeout=GUARD)
        connection.request("GET", "/v2/")
        reply = connection.getresponse()
        reply.read()
        challenge = (reply.headers["WWW-Authenticate"] or "").partition(" ")[0]
        connection.close()
        assert (reply.status, challenge) == {"anonymous": (200, ""), "basic": (401, "Basic"), "token": (401, "Bearer")}[
            auth
        ]
        assert [record["path"] for record in plain.requests()] == ["/v2/"]


def _commands() -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found
