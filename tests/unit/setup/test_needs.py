# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing is named with the command that installs it, and nothing of the user's reaches the tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.setup import SetupError, ansible_test, artifact, debian, environment, pythons, versions


@pytest.fixture(autouse=True)
def _build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (debian, environment, ansible_test):
        monkeypatch.setattr(module, "BUILD", tmp_path)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def put(folder: Path, name: str, script: str = "exit 0") -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


def test_nothing_is_installed_when_all_is_there(programs: Path) -> None:
    put(programs, "registry")
    put(programs, "skopeo")
    debian.install(["docker-registry", "skopeo"])


def test_without_apt_the_command_for_debian_is_named(programs: Path) -> None:
    put(programs, "skopeo")
    with pytest.raises(SetupError, match=r"apt-get install --no-install-recommends docker-registry podman\Z"):
        debian.install(["docker-registry", "podman", "skopeo"])


def test_without_root_and_sudo_the_command_is_named(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(programs, "apt-get", "exit 1")
    put(programs, "sudo", "exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match=r"neither root nor allowed sudo. Run: apt-get install"):
        debian.install(["docker-registry"])


@pytest.mark.parametrize("user", [0, 1000])
def test_root_or_sudo_installs(user: int, programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    said = tmp_path / "said"
    put(programs, "sudo", 'test "$1" = -n || exit 1; shift; exec "$@"')
    put(programs, "true")
    put(programs, "env", 'shift; exec "$@"')
    put(programs, "apt-get", f'echo "$@" >> {said}')
    debian.install(["podman", "skopeo"])
    assert said.read_text().splitlines() == ["update", "install -y --no-install-recommends podman skopeo"]


def test_what_only_the_benchmark_needs_is_found_where_debian_puts_it(
    programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for_root = tmp_path / "sbin"
    for_root.mkdir()
    monkeypatch.setattr(debian, "_ROOTS_PATH", (str(for_root),))
    for name in debian.ZONE_PROGRAMS:
        put(programs, name)
    with pytest.raises(SetupError, match=r"apt-get install --no-install-recommends haproxy iproute2\Z"):
        debian.install(debian.BENCH_PROGRAMS)
    put(for_root, "haproxy")
    put(for_root, "ip")
    debian.install(debian.BENCH_PROGRAMS)


def test_a_python_that_does_not_start_is_passed_over(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(programs, "python3.14", "exit 127")
    put(programs, "python3.12", "echo 3 12 /usr")
    put(programs, "python3", "echo 3 11 /usr")
    monkeypatch.setattr(Path, "home", lambda: programs)
    monkeypatch.setattr(sys, "executable", str(programs / "python3"))
    pythons.interpreters.cache_clear()
    try:
        assert [str(python) for python in pythons.interpreters()] == ["3.12", "3.11"]
        assert [core.name for core in versions.runnable()] == ["2.16", "2.19", "2.20", "2.21"]
        put(programs, "python3.12", "exit 127")
        pythons.interpreters.cache_clear()
        assert [core.name for core in versions.runnable()] == ["2.16", "2.19"]
        assert "ansible-core 2.20 did not run: it needs Python 3.12" in versions.left_out()[0]
    finally:
        pythons.interpreters.cache_clear()


def test_no_setting_of_the_user_reaches_the_tests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("K8S_AUTH_HOST", "APPUIO_TOKEN", "ANSIBLE_CONFIG", "REGISTRY_AUTH_FILE", "KUBECONFIG", "PYTHONPATH"):
        monkeypatch.setenv(name, "mine")
    env = environment.private(tmp_path / "venv")
    assert "mine" not in env.values()
    assert env["HOME"] == str(tmp_path / "home" / "tests")
    assert env["PATH"].startswith(f"{tmp_path / 'venv'}:")


def test_ansible_test_finds_a_pip_where_its_own_is_out_of_reach(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "site-packages" / "ansible_test"
    for name, text in (
        ("_util/target/setup/requirements.py", "url = 'https://pip.invalid/get-pip-%s.py' % version"),
        ("_internal/python_requirements.py", "default_packages = dict(\n    pip='25.2',\n)"),
    ):
        (package / name).parent.mkdir(parents=True)
        (package / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://packages.example/simple")
    home = ansible_test.home("sanity", package.parent)
    assert "ensurepip" in (home / ".ansible/test/cache/get_pip_25_2.py").read_text(encoding="utf-8")
    settings = (home / ".config/pip/pip.conf").read_text(encoding="utf-8")
    assert "extra-index-url = https://packages.example/simple" in settings


def test_an_ansible_core_without_ansible_test_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="there is no ansible-test in"):
        ansible_test.home("sanity", tmp_path)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([*artifact.NEEDED, "tests/unit/test_a.py"], r"what no user needs: tests/unit/test_a\.py"),
        ([*artifact.NEEDED, ".github/workflows/ci.yml"], r"what no user needs: \.github"),
        ([name for name in artifact.NEEDED if name != "LICENSE"], r"lacks LICENSE\Z"),
    ],
)
def test_an_artifact_holds_what_users_need_and_nothing_else(names: list[str], said: str) -> None:
    artifact.check(list(artifact.NEEDED))
    with pytest.raises(SetupError, match=said):
        artifact.check(names)
