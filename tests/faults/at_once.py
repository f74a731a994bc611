# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prune and push of the same tag at the same time, for real: ``python -m tests.faults.at_once``, run by hand.

A push that succeeds has to be there afterwards. Each run begins with a stream whose oldest tag is to go; prune and
push begin within a few tenths of a second, each in a process of its own. ``--longest 1.2 --slow 1`` lets pushes come
while the tag is being removed, so that they have to be put back.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import conftest  # noqa: F401 - makes the checkout importable as a collection
from tests.zone import LocalZones

from .scene import Scene, run_module

TAG = "b-1"
OLD = ("b-1", "b-2", "b-3")


def run_late(delay: float, module: str, given: dict[str, Any]) -> dict[str, Any]:
    """Run a module after some seconds; return its result."""
    time.sleep(delay)
    result: dict[str, Any] = json.loads(run_module(module, given))
    return result


def one_run(scene: Scene, pool: ProcessPoolExecutor, longest: float) -> tuple[bool, str]:
    """Return whether what the modules say is so, and what came of it."""
    name = scene.new("app")
    for tag in OLD:
        source = scene.layout(scene.new("image"), platforms=("linux/amd64",), layers=1)
        pushed = scene.run("appuio_image_push", {"name": name, "tags": [tag], "source": source})
        assert not pushed.failed, pushed.result
    time.sleep(1.1)  # an API tells times in seconds, and what is pushed now is to be the newest
    source = scene.layout(scene.new("image"), platforms=("linux/amd64",), layers=1)
    push = scene.parameters({"name": name, "tags": [TAG], "source": source})
    prune = scene.parameters({"name": name, "match": "^b-", "keep": 1})
    delays = [random.uniform(0, longest) for _side in range(2)]
    running = [
        pool.submit(run_late, delay, module, given)
        for delay, module, given in zip(delays, ("appuio_image_push", "appuio_image_prune"), (push, prune), strict=True)
    ]
    pushed_result, pruned = (one.result() for one in running)
    there = scene.zones[0].tags(scene.project, name)
    holds = pushed_result.get("failed") or there.get(TAG) == pushed_result["digest"]
    zone = pruned["zones"][0]
    deleted = {one["tag"] for one in zone["deleted"]}
    kept = {one["tag"]: one["reason"] for one in zone["kept"]}
    said = "removed, then pushed" if TAG in deleted else kept.get(TAG, "it was not there")
    if pushed_result.get("failed"):
        said = f"the push failed: {pushed_result['msg']}"
    elif pruned.get("failed"):
        said = f"the prune failed: {pruned['msg']}"
    return bool(holds), said.replace(str(pushed_result.get("digest")), "the image")


def main() -> int:
    """Run it, and print how often what came of it."""
    description = "Run prune and push of the same tag at the same time."
    parser = argparse.ArgumentParser(prog="python -m tests.faults.at_once", description=description)
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--longest", type=float, default=0.3, help="seconds within which both begin")
    parser.add_argument("--slow", type=float, default=0.0, help="seconds that a removal waits in front of the API")
    given = parser.parse_args()
    lost, outcomes = 0, collections.Counter[str]()
    with tempfile.TemporaryDirectory() as folder, LocalZones(1) as zones:
        for variable, name in (("HOME", "home"), ("TMPDIR", "tmp")):
            (Path(folder) / name).mkdir()
            os.environ[variable] = str(Path(folder) / name)
        zones[0].create_project("at-once")
        scene = Scene(zones.zones, "at-once", Path(folder))
        zones[0].reset_settings()  # a watch takes the second that it asks for
        if given.slow:
            zones[0].faults.add("delay", side="api", method="DELETE", seconds=given.slow)
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            for number in range(1, given.runs + 1):
                holds, said = one_run(scene, pool, given.longest)
                lost += not holds
                outcomes[said] += 1
                print(f"{number}: {'holds' if holds else 'LOST'}: {said}", flush=True)
    print(f"{given.runs} runs, {lost} pushes lost")
    for said, times in outcomes.most_common():
        print(f"{times:4} {said}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
