# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A push in a process group of its own, and all processes that come of it, for tests that end it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.integration.playbook import LINKED, LOCAL, environment, play
from tests.integration.push import ACTION, Pusher

MARK = "APPUIO_TEST_MARK"
MODULE = "ansible_collections.appuio.registry.plugins.modules.appuio_image_push"


class Running:
    """A push that runs under ansible-playbook, or the module alone, which prints its result as JSON.

    ``temporary`` is its directory for temporary files, ``output`` what it prints, ``record`` the results of its tasks.
    """

    def __init__(self, pusher: Pusher, folder: Path, source: str, *, alone: bool = False, **options: Any) -> None:
        folder.mkdir()
        self.mark = uuid.uuid4().hex
        # A short path: Ansible makes a socket there, and the name of a socket has at most 107 characters.
        self.temporary = Path(tempfile.mkdtemp(prefix="run-"))
        self.output, self.record = folder / "output", folder / "record"
        wanted = pusher.options(source, **{"tags": ["1.0", "new"], **options})
        command = _module(folder, wanted) if alone else _playbook(folder, wanted)
        more = {MARK: self.mark, "TMPDIR": str(self.temporary), **({"PYTHONPATH": str(LINKED)} if alone else {})}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                env=environment(folder, self.record, None, more),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait until something has happened; fails with the output where the run has ended before."""
        while not happened():
            assert self.process.poll() is None, self.output.read_text()
            time.sleep(0.02)

    def others(self) -> list[int]:
        """Return the processes that have come of it and run still."""
        wanted = f"{MARK}={self.mark}".encode()
        return [pid for pid in _processes() if pid != self.process.pid and wanted in _environment_of(pid)]

    def end(self) -> None:
        """Wait until all of it has ended."""
        self.process.wait()
        while self.others():
            time.sleep(0.02)

    def kill(self) -> None:
        """End what still runs, and remove its temporary files."""
        for pid in (self.process.pid, *self.others()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.end()
        shutil.rmtree(self.temporary, ignore_errors=True)


def _playbook(folder: Path, options: dict[str, Any]) -> Sequence[str]:
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"localhost": LOCAL}}}))
    (folder / "playbook.yml").write_text(yaml.safe_dump([play([{"name": "Push", ACTION: options}])]))
    program = Path(sys.executable).parent / "ansible-playbook"
    return [str(program), "-i", str(folder / "hosts.yml"), str(folder / "playbook.yml")]


def _module(folder: Path, options: dict[str, Any]) -> Sequence[str]:
    (folder / "arguments.json").write_text(json.dumps({"ANSIBLE_MODULE_ARGS": options}))
    return ["-m", MODULE, str(folder / "arguments.json")]


def _processes() -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            yield int(entry.name)


def _environment_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
