# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other programs take part where they are here, each version for itself, with the words that each of them wants."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.benchmark import programs as benchmark_programs
from tests.benchmark.cases import cases
from tests.benchmark.contenders import Push
from tests.benchmark.images import Image
from tests.benchmark.measure import run
from tests.benchmark.peers import AT_ONCE, Crane, OcMirror, Oras, Peer, Regctl, Skopeo, peers
from tests.benchmark.programs import PEERS, Program, absent, copies
from tests.benchmark.programs import programs as found
from tests.benchmark.registries import Registry
from tests.setup import debian_testing

DIGEST = "sha256:" + "0" * 64


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(debian_testing, "ROOT", tmp_path / "debian-testing")
    return folder


@pytest.fixture
def suite(programs: Path) -> Path:
    """The folder for the programs of Debian's suite testing, with a loader that just starts them."""
    root = debian_testing.ROOT
    for folder in ("usr/bin", "usr/lib/machine-linux-gnu"):
        (root / folder).mkdir(parents=True)
    put(root / "usr/lib/machine-linux-gnu", "ld-linux-machine.so.2", 'shift 2; exec "$@"')
    return root / "usr" / "bin"


def put(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


def program(name: str) -> Program:
    return Program(name, "1.0", command=(name,))


def names(case: str) -> list[str]:
    return [contender.name for one in cases() if one.name == case for contender in one.contenders]


def test_nobody_takes_part_who_is_not_here(programs: Path) -> None:
    assert peers("docker") == []
    assert names("layout") == ["appuio.registry"]
    assert absent() == [*(f"{name} of Debian's suite testing" for name in ("skopeo", "crane", "oras")), "regctl", "oc"]


def test_whoever_is_here_takes_part_where_it_can(programs: Path) -> None:
    for name in PEERS:
        put(programs, name, "exit 0")
    assert names("layout") == ["appuio.registry", "skopeo", "crane", "oras", "regctl"]
    assert names("registry") == [*names("layout"), "oc image mirror"]
    assert "crane" in names("archive")
    assert "oras" not in names("archive")
    assert names("zones-registry")[-1] == "oc image mirror"
    assert {"command: crane, playbook", "command: oras, playbook"} < set(names("task"))
    assert {"skopeo, sync", "skopeo, a loop", "crane, a loop", "oras, a loop"} < set(names("set"))
    assert "crane, one after another" in names("memory-registry")


def test_todays_version_comes_first_and_the_machines_own_last(programs: Path, suite: Path) -> None:
    put(programs, "skopeo", "echo skopeo version 1.9.3")
    put(suite, "skopeo", "echo skopeo version 1.22.0")
    put(suite, "crane", "echo 0.20.7")
    assert names("layout") == ["appuio.registry", "skopeo 1.22.0", "crane 0.20.7", "skopeo 1.9.3"]
    assert names("zones") == [
        "appuio.registry",
        "skopeo 1.22.0, one after another",
        "skopeo 1.22.0, at the same time",
        "crane 0.20.7, at the same time",
        "skopeo 1.9.3, at the same time",
    ]
    assert [name for name in names("set") if "sync" in name][-2:] == ["skopeo 1.22.0, sync", "skopeo 1.9.3, sync"]
    # Where pushes are long, the older version is left out.
    for case in ("latency-small-layers", "loss-small-layers", "latency-set-unchanged", "memory", "memory-zones"):
        assert "skopeo 1.22.0" in " ".join(names(case))
        assert "skopeo 1.9.3" not in " ".join(names(case))


def test_one_version_takes_part_once(programs: Path, suite: Path) -> None:
    for folder in (programs, suite):
        put(folder, "skopeo", "echo skopeo version 1.22.0")
    assert [one.origin for one in copies("skopeo")] == ["Debian's suite testing"]


def test_what_does_not_start_takes_no_part(programs: Path, suite: Path) -> None:
    put(programs, "skopeo", "echo skopeo version 1.9.3")
    put(suite, "skopeo", "echo version 1.22.0; exit 127")
    assert names("layout") == ["appuio.registry", "skopeo 1.9.3"]


def test_a_program_of_the_suite_is_started_by_its_loader(programs: Path, suite: Path, tmp_path: Path) -> None:
    put(suite, "skopeo", f'echo "$@" >> {tmp_path / "words"}')
    (skopeo,) = peers("docker", AT_ONCE)
    job = skopeo.job(Push(Image("docker", "from:1/app:1"), [Registry("a:1"), Registry("b:2")], "bench/app"), tmp_path)
    assert job.parallel
    loader = f"{debian_testing.ROOT}/usr/lib/machine-linux-gnu/ld-linux-machine.so.2"
    assert [command[0] for command in job.commands] == [loader, loader]
    run(job, tmp_path)
    flags = "--insecure-policy -q --dest-tls-verify=false --src-tls-verify=false"
    noted = sorted((tmp_path / "words").read_text().splitlines())
    assert noted[-3:] == [
        "--version",
        f"copy {flags} docker://from:1/app:1 docker://a:1/bench/app:1",
        f"copy {flags} docker://from:1/app:1 docker://b:2/bench/app:1",
    ]


@pytest.mark.parametrize(
    ("peer", "tls", "words"),
    [
        (Skopeo(program("skopeo")), True, "copy --insecure-policy -q oci:/app docker://a:1/bench/app:1"),
        (
            Skopeo(program("skopeo")),
            False,
            "copy --insecure-policy -q --dest-tls-verify=false oci:/app docker://a:1/bench/app:1",
        ),
        (Crane(program("crane")), True, "push /app a:1/bench/app:1"),
        (Crane(program("crane")), False, "push --insecure /app a:1/bench/app:1"),
        (Regctl(program("regctl")), True, f"image copy ocidir:///app@{DIGEST} a:1/bench/app:1"),
        (
            Regctl(program("regctl")),
            False,
            f"--host reg=a:1,tls=disabled image copy ocidir:///app@{DIGEST} a:1/bench/app:1",
        ),
        (Oras(program("oras")), True, f"cp --from-oci-layout /app@{DIGEST} a:1/bench/app:1"),
        (Oras(program("oras")), False, f"cp --from-oci-layout --to-plain-http /app@{DIGEST} a:1/bench/app:1"),
    ],
)
def test_a_layout(programs: Path, tmp_path: Path, peer: Peer, tls: bool, words: str) -> None:
    assert started(programs, tmp_path, peer, Image("oci", "/app", DIGEST), ["a:1"], tls) == [words]


@pytest.mark.parametrize(
    ("peer", "tls", "words"),
    [
        (Crane(program("crane")), True, ["copy from:1/app:1 a:1/bench/app:1", "copy from:1/app:1 b:2/bench/app:1"]),
        (
            Regctl(program("regctl")),
            False,
            [
                f"--host reg={to},tls=disabled --host reg=from:1,tls=disabled image copy from:1/app:1 {to}/bench/app:1"
                for to in ("a:1", "b:2")
            ],
        ),
        (Oras(program("oras")), True, ["cp from:1/app:1 a:1/bench/app:1", "cp from:1/app:1 b:2/bench/app:1"]),
        (
            Oras(program("oras")),
            False,
            [f"cp --to-plain-http --from-plain-http from:1/app:1 {to}/bench/app:1" for to in ("a:1", "b:2")],
        ),
        (
            OcMirror(program("oc")),
            True,
            ["image mirror --keep-manifest-list=true from:1/app:1 a:1/bench/app:1 b:2/bench/app:1"],
        ),
        (
            OcMirror(program("oc")),
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
    put(programs, peer.program.name, f'{trusts if tls else ""}\necho "$@" >> {noted}')
    ca_file = folder / "ca.crt" if tls else None
    if ca_file:
        ca_file.write_text("an authority\n")
    source = Image(image.transport, image.place, image.digest, ca_file if image.transport == "docker" else None)
    job = peer.job(Push(source, [Registry(one, ca_file) for one in addresses], "bench/app"), folder)
    run(job, folder)
    return noted.read_text().splitlines()


def test_versions_years_and_origins(
    programs: Path, suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark_programs, "_ROOT", tmp_path)
    monkeypatch.setattr(benchmark_programs, "_system", lambda: "Debian 12")
    put(programs, "regctl", "echo 'VCSTag:     v0.11.1'")
    put(programs, "haproxy", "echo 'HAProxy version 2.6.12-1+deb12u4 2026/05/01 - https://haproxy.org/'")
    put(programs, "dpkg-query", 'case "$2" in *haproxy) echo "haproxy: $2";; *) exit 1;; esac')
    put(suite, "crane", "echo could not determine build information")
    changelog(tmp_path / "usr/share/doc/haproxy", ("2.6.12-1+deb12u4", 2026), ("2.6.12-1", 2023), ("2.6.9-1", 2022))
    changelog(
        debian_testing.ROOT / "usr/share/doc/crane", ("0.20.7+ds1-5", 2026), ("0.20.7+ds1-1", 2025), ("0.2", 2020)
    )
    assert [(one.title, one.version, one.year, one.origin) for one in found()] == [
        ("crane 0.20.7", "0.20.7+ds1-5", "2025", "Debian's suite testing"),
        ("regctl 0.11.1", "0.11.1", "", "the path"),
        ("haproxy 2.6.12", "2.6.12-1+deb12u4", "2023", "Debian 12's package"),
    ]
    assert absent() == ["skopeo of Debian's suite testing", "oras of Debian's suite testing", "oc"]


def changelog(folder: Path, *entries: tuple[str, int]) -> None:
    """Write the changelog of a package of Debian's with these versions and years."""
    folder.mkdir(parents=True)
    changes = [
        f"name ({version}) x; urgency=low\n\n  * 1\n\n -- A B <a@example.org>  Fri, 01 May {year} 10:00:00 +0200\n"
        for version, year in entries
    ]
    (folder / "changelog.Debian.gz").write_bytes(gzip.compress("\n".join(changes).encode()))
