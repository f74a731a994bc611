# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing is named with the command that installs it; what was begun and not finished is made anew."""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path

import pytest

from tests.setup import cells, commands, debian, environments, places, pythons
from tests.setup.commands import CommandFailed
from tests.setup.environments import Environment
from tests.setup.failure import SetupFailed
from tests.setup.pythons import Python


@pytest.fixture(autouse=True)
def _build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "BUILD", tmp_path / "build")
    monkeypatch.setattr(places, "ENVIRONMENTS", tmp_path / "build" / "environments")


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
    debian.install(["docker-registry", "skopeo"], io.StringIO())


def test_without_apt_the_command_for_debian_is_named(programs: Path) -> None:
    put(programs, "skopeo")
    with pytest.raises(SetupFailed, match=r"apt-get install --no-install-recommends docker-registry podman\Z"):
        debian.install(["docker-registry", "podman", "skopeo"], io.StringIO())


def test_without_root_and_sudo_the_command_is_named(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(programs, "apt-get", "exit 1")
    put(programs, "sudo", "exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupFailed, match=r"neither root nor allowed sudo. Run: apt-get install"):
        debian.install(["docker-registry"], io.StringIO())


@pytest.mark.parametrize("user", [0, 1000])
def test_root_or_sudo_installs(user: int, programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    said = tmp_path / "said"
    put(programs, "sudo", 'test "$1" = -n || exit 1; shift; exec "$@"')
    put(programs, "true")
    put(programs, "env", 'shift; exec "$@"')
    put(programs, "apt-get", f'echo "$@" >> {said}')
    with open(tmp_path / "log", "w", encoding="utf-8") as log:
        debian.install(["podman", "skopeo"], log)
    assert said.read_text().splitlines() == ["update", "install -y --no-install-recommends podman skopeo"]


def made(environment: Environment, monkeypatch: pytest.MonkeyPatch, fail: bool = False) -> list[str]:
    """Make the environment with a pip that only leaves a file; return the commands that ran."""
    ran: list[str] = []

    def run(command: list[object], log: object, **options: object) -> None:
        ran.append(" ".join(str(word) for word in command))
        environment.bin.mkdir(parents=True, exist_ok=True)
        if fail:
            raise CommandFailed("stopped")

    monkeypatch.setattr(environments, "run", run)
    environment.make(io.StringIO())
    return ran


def test_an_environment_is_made_once_and_anew_when_its_requirements_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("pytest\n", encoding="utf-8")
    environment = Environment("core", Python((3, 12), "/bin/python3.12"), ("ansible-core==2.16.*",), (file,))
    first = environment.folder
    assert len(made(environment, monkeypatch)) == 2
    assert made(environment, monkeypatch) == []
    file.write_text("pytest\nhypothesis\n", encoding="utf-8")
    assert len(made(environment, monkeypatch)) == 2
    assert not first.exists()


def test_an_interrupted_environment_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = Environment("core", Python((3, 12), "/bin/python3.12"), ("ansible-core",), ())
    with pytest.raises(SetupFailed, match="apt-get install python3-venv"):
        made(environment, monkeypatch, fail=True)
    leftover = environment.bin / "half"
    leftover.touch()
    assert len(made(environment, monkeypatch)) == 2
    assert not leftover.exists()


def test_a_python_that_does_not_start_is_passed_over(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(programs, "python3.14", "exit 127")
    put(programs, "python3.12", "echo 3 12 /usr")
    put(programs, "python3", "echo 3 11 /usr")
    monkeypatch.setattr(Path, "home", lambda: programs)
    monkeypatch.setattr(sys, "executable", str(programs / "python3"))
    pythons.interpreters.cache_clear()
    try:
        assert [str(python) for python in pythons.interpreters()] == ["3.12", "3.11"]
        assert [cell.name for cell in cells.runnable()] == ["newest", "2.19", "2.16"]
        put(programs, "python3.12", "exit 127")
        pythons.interpreters.cache_clear()
        assert [cell.name for cell in cells.runnable()] == ["2.19", "2.16"]
        assert "ansible-core newest did not run: it needs Python 3.12" in cells.left_out()[0]
    finally:
        pythons.interpreters.cache_clear()


def test_no_setting_of_the_user_reaches_the_tests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "HOME", tmp_path / "home")
    for name in ("K8S_AUTH_HOST", "APPUIO_TOKEN", "ANSIBLE_CONFIG", "REGISTRY_AUTH_FILE", "KUBECONFIG", "PYTHONPATH"):
        monkeypatch.setenv(name, "mine")
    env = commands.surroundings(tmp_path / "venv")
    assert "mine" not in env.values()
    assert env["HOME"] == str(tmp_path / "home")
    assert env["PATH"].startswith(f"{tmp_path / 'venv'}:")


def test_a_command_that_fails_takes_its_children_with_it(tmp_path: Path) -> None:
    with open(tmp_path / "log", "w+", encoding="utf-8") as log:
        script = "sleep 600 & echo $!; exit 4"
        with pytest.raises(CommandFailed, match="status 4"):
            commands.run(["sh", "-c", script], log, env=dict(os.environ))
        log.seek(0)
        child = int(log.read().splitlines()[-1])
    assert gone(child)


def gone(process: int) -> bool:
    """Tell whether a process ends; what nobody has collected yet counts as ended."""
    for _attempt in range(1000):
        try:
            state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False
