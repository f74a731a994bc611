# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a push is: what the module writes, and which lines are shown of it."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._push.progress import (
    VARIABLE,
    Progress,
    progress_from,
)
from ansible_collections.appuio.registry.plugins.module_utils._push.progress_lines import ProgressLines, size

MIB = 1 << 20
NEVER = 3600.0


class Clock:
    """A clock that the test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "progress"
    path.touch()
    return path


def told(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_line_at_both_ends_and_between(file: Path) -> None:
    clock = Clock()
    progress = Progress(str(file), clock, NEVER)
    progress.begin("zone-1", 1000)
    progress.write()
    clock.now += 0.5
    for _block in range(5):
        progress.advance("zone-1", 10)
    progress.write()
    clock.now += 1.5
    progress.advance("zone-1", 110)
    progress.end("zone-1", "uploaded")
    progress.advance("zone-1", 10)
    progress.end("zone-1", "failed")
    progress.write()
    progress.close()
    assert told(file) == [
        {"zone": "zone-1", "total": 1000, "sent": 0, "seconds": 0.0},
        {"zone": "zone-1", "total": 1000, "sent": 0, "seconds": 0.0},
        {"zone": "zone-1", "total": 1000, "sent": 50, "seconds": 0.5},
        {"zone": "zone-1", "total": 1000, "sent": 160, "seconds": 2.0, "outcome": "uploaded"},
    ]


def test_it_is_written_by_itself(file: Path) -> None:
    before = threading.enumerate()
    progress = Progress(str(file), between_lines=0.005)
    progress.begin("a", 10)
    progress.advance("a", 4)
    while told(file)[-1]["sent"] != 4:
        time.sleep(0.005)
    progress.close()
    assert threading.enumerate() == before


def test_each_zone_is_told(file: Path) -> None:
    progress = Progress(str(file), Clock(), NEVER)
    for zone in ("a", "b"):
        progress.begin(zone, 10)
    progress.advance("a", 1)
    progress.advance("b", 3)
    progress.advance("b", -1)
    progress.write()
    progress.close()
    assert [(line["zone"], line["sent"]) for line in told(file)] == [("a", 0), ("b", 0), ("a", 1), ("b", 2)]


def test_the_total_may_become_known_later(file: Path) -> None:
    progress = Progress(str(file), Clock(), NEVER)
    progress.begin("a", 100)
    progress.advance("a", 40)
    progress.begin("a", 60)
    progress.close()
    assert told(file)[-1] == {"zone": "a", "total": 60, "sent": 40, "seconds": 0.0}


def test_nothing_is_lost_between_threads(file: Path) -> None:
    progress = Progress(str(file))
    progress.begin("a", 8000)

    def upload() -> None:
        for _block in range(1000):
            progress.advance("a", 1)

    threads = [threading.Thread(target=upload) for _one in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    progress.end("a", "uploaded")
    progress.close()
    assert told(file)[-1]["sent"] == 8000


def test_nobody_fails_for_want_of_an_audience(tmp_path: Path, file: Path) -> None:
    gone = Progress(str(tmp_path / "gone"))
    link = tmp_path / "link"
    link.symlink_to(file)
    linked = Progress(str(link))
    closed = Progress(str(file))
    closed.close()
    for progress in (gone, linked, closed, Progress(None)):
        progress.advance("never begun", 1)
        progress.begin("a", 1)
        progress.advance("a", 1)
        progress.end("a", "uploaded")
        progress.close()
        progress.close()
    assert not (tmp_path / "gone").exists()
    assert file.read_text() == ""


def test_a_full_disk_is_no_failure() -> None:
    progress = Progress("/dev/full")
    progress.begin("a", 1)
    progress.end("a", "uploaded")
    progress.close()


def test_who_listens(file: Path) -> None:
    assert progress_from({VARIABLE: str(file)}, check_mode=False).shown
    assert not progress_from({VARIABLE: str(file)}, check_mode=True).shown
    assert not progress_from({}, check_mode=False).shown


def line(sent: int, seconds: float, zone: str = "zone-1", total: int = 100 * MIB, **more: Any) -> bytes:
    return json.dumps({"zone": zone, "total": total, "sent": sent, "seconds": seconds, **more}).encode() + b"\n"


def test_the_first_line_comes_late_and_the_next_later() -> None:
    lines = ProgressLines("zone-1")
    lines.feed(line(0, 0.0) + line(10 * MIB, 0.5))
    assert list(lines.lines(1.9)) == []
    lines.feed(line(30 * MIB, 2.0))
    assert list(lines.lines(2.1)) == ["pushing: [zone-1] 30 %, 30.0 MiB of 100.0 MiB, 15.0 MiB/s"]
    lines.feed(line(50 * MIB, 6.0))
    assert list(lines.lines(7.0)) == []
    assert list(lines.lines(7.2)) == ["pushing: [zone-1] 50 %, 50.0 MiB of 100.0 MiB, 5.0 MiB/s"]
    lines.feed(line(50 * MIB, 12.0))
    assert list(lines.lines(12.3)) == ["pushing: [zone-1] 50 %, 50.0 MiB of 100.0 MiB, 0 B/s"]


def test_the_end_is_told_at_once_and_once() -> None:
    lines = ProgressLines("zone-1")
    lines.feed(line(30 * MIB, 2.0))
    assert len(list(lines.lines(2.0))) == 1
    lines.feed(line(100 * MIB, 4.0, outcome="uploaded"))
    assert list(lines.lines(4.0)) == ["pushing: [zone-1] uploaded, 100.0 MiB of 100.0 MiB in 4.0 s, 25.0 MiB/s"]
    assert list(lines.lines(60.0)) == []


def test_a_short_push_shows_nothing() -> None:
    lines = ProgressLines("zone-1")
    lines.feed(line(0, 0.0) + line(100 * MIB, 1.5, outcome="uploaded"))
    assert list(lines.lines(1.6)) == []


def test_what_ended_early_is_told_where_another_zone_takes_long() -> None:
    lines = ProgressLines("localhost")
    lines.feed(line(100 * MIB, 1.0, "a", outcome="uploaded") + line(10 * MIB, 2.0, "b"))
    assert list(lines.lines(2.0)) == [
        "pushing: [localhost -> a] uploaded, 100.0 MiB of 100.0 MiB in 1.0 s, 100.0 MiB/s",
        "pushing: [localhost -> b] 10 %, 10.0 MiB of 100.0 MiB, 5.0 MiB/s",
    ]


def test_a_line_may_arrive_in_pieces_and_rubbish_is_left_out() -> None:
    lines = ProgressLines("zone-1")
    whole = line(30 * MIB, 2.0)
    lines.feed(b"rubbish\n{}\n[1]\n" + line(1, 1.0, total=0, zone="nothing to send") + whole[:20])
    assert list(lines.lines(2.0)) == []
    lines.feed(whole[20:])
    assert list(lines.lines(2.1)) == ["pushing: [zone-1] 30 %, 30.0 MiB of 100.0 MiB, 15.0 MiB/s"]


def test_no_line_moves_the_cursor() -> None:
    lines = ProgressLines("localhost")
    lines.feed(line(MIB, 2.0, "a\r\x1b[2J", outcome="up\nloaded"))
    assert list(lines.lines(2.0)) == [
        "pushing: [localhost -> a??[2J] uploaded, 1.0 MiB of 100.0 MiB in 2.0 s, 512.0 KiB/s"
    ]


def test_what_was_sent_twice_does_not_count_beyond_the_whole() -> None:
    lines = ProgressLines("zone-1")
    lines.feed(line(120 * MIB, 2.0))
    assert list(lines.lines(2.0)) == ["pushing: [zone-1] 100 %, 100.0 MiB of 100.0 MiB, 60.0 MiB/s"]
    lines.feed(line(90 * MIB, 8.0))
    assert list(lines.lines(8.0)) == ["pushing: [zone-1] 90 %, 90.0 MiB of 100.0 MiB, 0 B/s"]


def of_set(done: int, sent: int, seconds: float, *running: str, **more: Any) -> bytes:
    return line(sent, seconds, "", images=[done, 30], running=running, **more)


def test_a_set_has_one_line_with_how_many_images_are_done_and_what_is_at_work() -> None:
    lines = ProgressLines("localhost")
    lines.feed(of_set(0, 0, 0.0) + of_set(3, 40 * MIB, 2.0, "app:1.2", "web:3"))
    assert list(lines.lines(2.0)) == [
        "syncing: [localhost] 3 of 30 images, 40 %, 40.0 MiB of 100.0 MiB, 20.0 MiB/s; app:1.2, web:3"
    ]
    lines.feed(of_set(12, 60 * MIB, 7.0, *"abcde"))
    assert list(lines.lines(7.0)) == [
        "syncing: [localhost] 12 of 30 images, 60 %, 60.0 MiB of 100.0 MiB, 4.0 MiB/s; a, b, c and 2 more"
    ]
    lines.feed(of_set(30, 100 * MIB, 10.0, outcome="done"))
    assert list(lines.lines(10.0)) == [
        "syncing: [localhost] 30 of 30 images, done, 100.0 MiB of 100.0 MiB in 10.0 s, 10.0 MiB/s"
    ]
    assert list(lines.lines(60.0)) == []


def test_a_set_that_sends_nothing_shows_its_images_and_rubbish_is_left_out() -> None:
    rubbish: tuple[object, ...] = (7, [], [1], ["x", "y"], {})
    lines = ProgressLines("localhost")
    lines.feed(line(0, 3.0, "", total=0, images=[1, 2], running=["a\r\x1b[2J"]))
    for images in rubbish:
        lines.feed(line(0, 3.0, "", total=0, images=images))
    lines.feed(line(0, 3.0, "", total=0, images=[2, 2], running=7))
    assert list(lines.lines(3.0)) == ["syncing: [localhost] 1 of 2 images, 0 %, 0 B of 0 B, 0 B/s; a??[2J"]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (-1, "0 B"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (628 * MIB, "628.0 MiB"),
        (3 << 30, "3.0 GiB"),
        (5 << 50, "5120.0 TiB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text
