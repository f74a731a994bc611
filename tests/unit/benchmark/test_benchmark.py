# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark measures what it says, and tells it rightly; nothing is measured against anybody here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.benchmark.cases import TRANSPORTS, cases
from tests.benchmark.contenders import Push
from tests.benchmark.images import MIB, Image, Images
from tests.benchmark.measure import BenchmarkFailed, Job, Sample, run
from tests.benchmark.peers import AT_ONCE, Skopeo
from tests.benchmark.programs import Program
from tests.benchmark.registries import Registry

PYTHON = [sys.executable, "-I", "-S", "-c"]


def test_memory_is_that_of_the_child(tmp_path: Path) -> None:
    held = bytearray(80 * MIB)
    assert run(Job([["true"]]), tmp_path).memory < 40 * MIB
    sample = run(Job([["true"], [*PYTHON, "bytearray(96 << 20)"], ["true"]]), tmp_path)
    assert 96 * MIB < sample.memory < 160 * MIB
    assert len(held) == 80 * MIB


def test_processor_time_is_that_of_all(tmp_path: Path) -> None:
    busy = [*PYTHON, "import time\nwhile time.process_time() < 0.1: pass"]
    for parallel in (False, True):
        sample = run(Job([busy, busy], parallel), tmp_path)
        assert sample.cpu >= 0.2
        assert sample.wall >= (0.1 if parallel else 0.2)


@pytest.mark.parametrize("parallel", [False, True])
def test_a_failure_is_no_measurement(tmp_path: Path, parallel: bool) -> None:
    words = [*PYTHON, "import sys\nsys.exit('no such image')"]
    with pytest.raises(BenchmarkFailed, match="no such image"):
        run(Job([["true"], words, ["true"]], parallel), tmp_path)


def test_what_is_inside_counts(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    content = '{"wall": 1, "cpu": 2, "memory": 3, "started": 4}'
    job = Job([[*PYTHON, f"open({str(inner)!r}, 'w').write({content!r})"]], inner=inner)
    assert run(job, tmp_path) == Sample(1, 2, 3, 4)


def test_nothing_of_the_user_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_AUTH_FILE", "/auth.json")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    look = f"import os; open({str(tmp_path / 'seen')!r}, 'w').write(' '.join(os.environ))"
    run(Job([[*PYTHON, look]], environment={"MORE": "1"}), tmp_path)
    seen = (tmp_path / "seen").read_text().split()
    assert {"HOME", "PATH", "MORE"} <= set(seen)
    assert not {"REGISTRY_AUTH_FILE", "HTTPS_PROXY"} & set(seen)


def test_every_case_is_whole() -> None:
    names = [case.name for case in cases()]
    assert len(set(names)) == len(names)
    for case in cases():
        assert {case.image, case.before, case.counted_image} - {None} <= set(vars(Images))
        assert set(case.transports) <= set(TRANSPORTS)
        assert case.why.endswith(".")
        assert len({contender.name for contender in case.contenders}) == len(case.contenders)


def test_everybody_gets_the_same_to_do(tmp_path: Path) -> None:
    ca_file = tmp_path / "zone" / "ca.crt"
    ca_file.parent.mkdir()
    ca_file.write_text("an authority")
    image = Image("docker", "source:1/bench/app:1", "sha256:0", ca_file)
    push = Push(image, [Registry("a:1", ca_file), Registry("b:2", ca_file)], "bench/app")
    assert push.options()["source"] == "docker://source:1/bench/app:1"
    assert [zone["registry"] for zone in push.options()["zones"]] == ["a:1", "b:2"]
    assert push.options()["validate_certs"] is True
    skopeo = Skopeo(Program("skopeo", "1.22.0", command=("skopeo",)), AT_ONCE)
    job = skopeo.job(push, tmp_path)
    for command, registry in zip(job.commands, ("a:1", "b:2"), strict=True):
        assert command[4:] == ["docker://source:1/bench/app:1", f"docker://{registry}/bench/app:1"]
    assert Path(job.environment["SSL_CERT_FILE"]).read_text() == "an authority"
    plain = Push(Image("oci", "/app"), [Registry("a:1")], "bench/app")
    assert plain.options()["validate_certs"] is False
    assert "--dest-tls-verify=false" in skopeo.job(plain, tmp_path).commands[0]
