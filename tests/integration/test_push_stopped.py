# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A push that is told to stop: all zones are as they were, its process ends, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.image import make_layout
from tests.integration.push import Pusher
from tests.integration.running import Running

pytestmark = pytest.mark.thorough
MIB = 1 << 20


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
        running.kill()


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
    """The last zone is about to move its tag, and would do so whether anybody waits for its answer or not."""
    before = pusher.tags()
    last = max(pusher.zones, key=lambda zone: zone.registry)
    last.faults.add("delay", method="PUT", path="/manifests/1.0", seconds=3.0)
    running = start()
    running.until(lambda: any(one["path"].endswith("/manifests/1.0") for one in last.writes()))
    os.killpg(running.process.pid, signal.SIGTERM)
    running.end()
    while any(one["status"] is None for one in last.requests()):
        time.sleep(0.02)
    assert pusher.tags() == before
