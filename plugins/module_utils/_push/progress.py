# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a push is, zone by zone, event to whoever watches: the module writes a file, the action plugin reads it.

One JSON object per line, appended whole: ``zone``, ``total`` and ``sent`` in bytes, ``seconds`` since the zone
began, and ``outcome``, a word or two, in the last line of a zone. The line of a whole set names no zone, and has
``images``, how many are done and of how many, and ``running``, the names of those at work. Nothing else is ever written
there.
"""

from __future__ import annotations

import json
import os
import threading
import time
from typing import Any, Callable, Mapping, Protocol

from .._http.message import Body, Reader
from .._source.base import needs_verifying

VARIABLE = "APPUIO_PROGRESS_FILE"
BETWEEN_LINES = 0.5


class UploadProgress(Protocol):
    """What an upload tells of itself, zone by zone."""

    def expect(self, zone: str, count: int) -> None:
        """Take more bytes of a zone into account, or fewer."""

    def advance(self, zone: str, count: int) -> None:
        """Count bytes that were sent, fewer than 0 where they have to be sent again."""

    def end(self, zone: str, outcome: str) -> None:
        """Take note that nothing follows for a zone, and of its outcome, a word or two."""

    def close(self) -> None:
        """Tell no more."""


class _Zone:
    def __init__(self, total: int, begun: float) -> None:
        self.total = total
        self.begun = begun
        self.sent = 0
        self.more: Mapping[str, Any] = {}


class Progress:
    """Appends to a file that is there already, a line per zone every half second; to none where ``path`` is None.

    It is called from many threads, for each block that was sent. It never raises, as no push fails because nobody
    can see how far it is.
    """

    def __init__(
        self, path: str | None, clock: Callable[[], float] = time.monotonic, between_lines: float = BETWEEN_LINES
    ) -> None:
        self._clock = clock
        self._between_lines = between_lines
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._running: dict[str, _Zone] = {}
        self._writer: threading.Thread | None = None
        self._file: int | None = None
        try:
            if path is not None:
                self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            pass

    @property
    def shown(self) -> bool:
        """Whether somebody reads it."""
        return self._file is not None

    def expect(self, zone: str, count: int) -> None:
        """Take more bytes of a zone into account, or fewer."""
        with self._lock:
            running = self._running.get(zone)
            total = count + (running.total if running is not None else 0)
        self.begin(zone, total)

    def begin(self, zone: str, total: int, **more: Any) -> None:
        """Write the zone's first line, or one with its new total of bytes; ``more`` is what its lines have besides."""
        with self._lock:
            running = self._running.setdefault(zone, _Zone(total, self._clock()))
            running.total = total
            running.more = more or running.more
            self._write(zone, running)
            self._start_writer()

    def advance(self, zone: str, count: int) -> None:
        """Count bytes that were sent, fewer than 0 where they have to be sent again; they are written in their time."""
        with self._lock:
            running = self._running.get(zone)
            if running is not None:
                running.sent += count

    def end(self, zone: str, outcome: str) -> None:
        """Write the zone's last line with its outcome, a word or two; what is still counted for it is not written."""
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
        event = {"zone": zone, "total": running.total, "sent": running.sent, "seconds": seconds, **running.more}
        if outcome is not None:
            event["outcome"] = outcome
        try:
            os.write(self._file, json.dumps(event).encode() + b"\n")
        except OSError:
            pass


def progress_from(environment: Mapping[str, str], check_mode: bool) -> Progress:
    """Return the progress that goes to the file that the action plugin named; to none in check mode."""
    return Progress(None if check_mode else environment.get(VARIABLE) or None)


class ProgressBody:
    """A body that counts the bytes that are read of it, once however often it is opened, and that can be cancelled.

    ``check`` raises CancelledError where nobody needs the body any more. It has one reader at a time.
    """

    def __init__(self, body: Body, count: Callable[[int], None], check: Callable[[], None]) -> None:
        # It may be replaced by one of the same bytes, of which more are there.
        self.body = body
        self._count = count
        self._position = 0
        self.check = check

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        return self.body.length

    def open(self, offset: int = 0) -> Reader:
        """Return a reader of the body from ``offset`` on."""
        reader = self.body.open(offset)
        self.moved(offset - self._position)
        return _ProgressReader(reader, self)

    def verify(self) -> None:
        """Raise SourceError unless the bytes are those of the blob, if that is not known, and CancelledError."""
        if needs_verifying(self.body):
            self.body.verify(self.check)

    def moved(self, count: int) -> None:
        """Count bytes that were read."""
        self._position += count
        self._count(count)

    def forget(self) -> None:
        """Count nothing of what was read, as nobody needs it."""
        self.moved(-self._position)


class _ProgressReader:
    def __init__(self, reader: Reader, body: ProgressBody) -> None:
        self._reader = reader
        self._body = body

    def readinto(self, buffer: memoryview) -> int:
        self._body.check()
        count = self._reader.readinto(buffer)
        self._body.moved(count)
        return count

    def close(self) -> None:
        self._reader.close()
