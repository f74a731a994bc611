# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far one zone is: the bytes it is to get, which become fewer where it has a blob already, and those sent."""

from __future__ import annotations

import threading

from .._http.message import Body, Reader
from .progress import Progress


class Gauge:
    """Tells the progress of one zone; safe for several threads."""

    def __init__(self, progress: Progress, zone: str) -> None:
        self._progress = progress
        self._zone = zone
        self._lock = threading.Lock()
        self._total = 0

    def expect(self, count: int) -> None:
        """Take more bytes into account, or fewer."""
        with self._lock:
            self._total += count
            self._progress.begin(self._zone, self._total)

    def sent(self, count: int) -> None:
        """Take bytes as sent; fewer than 0 where they have to be sent again."""
        self._progress.advance(self._zone, count)

    def end(self, outcome: str) -> None:
        """Tell that nothing follows for the zone."""
        self._progress.end(self._zone, outcome)


class GaugedBody:
    """A body whose bytes are counted once, however often it is opened; it has one reader at a time."""

    def __init__(self, body: Body, gauge: Gauge) -> None:
        self._body = body
        self._gauge = gauge
        self._position = 0

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        return self._body.length

    def open(self, offset: int = 0) -> Reader:
        """Return a reader of the body from ``offset`` on."""
        reader = self._body.open(offset)
        self.moved(offset - self._position)
        return _GaugedReader(reader, self)

    def moved(self, count: int) -> None:
        """Count bytes that were read."""
        self._position += count
        self._gauge.sent(count)


class _GaugedReader:
    def __init__(self, reader: Reader, body: GaugedBody) -> None:
        self._reader = reader
        self._body = body

    def readinto(self, buffer: memoryview) -> int:
        count = self._reader.readinto(buffer)
        self._body.moved(count)
        return count

    def close(self) -> None:
        self._reader.close()
