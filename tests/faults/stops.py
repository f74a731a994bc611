# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.faults.stops``: pushes that are told to stop at random moments, and whether all zones agree after.

Each run pushes a large image to three zones, which have an older one under the tag, into a repository of its own.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import conftest  # noqa: F401 # pylint: disable=unused-import
from tests.image import make_layout
from tests.integration.push import Pusher
from tests.integration.running import Running
from tests.zone import LocalZones

from .random_runs import Kind, Outcome, parser, run_all, until

MIB = 1 << 20
PROJECT = "stops"
LAYERS = 4
SIGNALS = ("SIGTERM", "SIGINT")
# Who gets the signal: all that ansible-playbook and a terminal share, ansible-playbook, the module without Ansible.
RECEIVERS = ("group", "playbook", "module")
# Of so many runs one gets its signal while tags move, which takes a hundredth of the time.
ONE_IN = 3
# Seconds after which what a stopped push has begun is over, also on a busy machine.
GOES_ON = 5.0
# What Ansible itself leaves behind when it is ended, and what the cache is made of.
_OF_ANSIBLE = re.compile(r"/AnsiballZ_[^/]*\.py$|_payload_[^/]*/|/ansible-local-[^/]*/")
_OF_CACHE = re.compile(r"/appuio\.registry/[a-z]+/[0-9a-f]{2}/[0-9a-f]{64}$")


class Stops:
    """Zones and an image for all runs."""

    def __init__(self, zones: LocalZones, folder: Path, size: int) -> None:
        self.folder = folder
        self._zones = zones
        make_layout(folder / "old", seed="old", platforms=("linux/amd64",))
        layer = size * MIB // LAYERS
        make_layout(folder / "app", seed="new", layers=LAYERS, size=layer, platforms=("linux/amd64",))
        for zone in zones.zones:
            zone.create_project(PROJECT)
        tokens = {zone.name: zone.token_for(PROJECT, "image-pusher") for zone in zones.zones}
        (folder / "pusher").mkdir()
        self.pusher = Pusher(zones.zones, PROJECT, tokens, folder / "pusher")
        self._last = max(zones.zones, key=lambda zone: zone.registry)
        self._numbers = itertools.count()
        self.uploading, self.moving = self._measured()

    def run(self, number: signal.Signals, receiver: str, chance: random.Random) -> Outcome:
        """Push, tell it to stop, and look."""
        moving = chance.random() < 1 / ONE_IN
        wait = chance.uniform(0, self.moving * 1.2 if moving else self.uploading * 1.1)
        with self._pushing(alone=receiver == "module") as (running, name):
            before = self.pusher.tags(name)
            until(running.process, self._tags_begin if moving else self._is_asked)
            time.sleep(wait)
            sent = time.time()
            if running.process.poll() is None:
                (os.killpg if receiver == "group" else os.kill)(running.process.pid, number)
            running.end()
            self._until_quiet()
            where = f"{'tags' if moving else 'upload'} + {wait:.3f} s"
            return self._judged(running, before, self.pusher.tags(name), sent, where)

    def _pushing(self, alone: bool) -> _Pushing:
        return _Pushing(self, alone, next(self._numbers))

    def _measured(self) -> tuple[float, float]:
        """Return how long an undisturbed push goes on after its first request, and after its first manifest."""
        with self._pushing(alone=True) as (running, _name):
            until(running.process, self._is_asked)
            first = time.monotonic()
            until(running.process, self._tags_begin)
            tags = time.monotonic()
            running.end()
            ended = time.monotonic()
        if running.process.returncode:
            raise SystemExit(f"a push without a signal fails: {running.output.read_text()}")
        return tags - first, ended - tags

    def _is_asked(self) -> bool:
        return any(zone.requests() for zone in self._zones.zones)

    def _tags_begin(self) -> bool:
        return any("/manifests/sha256:" in one["path"] for one in self._last.writes())

    def _until_quiet(self) -> None:
        """Wait until no zone does anything any more: a request goes on when its connection is cut."""
        while any(one["status"] is None for zone in self._zones.zones for one in zone.requests()):
            time.sleep(0.02)

    def _judged(
        self, running: Running, before: list[dict[str, str]], after: list[dict[str, str]], sent: float, where: str
    ) -> Outcome:
        result = _result(running)
        new = {"1.0", "new"}
        same = all(tags == before[0] for tags in after)
        moved = all(set(tags) == new and len(set(tags.values())) == 1 and tags != before[0] for tags in after)
        ended = "as before" if same else "moved" if moved else "APART"
        wrong = [] if same or moved else [f"zones differ: {after}"]
        if result is not None:
            failed = bool(result.get("failed"))
            if failed is moved or bool(result.get("changed")) is not moved:
                wrong.append(f"the result says otherwise than the zones: {result.get('msg')}, {result.get('changed')}")
            for zone, tags, old in zip(result.get("zones") or [], after, before, strict=False):
                if zone["changed"] is not (tags != old):
                    wrong.append(f"the result says otherwise of a zone: {zone}")
            if failed and "stopped by" not in str(result.get("msg")):
                wrong.append(f"another failure: {result.get('msg')}")
        late = [one for zone in self._zones.zones for one in zone.writes() if one["time"] > sent + GOES_ON]
        if any("/blobs/" in one["path"] for one in late):
            wrong.append(f"uploads went on for {max(one['time'] for one in late) - sent:.1f} s")
        if left := [str(path) for path in _left(running)]:
            wrong.append(f"left behind: {', '.join(left)}")
        told = "no result" if result is None else "failed" if result.get("failed") else "ok"
        if wrong:
            wrong = [f"{where}: {text}" for text in wrong] + [running.output.read_text()[-1000:]]
        return Outcome(f"{ended}, {told}", wrong)


class _Pushing:
    """A push into a repository of its own, which has the old image; gone, with its traces, at the end."""

    def __init__(self, stops: Stops, alone: bool, number: int) -> None:
        self._stops, self._alone, self._name = stops, alone, f"app-{number}"

    def __enter__(self) -> tuple[Running, str]:
        stops = self._stops
        stops.pusher.push(f"oci:{stops.folder / 'old'}", name=self._name)
        stops.pusher.clear()
        self._folder = stops.folder / self._name
        self._running = Running(
            stops.pusher, self._folder, f"oci:{stops.folder / 'app'}", alone=self._alone, name=self._name
        )
        return self._running, self._name

    def __exit__(self, *_ignored: object) -> None:
        self._running.kill()
        shutil.rmtree(self._folder)
        # The uploads that were begun: a registry keeps them for a week.
        for uploads in (self._stops.folder / "zones").rglob(f"{PROJECT}/{self._name}/_uploads"):
            shutil.rmtree(uploads, ignore_errors=True)


def _result(running: Running) -> dict[str, Any] | None:
    """Return what the module has said, None where nobody could hear it."""
    if running.record.exists():
        return dict(json.loads(running.record.read_text().splitlines()[-1])["result"])
    for line in running.output.read_text().splitlines():
        if line.startswith("{"):
            return dict(json.loads(line))
    return None


def _left(running: Running) -> Iterator[Path]:
    """Yield the files that are left in directories for temporary files, and unfinished ones in the cache."""
    for path in [*running.temporary.rglob("*"), *(running.output.parent / "tmp").rglob("*")]:
        if path.is_file() and not _OF_ANSIBLE.search(str(path)):
            yield path
    for path in (running.output.parent / "home").rglob("*"):
        if path.is_file() and not _OF_CACHE.search(str(path)):
            yield path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; return 1 if anything was wrong."""
    known = parser("stops", __doc__, runs=100, size=200, unit="MIB", sized="the image")
    known.add_argument("--signal", choices=SIGNALS, action="append", help="only this signal")
    known.add_argument("--to", choices=RECEIVERS, action="append", help="only to this receiver")
    options = known.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        # A shell starts what runs in the background with SIGINT ignored, and so would the pushes.
        signal.signal(number, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="stops-"))

    def begin(zones: LocalZones) -> tuple[str, Callable[[Kind, random.Random], Outcome]]:
        stops = Stops(zones, folder, options.size)
        first = f"{stops.uploading:.2f} s of uploads, {stops.moving:.2f} s of tags"
        return first, lambda kind, chance: stops.run(signal.Signals[kind[0]], kind[1], chance)

    kinds = list(itertools.product(options.signal or SIGNALS, options.to or RECEIVERS))
    return run_all(options, folder, kinds, " to ", begin, ("signal", "to", "how they ended"))


if __name__ == "__main__":
    sys.exit(main())
