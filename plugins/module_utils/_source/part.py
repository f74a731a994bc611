# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of a file as the body of a request, read in place by as many uploads as there are."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from .._errors import SourceError
from .._http.message import Reader
from .local_file import File


@dataclass(frozen=True)
class Extent:
    """Bytes of a sparse file that are stored: ``offset`` in the file, ``start`` where they lie."""

    offset: int
    start: int
    size: int


@dataclass(frozen=True)
class Part:
    """``size`` bytes of a file from ``start`` on; of a sparse one the ``extents``, in order, and zeros between them."""

    file: File
    start: int
    size: int
    extents: tuple[Extent, ...] | None = None

    @property
    def length(self) -> int:
        """Bytes of the part."""
        return self.size

    def open(self, offset: int = 0) -> Reader:
        """Return a reader that checks nothing; raises SourceError."""
        return _PartReader(self, offset)

    def content(self, limit: int, where: str) -> bytes:
        """Return all bytes; raises SourceError for more than ``limit``, and where the file is shorter."""
        if self.size > limit:
            raise SourceError(f"{where} has {self.size} bytes, and no document of an image has more than {limit}")
        content, got = bytearray(self.size), 0
        reader = self.open()
        with memoryview(content) as view:
            while got < self.size:
                count = reader.readinto(view[got:])
                if not count:
                    raise SourceError(f"{where} is truncated: it has {got} bytes and should have {self.size}")
                got += count
        reader.close()
        return bytes(content)

    def beginning(self, size: int) -> bytes:
        """Return the first bytes, fewer where there are no more; raises SourceError."""
        buffer = bytearray(min(size, self.size))
        with memoryview(buffer) as view:
            count = self.open().readinto(view) if buffer else 0
        return bytes(buffer[:count])


class _PartReader:
    def __init__(self, part: Part, offset: int) -> None:
        self._part = part
        self._file = part.file.opened()
        self._offset = offset
        self._starts = [extent.offset for extent in part.extents or ()]

    def readinto(self, buffer: memoryview) -> int:
        wanted = min(len(buffer), self._part.size - self._offset)
        if wanted <= 0:
            return 0
        if self._part.extents is None:
            count = self._file.read_at(buffer[:wanted], self._part.start + self._offset)
        else:
            count = self._sparse(buffer[:wanted], self._part.extents)
        self._offset += count
        return count

    def _sparse(self, buffer: memoryview, extents: tuple[Extent, ...]) -> int:
        number = bisect_right(self._starts, self._offset) - 1
        if number >= 0:
            extent = extents[number]
            into = self._offset - extent.offset
            if into < extent.size:
                return self._file.read_at(buffer[: extent.size - into], extent.start + into)
        following = self._starts[number + 1] if number + 1 < len(extents) else self._part.size
        count = min(len(buffer), following - self._offset)
        buffer[:count] = bytes(count)
        return count

    def close(self) -> None:
        del self._file
