# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A push that is told to stop: all zones are as they were, its process ends, and nothing is left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.image import make_layout
from tests.integration.playbook import LOCAL, _environment, play
from tests.integration.push import ACTION, Pusher

pytestmark = pytest.mark.thorough
MIB = 1 << 20
MARK = "APPUIO_TEST_MARK"


class Running:
    """An ansible-playbook in a process group of its own, and the processes that it has started."""

    def __init__(self, pusher: Pusher, folder: Path, source: str) -> None:
        import yaml

        folder.mkdir()
        (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"localhost": LOCAL}}}))
        task = {"name": "Push", ACTION: pusher.options(source, tags=["1.0", "new"])}
        (folder / "playbook.yml").write_text(yaml.safe_dump([play([task])]))
        self.mark = uuid.uuid4().hex
        # A short path: Ansible makes a socket there, and the name of a socket has at most 107 characters.
        self.temporary = Path(tempfile.mkdtemp(prefix="run-"))
        self.output = folder / "output"
        program = Path(sys.executable).parent / "ansible-playbook"
        environment = _environment(folder, folder / "record", None, {MARK: self.mark, "TMPDIR": str(self.temporary)})
        self.process = subprocess.Popen(
            [sys.executable, str(program), "-i", str(folder / "hosts.yml"), str(folder / "playbook.yml")],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self.output.open("wb"),
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


@pytest.fixture
def start(pusher: Pusher, tmp_path: Path) -> Iterator[Callable[[], Running]]:
    """Start a push of a newer image than the one that every zone has under the tag; it is ended after the test."""
    make_layout(tmp_path / "old", seed="old")
    pusher.push(f"oci:{tmp_path / 'old'}")
    make_layout(tmp_path / "app", seed="new", layers=2, size=3 * MIB, platforms=("linux/amd64",))
    pusher.clear()
    started: list[Running] = []

    def begin() -> Running:
        started.append(Running(pusher, tmp_path / "play", f"oci:{tmp_path / 'app'}"))
        return started[0]

    yield begin
    for running in started:
        for pid in (running.process.pid, *running.others()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        running.end()
        shutil.rmtree(running.temporary, ignore_errors=True)


@pytest.mark.parametrize(
    ("number", "group"),
    [(signal.SIGTERM, True), (signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGKILL, False)],
)
def test_a_signal_among_the_uploads(
    pusher: Pusher, start: Callable[[], Running], number: signal.Signals, group: bool
) -> None:
    before = pusher.tags()
    pusher.zones[2].faults.add("throttle", method="PUT|PATCH", path="/blobs/", bytes_per_second=20_000)
    running = start()
    running.until(lambda: any(one["method"] == "POST" for one in pusher.zones[2].requests()))
    (os.killpg if group else os.kill)(running.process.pid, number)
    # It would take two minutes to send the rest.
    running.end()
    assert pusher.tags() == before
    assert not any("/manifests/" in write["path"] for write in pusher.zones[2].writes())
    left = [path for path in running.temporary.rglob("*") if path.is_file()]
    assert [path for path in left if path.name.startswith(("blob-", "layer-"))] == []


def test_a_signal_among_the_tags(pusher: Pusher, start: Callable[[], Running]) -> None:
    """All zones have the image, and the last one is about to move its tag."""
    before = pusher.tags()
    last = max(pusher.zones, key=lambda zone: zone.registry)
    last.faults.add("delay", method="PUT", path="/manifests/1.0", seconds=3.0)
    running = start()
    running.until(lambda: any(one["method"] == "HEAD" for one in _after_manifests(last)))
    os.killpg(running.process.pid, signal.SIGTERM)
    running.end()
    assert pusher.tags() == before


def _after_manifests(zone: object) -> list[dict[str, str]]:
    """Return the requests to a zone since its manifest was put by digest."""
    requests = zone.requests()  # type: ignore[attr-defined]
    for number, one in enumerate(requests):
        if one["method"] == "PUT" and "/manifests/sha256:" in one["path"]:
            return list(requests[number:])
    return []


def _processes() -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            yield int(entry.name)


def _environment_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
