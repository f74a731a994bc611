# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which lines are shown of a push that runs, or of a whole set of them, and when; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Iterator

FIRST_AFTER = 2.0
AT_MOST_EVERY = 5.0
# So many names of images that are at work stand in a line.
_MOST_NAMES = 3
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True)
class Event:
    """What the module wrote last of a zone; ``seconds`` since the zone began, ``outcome`` once it is finished.

    Of a set, which names no zone, ``images`` are how many are done, and of how many; ``running`` are at work.
    """

    zone: str
    total: int
    sent: int
    seconds: float
    outcome: str | None = None
    images: tuple[int, int] | None = None
    running: tuple[str, ...] = ()


@dataclass
class Line:
    """The last line that was shown of a zone, and what the module wrote since."""

    event: Event
    at: float | None = None
    sent: int = 0
    seconds: float = 0.0
    finished: bool = False


class ProgressLines:
    """Takes what the module wrote, and gives the lines that are due; a push that is short shows none.

    ``host`` is the host of the inventory. All times in seconds since the task began.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._zones: dict[str, Line] = {}
        self._rest = b""

    def feed(self, written: bytes) -> None:
        """Take more of what the module wrote; it may end in the middle of a line."""
        *whole, self._rest = (self._rest + written).split(b"\n")
        for line in whole:
            event = _parsed(line)
            if event is not None:
                self._zones.setdefault(event.zone, Line(event)).event = event

    def lines(self, now: float) -> Iterator[str]:
        """Yield a line for each zone that has advanced, or has come to its end, since its last line."""
        if now < FIRST_AFTER:
            return
        for line in self._zones.values():
            event = line.event
            last = event.outcome is not None
            early = line.at is not None and now - line.at < AT_MOST_EVERY
            if line.finished or (early and not last) or not (event.total or event.images):
                continue
            what = _end(event) if last else _progress_line(event, line)
            if event.images is None:
                yield f"pushing: [{self._where(event.zone)}] {what}"
            else:
                done, count = event.images
                yield f"syncing: [{self._where(event.zone)}] {done} of {count} images, {what}{_at_work(event)}"
            line.at, line.sent, line.seconds, line.finished = now, event.sent, event.seconds, last

    def _where(self, zone: str) -> str:
        zone = _printable(zone, "?")
        return f"{self._host} -> {zone}" if zone not in ("", self._host) else self._host


def size(count: float) -> str:
    """Return a number of bytes as people read it: ``62.8 MiB``."""
    value, number = float(max(count, 0)), 0
    while value >= 1024 and number + 1 < len(_UNITS):
        value, number = value / 1024, number + 1
    return f"{value:.1f} {_UNITS[number]}" if number else f"{value:.0f} {_UNITS[0]}"


def _progress_line(event: Event, line: Line) -> str:
    sent = min(max(event.sent, 0), event.total)
    text = f"{100 * sent // max(1, event.total)} %, {size(sent)} of {size(event.total)}"
    seconds = event.seconds - line.seconds
    return f"{text}, {size((event.sent - line.sent) / seconds)}/s" if seconds > 0 else text


def _end(event: Event) -> str:
    outcome = _printable(str(event.outcome))
    text = f"{outcome}, {size(min(event.sent, event.total))} of {size(event.total)} in {event.seconds:.1f} s"
    return f"{text}, {size(event.sent / event.seconds)}/s" if event.seconds > 0 else text


def _at_work(event: Event) -> str:
    """Return which images are at work, as far as a line has room for them."""
    names = [_printable(name, "?") for name in event.running[:_MOST_NAMES]]
    more = len(event.running) - len(names)
    return f"; {', '.join(names)}{f' and {more} more' if more else ''}" if names else ""


def _printable(text: str, other: str = "") -> str:
    return "".join(letter if letter.isprintable() else other for letter in text)


def _parsed(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
        outcome, images = event.get("outcome"), event.get("images")
        return Event(
            str(event["zone"]),
            int(event["total"]),
            int(event["sent"]),
            float(event["seconds"]),
            None if outcome is None else str(outcome),
            None if images is None else (int(images[0]), int(images[1])),
            tuple(str(name) for name in event.get("running") or ()),
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
