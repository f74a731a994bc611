# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other programs take part where they are installed, with the words that each of them wants."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.benchmark import machine
from tests.benchmark.cases import cases
from tests.benchmark.contenders import Push
from tests.benchmark.images import Image
from tests.benchmark.measure import run
from tests.benchmark.peers import PEERS, Crane, OcMirror, Oras, Peer, Regctl, installed
from tests.benchmark.registries import Registry

DIGEST = "sha256:" + "0" * 64


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def put(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


def names(case: str) -> list[str]:
    return [contender.name for one in cases() if one.name == case for contender in one.contenders]


def test_nobody_takes_part_who_is_not_installed(programs: Path) -> None:
    assert installed("docker") == []
    assert {"crane", "regctl", "oras", "oc image mirror"} & set(names("layout") + names("registry")) == set()


def test_whoever_is_installed_takes_part_where_it_can(programs: Path) -> None:
    for peer in PEERS:
        put(programs, peer.program, "exit 0")
    assert {"crane", "regctl", "oras"} < set(names("layout"))
    assert "oc image mirror" not in names("layout")
    assert {"crane", "regctl", "oras", "oc image mirror"} < set(names("registry"))
    assert "crane" in names("archive")
    assert "oras" not in names("archive")
    assert "oc image mirror" in names("zones-registry")


@pytest.mark.parametrize(
    ("peer", "tls", "words"),
    [
        (Crane(), True, "push /app a:1/bench/app:1"),
        (Crane(), False, "push --insecure /app a:1/bench/app:1"),
        (Regctl(), True, f"image copy ocidir:///app@{DIGEST} a:1/bench/app:1"),
        (Regctl(), False, f"--host reg=a:1,tls=disabled image copy ocidir:///app@{DIGEST} a:1/bench/app:1"),
        (Oras(), True, f"cp --from-oci-layout /app@{DIGEST} a:1/bench/app:1"),
        (Oras(), False, f"cp --from-oci-layout --to-plain-http /app@{DIGEST} a:1/bench/app:1"),
    ],
)
def test_a_layout(programs: Path, tmp_path: Path, peer: Peer, tls: bool, words: str) -> None:
    assert started(programs, tmp_path, peer, Image("oci", "/app", DIGEST), ["a:1"], tls) == [words]


@pytest.mark.parametrize(
    ("peer", "tls", "words"),
    [
        (Crane(), True, ["copy from:1/app:1 a:1/bench/app:1", "copy from:1/app:1 b:2/bench/app:1"]),
        (
            Regctl(),
            False,
            [
                f"--host reg={to},tls=disabled --host reg=from:1,tls=disabled image copy from:1/app:1 {to}/bench/app:1"
                for to in ("a:1", "b:2")
            ],
        ),
        (Oras(), True, ["cp from:1/app:1 a:1/bench/app:1", "cp from:1/app:1 b:2/bench/app:1"]),
        (
            Oras(),
            False,
            [f"cp --to-plain-http --from-plain-http from:1/app:1 {to}/bench/app:1" for to in ("a:1", "b:2")],
        ),
        (
            OcMirror(),
            True,
            ["image mirror --keep-manifest-list=true from:1/app:1 a:1/bench/app:1 b:2/bench/app:1"],
        ),
        (
            OcMirror(),
            False,
            ["image mirror --keep-manifest-list=true --insecure from:1/app:1 a:1/bench/app:1 b:2/bench/app:1"],
        ),
    ],
)
def test_from_a_registry_to_two(programs: Path, tmp_path: Path, peer: Peer, tls: bool, words: list[str]) -> None:
    assert started(programs, tmp_path, peer, Image("docker", "from:1/app:1", DIGEST), ["a:1", "b:2"], tls) == words


def started(programs: Path, folder: Path, peer: Peer, image: Image, addresses: list[str], tls: bool) -> list[str]:
    """Run the job with a program that notes its words, and that wants the authorities of both sides."""
    noted = folder / "words"
    trusts = 'read -r line < "$SSL_CERT_FILE" && test "$line" = "an authority" || exit 1'
    put(programs, peer.program, f'{trusts if tls else ""}\necho "$@" >> {noted}')
    ca_file = folder / "ca.crt" if tls else None
    if ca_file:
        ca_file.write_text("an authority\n")
    source = Image(image.transport, image.place, image.digest, ca_file if image.transport == "docker" else None)
    job = peer.job(Push(source, [Registry(one, ca_file) for one in addresses], "bench/app"), folder)
    run(job, folder)
    return noted.read_text().splitlines()


def test_versions_and_years_of_those_here(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(machine, "_DOCUMENTATION", tmp_path)
    put(programs, "skopeo", "echo skopeo version 1.9.3")
    put(programs, "regctl", "echo 'VCSTag:     v0.11.1'")
    put(programs, "haproxy", "echo 'HAProxy version 2.6.12-1+deb12u4 2026/05/01 - https://haproxy.org/'")
    assert [(one.name, one.version, one.year) for one in machine.programs()] == [
        ("skopeo", "1.9.3", "2022"),
        ("regctl", "0.11.1", ""),
        ("haproxy", "2.6.12-1+deb12u4", ""),
    ]
    put(programs, "dpkg-query", 'case "$2" in *haproxy) echo "haproxy: $2";; *) exit 1;; esac')
    (tmp_path / "haproxy").mkdir()
    changes = "haproxy (2.6) x; urgency=low\n\n  * 1\n\n -- A B <a@example.org>  Fri, 01 May 2026 10:00:00 +0200\n"
    (tmp_path / "haproxy" / "changelog.Debian.gz").write_bytes(gzip.compress(changes.encode()))
    assert [one.year for one in machine.programs()] == ["2022", "", "2026, Debian's package"]
