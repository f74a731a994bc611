# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that is sent while it is written: what there is of it, and when there is more."""

from __future__ import annotations

import threading

from .._http.message import Reader
from .local_file import Part, TemporaryFile

# Less than this waits for the whole file. A store of objects keeps each request as a part, and takes no smaller ones.
SMALLEST_PART = 8 * 1024 * 1024
# More than this would still be under way when it has turned out that nobody needs the file.
LARGEST_PART = 32 * 1024 * 1024


class GrowingFile:
    """A file that one thread writes and others wait for."""

    def __init__(self) -> None:
        # Guards all below, and wakes who waits when the file has grown, or will grow no more.
        self._grown = threading.Condition()
        self._there: Part | None = None
        self._ended = False

    def grow(self, file: TemporaryFile, size: int) -> None:
        """Announce that the file has so many bytes."""
        with self._grown:
            self._there = Part(file, 0, size)
            self._grown.notify_all()

    def end(self) -> None:
        """Announce that it grows no more, whatever became of it, and let go of it."""
        with self._grown:
            self._ended, self._there = True, None
            self._grown.notify_all()

    def wait(self, size: int) -> Part | None:
        """Return what there is when it has ``size`` bytes; None when it has ended."""
        with self._grown:
            self._grown.wait_for(lambda: self._ended or (self._there is not None and self._there.size >= size))
            return self._there


class GrowingBody:
    """What one upload sends of a growing file; it is a body when ``grows`` has returned True."""

    _part: Part

    def __init__(self, file: GrowingFile) -> None:
        self._file = file

    @property
    def length(self) -> int:
        """Bytes of what is there, as far as it is to be sent now."""
        return self._part.size

    def grows(self, offset: int) -> bool:
        """Wait until there is enough behind the offset for a request; return False when the file has ended."""
        there = self._file.wait(offset + SMALLEST_PART)
        if there is None:
            return False
        self._part = there._replace(size=min(there.size, offset + LARGEST_PART))
        return True

    def open(self, offset: int = 0) -> Reader:
        """Return a reader of what is there now; raises SourceError."""
        return self._part.open(offset)
