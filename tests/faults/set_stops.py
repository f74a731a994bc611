# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.faults.set_stops``: sets that are killed, or told to stop, at random moments, and what the next do.

Each run brings a set with ``delete: managed`` to three zones. There it changes an image, adds two, one of them from an
archive, and has tags and a repository that are no longer declared; somebody else has tags of their own in between.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import conftest  # noqa: F401 # pylint: disable=unused-import
from tests.image.archive import save_archive
from tests.zone import LocalZones

from .random_runs import Kind, Outcome, parser, run_all, until
from .scene import Run, Scene

PROJECT = "set-stops"
SIGNALS = ("SIGKILL", "SIGTERM")
ATOMIC = ("image", "set")
MODULE = "appuio_image_sync"
KIB = 1 << 10
# Of so many runs one gets its signal after the first tag has moved, when tags move and go.
ONE_IN = 1.25
_LONGEST = 120.0
_CHILD = """
import conftest, json, sys
from tests.faults.scene import run_module
print(run_module(sys.argv[1], json.load(sys.stdin)))
"""
_Tags = dict[str, list[dict[str, str]]]


class SetStops:
    """Zones and images for all runs."""

    def __init__(self, zones: LocalZones, folder: Path, size: int) -> None:
        self.folder = folder
        self._zones = zones
        for zone in zones.zones:
            zone.create_project(PROJECT)
        self._scene = Scene(zones.zones, PROJECT, folder)
        self._numbers = itertools.count()
        layers = {"layers": 2, "size": size * KIB // 2, "platforms": ("linux/amd64",)}
        self._layouts = {name: self._scene.layout(name, **layers) for name in ("old", "new", "other", "theirs")}
        save_archive(folder / "saved.tar", folder / "saved")
        self.seconds, self.moving = self._measured()

    def run(self, number: signal.Signals, atomic: str, chance: random.Random) -> Outcome:
        """Bring a set, end it, look, and bring it again."""
        moving = chance.random() < 1 / ONE_IN
        wait = chance.uniform(0, (self.moving if moving else self.seconds) * 1.1)
        names, before = self._prepared()
        process = self._begun(names, atomic)
        until(process, self._tags_begin if moving else self._is_asked)
        time.sleep(wait)
        ended = process.poll() is not None
        if not ended:
            process.send_signal(number)
        output = process.communicate()[0]
        self._until_quiet()
        after = self._tags(names)
        wrong = [f"{wait:.3f} s: {text}" for text in self._judged(names, before, after)]
        next_run = self._sync(names, atomic)
        final = self._tags(names)
        if next_run.failed:
            wrong.append(f"{wait:.3f} s: the next run fails: {next_run.result['msg']}")
        elif final != (wanted := self._wanted(names, before)):
            wrong.append(f"{wait:.3f} s: the next run leaves {final}, and not {wanted}")
        again = self._sync(names, atomic)
        if again.failed or again.result["changed"] or again.result["deleted"]:
            wrong.append(f"{wait:.3f} s: the run after it says {again.result}")
        if wrong:
            wrong.append(f"after the first: {after}; it said {output[-600:]!r}")
        return Outcome("to the end" if ended else self._how_far(names, before, after), wrong)

    def images(self, names: dict[str, str], atomic: str) -> dict[str, Any]:
        """Return what is declared: the tag ``latest`` and the repository ``gone`` are not, any more."""
        images = [
            {"source": self._layouts["new"], "name": names["app"], "tags": ["1", "2"]},
            {"source": self._layouts["other"], "name": names["web"], "tags": ["1"]},
            {"source": f"docker-archive:{self.folder / 'saved.tar'}", "name": names["saved"], "tags": ["1"]},
        ]
        return {"images": images, "delete": "managed", "set_name": names["app"], "atomic": atomic}

    def _prepared(self) -> tuple[dict[str, str], _Tags]:
        """Return the names of new repositories, after an earlier run of the set and what somebody else has done."""
        number = next(self._numbers)
        names = {name: f"{name}-{number}" for name in ("app", "web", "saved", "gone")}
        old = self._layouts["old"]
        images = [
            {"source": old, "name": names["app"], "tags": ["1", "latest", "moved"]},
            {"source": self._layouts["other"], "name": names["gone"], "tags": ["1"]},
        ]
        options = {"images": images, "delete": "managed", "set_name": names["app"]}
        theirs = {"source": self._layouts["theirs"], "name": names["app"], "tags": ["theirs", "moved"]}
        for module, given in ((MODULE, options), ("appuio_image_push", theirs)):
            done = self._scene.run(module, given)
            if done.failed:
                raise SystemExit(f"what comes before fails: {done.result['msg']}")
        return names, self._tags(names)

    def _begun(self, names: dict[str, str], atomic: str) -> subprocess.Popen[str]:
        given = self._scene.parameters(self.images(names, atomic))
        for zone in self._zones.zones:
            zone.clear_requests()
        process = subprocess.Popen(
            [sys.executable, "-c", _CHILD, MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(given))
        process.stdin.close()
        process.stdin = None
        return process

    def _is_asked(self) -> bool:
        return any(zone.requests() for zone in self._zones.zones)

    def _tags_begin(self) -> bool:
        writes = [one["path"] for zone in self._zones.zones for one in zone.writes()]
        return any("/manifests/" in path and "sha256:" not in path for path in writes)

    def _measured(self) -> tuple[float, float]:
        """Return how long an undisturbed run takes after its first request, and after its first tag."""
        names, _before = self._prepared()
        process = self._begun(names, "image")
        until(process, self._is_asked)
        begun = time.monotonic()
        until(process, self._tags_begin)
        tags = time.monotonic()
        output = process.communicate(timeout=_LONGEST)[0]
        if '"changed": true' not in output:
            raise SystemExit(f"a run without a signal fails: {output[-2000:]}")
        ended = time.monotonic()
        return ended - begun, ended - tags

    def _sync(self, names: dict[str, str], atomic: str) -> Run:
        return self._scene.run(MODULE, self.images(names, atomic))

    def _tags(self, names: dict[str, str]) -> _Tags:
        return {name: [zone.tags(PROJECT, own) for zone in self._zones.zones] for name, own in names.items()}

    def _until_quiet(self) -> None:
        """Wait until no zone does anything any more: a request goes on when its connection is cut."""
        while any(one["status"] is None for zone in self._zones.zones for one in zone.requests()):
            time.sleep(0.02)

    @property
    def _digests(self) -> dict[str, str]:
        found = {}
        for name in self._layouts:
            index = json.loads((self.folder / name / "index.json").read_text())
            found[name] = index["manifests"][0]["digest"]
        return found

    def _wanted(self, names: dict[str, str], before: _Tags) -> _Tags:
        digests = self._digests
        app = {"1": digests["new"], "2": digests["new"], "theirs": digests["theirs"], "moved": digests["theirs"]}
        saved = self._tags({"saved": names["saved"]})["saved"][0]
        zones = len(before["app"])
        return {
            "app": [app] * zones,
            "web": [{"1": digests["other"]}] * zones,
            "saved": [saved] * zones,
            "gone": [{}] * zones,
        }

    def _judged(self, names: dict[str, str], before: _Tags, after: _Tags) -> list[str]:
        """Return what is wrong with the zones after a run that was ended."""
        digests, wrong = self._digests, []
        arrived = True
        for number, app in enumerate(after["app"]):
            if {app.get("theirs"), app.get("moved")} != {digests["theirs"]}:
                wrong.append(f"what somebody else pushed is {app}")
            if app.get("1") not in (digests["old"], digests["new"]):
                wrong.append(f"a declared tag is {app.get('1')}")
            if app.get("latest") not in (None, digests["old"]) or after["gone"][number].get("1") not in (
                None,
                digests["other"],
            ):
                wrong.append("what is not declared points to something else")
            arrived = arrived and app.get("1") == app.get("2") == digests["new"]
        if not arrived and any("latest" not in app for app in after["app"]):
            wrong.append("a tag went before what takes its place had arrived")
        return wrong

    def _how_far(self, names: dict[str, str], before: _Tags, after: _Tags) -> str:
        if after == before:
            return "nothing had moved"
        if after == self._wanted(names, before) and all(after["saved"]):
            return "all was done"
        if after["gone"] != before["gone"] or any("latest" not in app for app in after["app"]):
            return "while it deleted"
        return "while tags moved"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; return 1 if anything was wrong."""
    options = parser("set_stops", __doc__, runs=20, size=400, unit="KIB", sized="each image").parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="set-stops-"))
    for variable, name in (("HOME", "home"), ("TMPDIR", "tmp")):
        (folder / name).mkdir()
        os.environ[variable] = str(folder / name)

    def begin(zones: LocalZones) -> tuple[str, Callable[[Kind, random.Random], Outcome]]:
        stops = SetStops(zones, folder, options.size)
        first = (
            f"{stops.seconds:.2f} s from the first request to the end, {stops.moving:.2f} s of them after the first tag"
        )
        return first, lambda kind, chance: stops.run(signal.Signals[kind[0]], kind[1], chance)

    kinds = list(itertools.product(SIGNALS, ATOMIC))
    return run_all(options, folder, kinds, " with atomic ", begin, ("signal", "atomic", "how far they were"))


if __name__ == "__main__":
    sys.exit(main())
