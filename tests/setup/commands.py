# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs commands: output into a log, in an environment of our own, ended with all their children when we end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from . import places

_PRIVATE_PREFIXES = ("ANSIBLE_", "APPUIO_", "K8S_AUTH_", "PYTHON", "MYPY", "RUFF_", "PYTEST_")
_PRIVATE = {"DOCKER_CONFIG", "KUBECONFIG", "REGISTRY_AUTH_FILE", "VIRTUAL_ENV", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"}
_running: set[subprocess.Popen[str]] = set()
_running_lock = threading.Lock()
_stopping = threading.Event()


class CommandFailed(Exception):
    """A command ended with another status than 0; its output is in the log."""


def surroundings(first_on_path: Path | None = None, **more: str) -> dict[str, str]:
    """Return an environment in which nothing of the user's Ansible, clusters or logins is seen or touched."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _PRIVATE and not name.startswith(_PRIVATE_PREFIXES)
    }
    places.HOME.mkdir(parents=True, exist_ok=True)
    kept.update(
        HOME=str(places.HOME), PYTHONUTF8="1", LC_ALL="C.UTF-8", ANSIBLE_NOCOLOR="1", NO_COLOR="1", PIP_NO_INPUT="1"
    )
    kept.update(ANSIBLE_GALAXY_DISPLAY_PROGRESS="0", ANSIBLE_LOCALHOST_WARNING="0")
    if first_on_path is not None:
        kept["PATH"] = os.pathsep.join([str(first_on_path), kept.get("PATH", os.defpath)])
    kept.update(more)
    return kept


def as_the_user() -> dict[str, str]:
    """Return the user's own environment, for what the user decides: where pip and apt-get find packages."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def run(
    command: Sequence[str | Path],
    log: TextIO,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path = places.ROOT,
    minutes: float = 15,
) -> None:
    """Run a command to its end, its output into ``log``; raises CommandFailed.

    It gets no input. After ``minutes`` it counts as hanging and is ended with all its children.
    """
    words = [str(word) for word in command]
    log.write(f"$ {' '.join(words)}\n")
    log.flush()
    with _started(words, log, env, cwd) as process:
        try:
            status = process.wait(timeout=minutes * 60)
        except subprocess.TimeoutExpired:
            _end(process)
            raise CommandFailed(f"{Path(words[0]).name} did not end within {minutes:g} minutes") from None
    if _stopping.is_set():
        raise CommandFailed("stopped")
    if status != 0:
        raise CommandFailed(f"{Path(words[0]).name} ended with status {status}")


def stop_all() -> None:
    """End every command that runs, and let no other start."""
    _stopping.set()
    with _running_lock:
        processes = list(_running)
    for process in processes:
        _end(process)


@contextlib.contextmanager
def _started(
    words: list[str], log: TextIO, env: Mapping[str, str] | None, cwd: Path
) -> Iterator[subprocess.Popen[str]]:
    with _running_lock:
        if _stopping.is_set():
            raise CommandFailed("stopped")
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(surroundings() if env is None else env),
                cwd=cwd,
                start_new_session=True,
                text=True,
            )
        except OSError as error:
            raise CommandFailed(f"{words[0]} does not start: {error.strerror}") from None
        _running.add(process)
    try:
        yield process
    finally:
        with _running_lock:
            _running.discard(process)
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """End the process and what it left behind in its process group."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, sign)
        if process.poll() is not None and sign is signal.SIGTERM:
            continue
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
