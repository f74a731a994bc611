# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a push is, zone by zone, told to whoever watches: the module writes a file, the action plugin reads it.

One JSON object per line, appended whole: ``zone``, ``total`` and ``sent`` in bytes, ``seconds`` since the zone
began, and ``outcome``, a word or two, in the last line of a zone. Nothing else is ever written there.
"""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import dataclass
from typing import Callable, Mapping, Protocol

VARIABLE = "APPUIO_PROGRESS_FILE"
BETWEEN_LINES = 0.5


class Progress(Protocol):
    """Hears how far a push is; called from many threads, for each block that was sent, so it is cheap."""

    def begin(self, zone: str, total: int) -> None:
        """Hear that a zone is to get ``total`` bytes; said again, the total is another one."""

    def advance(self, zone: str, count: int) -> None:
        """Hear that a zone has ``count`` more bytes; fewer than 0 where what was sent has to be sent again."""

    def end(self, zone: str, outcome: str) -> None:
        """Hear that a zone is finished, and how, in a word or two: ``uploaded``, ``failed``."""

    def close(self) -> None:
        """Hear that nothing follows."""


class NoProgress:
    """Nobody watches."""

    def begin(self, zone: str, total: int) -> None:
        """Do nothing."""

    def advance(self, zone: str, count: int) -> None:
        """Do nothing."""

    def end(self, zone: str, outcome: str) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


@dataclass
class _Zone:
    total: int
    begun: float
    due: float
    sent: int = 0
    ended: bool = False


class FileProgress:
    """Appends to a file that is there already; never raises, as nobody's push fails for want of an audience."""

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._zones: dict[str, _Zone] = {}
        try:
            self._file: int | None = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            self._file = None

    def begin(self, zone: str, total: int) -> None:
        """Write the zone's first line."""
        with self._lock:
            now = self._clock()
            there = self._zones.get(zone)
            if there is None:
                there = self._zones[zone] = _Zone(total, begun=now, due=now)
            there.total = total
            self._write(zone, there, now)

    def advance(self, zone: str, count: int) -> None:
        """Count, and write a line where the last one is half a second old."""
        with self._lock:
            there = self._zones.get(zone)
            if there is None:
                return
            there.sent += count
            now = self._clock()
            if now >= there.due:
                self._write(zone, there, now)

    def end(self, zone: str, outcome: str) -> None:
        """Write the zone's last line; what follows for this zone is not told."""
        with self._lock:
            there = self._zones.get(zone)
            if there is not None:
                self._write(zone, there, self._clock(), outcome)
                there.ended = True

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                try:
                    os.close(self._file)
                except OSError:
                    pass
                self._file = None

    def _write(self, zone: str, there: _Zone, now: float, outcome: str | None = None) -> None:
        there.due = now + BETWEEN_LINES
        if self._file is None or there.ended:
            return
        told = {"zone": zone, "total": there.total, "sent": there.sent, "seconds": round(now - there.begun, 3)}
        if outcome is not None:
            told["outcome"] = outcome
        try:
            os.write(self._file, json.dumps(told).encode() + b"\n")
        except OSError:
            pass


def progress_from(environment: Mapping[str, str], check_mode: bool) -> Progress:
    """Return who hears of the progress: the file that the action plugin named, nobody in check mode."""
    path = environment.get(VARIABLE)
    return FileProgress(path) if path and not check_mode else NoProgress()
