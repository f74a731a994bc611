# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-playbook shows while a push or a set runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.image import make_layout
from tests.integration.playbook import play, run_playbook
from tests.integration.push import ACTION, Pusher

KIB = 1 << 10
SIZE = 600 * KIB
# A line that comes before the first bytes were counted has no speed.
ADVANCES = r"pushing: \[localhost -> {zone}\] \d+ %, [0-9.]+ [KMi]*B of 60\d\.\d KiB(, [0-9.]+ [KMi]*B/s)?"
ENDS = r"pushing: \[localhost -> {zone}\] [a-z ]+, 60\d\.\d KiB of 60\d\.\d KiB in \d+\.\d s, [0-9.]+ [KMi]*B/s"
OF_SET = r"syncing: \[localhost\] [01] of 1 images, \d+ %, [0-9.]+ [KMi]*B of 60\d\.\d KiB(, [^;]+/s)?(; set:1)?"
SET_ENDS = r"syncing: \[localhost\] 1 of 1 images, done, 60\d\.\d KiB of 60\d\.\d KiB in \d+\.\d s, [0-9.]+ [KMi]*B/s"


@pytest.mark.thorough
def test_a_slow_push_shows_how_far_it_is(pusher: Pusher, tmp_path: Path) -> None:
    for name in ("shown", "quiet", "set"):
        make_layout(tmp_path / name, platforms=("linux/amd64",), layers=1, size=SIZE, seed=name)
    zone = pusher.zones[0]
    zone.faults.add("throttle", method="PUT|PATCH", path="/blobs/", bytes_per_second=100 * KIB)
    shown, quiet = (
        pusher.options(f"oci:{tmp_path / name}", zones=pusher.entries(zone), name=name) for name in ("shown", "quiet")
    )
    image = {"source": f"oci:{tmp_path / 'set'}", "name": "set", "tags": ["1"]}
    of_set = {"zones": shown["zones"], "namespace": pusher.project, "images": [image]}
    tasks = [
        {"name": "Checked", ACTION: shown, "check_mode": True},
        {"name": "Shown", ACTION: shown},
        {"name": "Again", ACTION: shown},
        {"name": "Quiet", ACTION: {**quiet, "progress": False}},
        {"name": "Set", "appuio.registry.appuio_image_sync": of_set},
    ]
    ran = run_playbook([play(tasks)], tmp_path / "play").succeeded()
    assert [task.result["changed"] for task in ran.tasks] == [True, True, False, True, True]
    assert all(ran.result(name)["zones"][0]["duration"] > 2 for name in ("Shown", "Quiet")), "slow enough to be shown"
    where = re.escape(zone.registry)
    lines = [line for line in ran.stdout.splitlines() if line.startswith("pushing")]
    # A slow machine shows more lines on the way, never fewer; the others of the four tasks show none.
    assert len(lines) > 1, ran.stdout
    patterns = [*[ADVANCES] * (len(lines) - 1), ENDS]
    for pattern, line in zip(patterns, lines, strict=True):
        assert re.fullmatch(pattern.format(zone=where), line), line
    lines = [line for line in ran.stdout.splitlines() if line.startswith("syncing")]
    assert len(lines) > 1, ran.stdout
    assert all(re.fullmatch(OF_SET, line) for line in lines[:-1]), lines
    assert re.fullmatch(SET_ENDS, lines[-1]), lines
    assert not list((tmp_path / "play").rglob("progress-*"))
