# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which lines are shown of a push that runs, and when; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Iterator

FIRST_AFTER = 2.0
AT_MOST_EVERY = 5.0
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True)
class Told:
    """What the module said last of a zone; ``seconds`` since the zone began, ``outcome`` once it is finished."""

    zone: str
    total: int
    sent: int
    seconds: float
    outcome: str | None = None


@dataclass
class _Shown:
    told: Told
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
        self._zones: dict[str, _Shown] = {}
        self._rest = b""

    def take(self, written: bytes) -> None:
        """Take more of what the module wrote; it may end in the middle of a line."""
        *whole, self._rest = (self._rest + written).split(b"\n")
        for line in whole:
            told = _parsed(line)
            if told is not None:
                self._zones.setdefault(told.zone, _Shown(told)).told = told

    def due(self, now: float) -> Iterator[str]:
        """Yield a line for each zone that has advanced, or has come to its end, since its last line."""
        if now < FIRST_AFTER:
            return
        for shown in self._zones.values():
            told = shown.told
            last = told.outcome is not None
            early = shown.at is not None and now - shown.at < AT_MOST_EVERY
            if shown.finished or (early and not last) or not told.total:
                continue
            yield f"pushing: [{self._where(told.zone)}] {_end(told) if last else _line(told, shown)}"
            shown.at, shown.sent, shown.seconds, shown.finished = now, told.sent, told.seconds, last

    def _where(self, zone: str) -> str:
        zone = "".join(letter if letter.isprintable() else "?" for letter in zone)
        return zone if zone == self._host else f"{self._host} -> {zone}"


def size(count: float) -> str:
    """Return a number of bytes as people read it: ``62.8 MiB``."""
    value, number = float(max(count, 0)), 0
    while value >= 1024 and number + 1 < len(_UNITS):
        value, number = value / 1024, number + 1
    return f"{value:.1f} {_UNITS[number]}" if number else f"{value:.0f} {_UNITS[0]}"


def _line(told: Told, shown: _Shown) -> str:
    sent = min(max(told.sent, 0), told.total)
    text = f"{100 * sent // told.total} %, {size(sent)} of {size(told.total)}"
    seconds = told.seconds - shown.seconds
    return f"{text}, {size((told.sent - shown.sent) / seconds)}/s" if seconds > 0 else text


def _end(told: Told) -> str:
    outcome = "".join(letter for letter in str(told.outcome) if letter.isprintable())
    text = f"{outcome}, {size(min(told.sent, told.total))} of {size(told.total)} in {told.seconds:.1f} s"
    return f"{text}, {size(told.sent / told.seconds)}/s" if told.seconds > 0 else text


def _parsed(line: bytes) -> Told | None:
    try:
        told = json.loads(line)
        outcome = told.get("outcome")
        return Told(
            str(told["zone"]),
            int(told["total"]),
            int(told["sent"]),
            float(told["seconds"]),
            None if outcome is None else str(outcome),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
