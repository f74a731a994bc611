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
    sent: int = 0


class FileProgress:
    """Appends to a file that is there already, a line per zone every half second.

    Never raises, as no push fails for want of an audience.
    """

    def __init__(
        self, path: str, clock: Callable[[], float] = time.monotonic, between_lines: float = BETWEEN_LINES
    ) -> None:
        self._clock = clock
        self._between_lines = between_lines
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._running: dict[str, _Zone] = {}
        self._writer: threading.Thread | None = None
        try:
            self._file: int | None = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            self._file = None

    def begin(self, zone: str, total: int) -> None:
        """Write the zone's first line, or one with its new total."""
        with self._lock:
            running = self._running.setdefault(zone, _Zone(total, self._clock()))
            running.total = total
            self._write(zone, running)
            self._start_writer()

    def advance(self, zone: str, count: int) -> None:
        """Count; it is written in its time."""
        with self._lock:
            running = self._running.get(zone)
            if running is not None:
                running.sent += count

    def end(self, zone: str, outcome: str) -> None:
        """Write the zone's last line; what is still counted for it is not told."""
        with self._lock:
            running = self._running.pop(zone, None)
            if running is not None:
                self._write(zone, running, outcome)

    def write(self) -> None:
        """Write how far each zone is."""
        with self._lock:
            for zone, running in self._running.items():
                self._write(zone, running)

    def close(self) -> None:
        """Write no more, and close the file."""
        self._closed.set()
        if self._writer is not None:
            self._writer.join()
            self._writer = None
        with self._lock:
            if self._file is not None:
                try:
                    os.close(self._file)
                except OSError:
                    pass
                self._file = None

    def _start_writer(self) -> None:
        if self._writer is not None or self._file is None or self._closed.is_set():
            return
        self._writer = threading.Thread(target=self._keep_writing, daemon=True)
        try:
            self._writer.start()
        except RuntimeError:  # no more threads
            self._writer = None

    def _keep_writing(self) -> None:
        while not self._closed.wait(self._between_lines):
            self.write()

    def _write(self, zone: str, running: _Zone, outcome: str | None = None) -> None:
        if self._file is None:
            return
        seconds = round(self._clock() - running.begun, 3)
        told = {"zone": zone, "total": running.total, "sent": running.sent, "seconds": seconds}
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
