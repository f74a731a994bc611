# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A blob that lies in a file, or in a part of one, read in place by as many uploads as there are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO

from .._errors import SourceError
from .._http.message import Reader
from .._oci.model import Descriptor
from .verifier import Verifier, truncated


class _PlainReader:
    """The bytes of a part of a file, as they are."""

    def __init__(self, path: str, start: int, end: int) -> None:
        self._path = path
        self._left = end - start
        try:
            self._file: BinaryIO = open(path, "rb", buffering=0)  # noqa: SIM115
            self._file.seek(start)
        except OSError as error:
            raise unreadable(path, error) from None

    def readinto(self, buffer: memoryview) -> int:
        try:
            count = self._file.readinto(buffer[: min(len(buffer), self._left)]) or 0  # type: ignore[attr-defined]
        except OSError as error:
            raise unreadable(self._path, error) from None
        self._left -= count
        return int(count)

    def close(self) -> None:
        self._file.close()


class _VerifiedReader:
    """Gives the last block only when the whole blob is known to be what its digest says."""

    def __init__(self, blob: FileBlob, offset: int) -> None:
        self._blob = blob
        self._offset = offset
        self._plain = blob.plain(offset)

    def readinto(self, buffer: memoryview) -> int:
        count = self._plain.readinto(buffer)
        size = self._blob.length
        if count == 0:
            if self._offset < size:
                raise truncated(self._blob.descriptor, self._blob.where, self._offset)
            if size == 0:
                self._blob.verifier.finish(self._blob.plain)
            return 0
        self._blob.verifier.feed(self._offset, buffer[:count])
        self._offset += count
        if self._offset == size:
            self._blob.verifier.finish(self._blob.plain)
        return count

    def close(self) -> None:
        self._plain.close()


class FileBlob:
    """The body of a blob at ``start`` in a file; ``where`` names it in messages."""

    def __init__(self, path: str, descriptor: Descriptor, where: str, start: int = 0, size: int | None = None) -> None:
        self.descriptor = descriptor
        self.where = where
        self.verifier = Verifier(descriptor, where)
        self._path = path
        self._start = start
        try:
            there = os.stat(path).st_size if size is None else size
        except OSError as error:
            raise unreadable(path, error) from None
        if there != descriptor.size:
            raise truncated(descriptor, where, there)

    @property
    def length(self) -> int:
        """Bytes of the blob."""
        return self.descriptor.size

    def open(self, offset: int = 0) -> Reader:
        """Return a reader that checks what it gives; raises SourceError."""
        return _VerifiedReader(self, offset)

    def plain(self, offset: int) -> Reader:
        """Return a reader that checks nothing."""
        return PartBody(Part(self._path, self._start, self.descriptor.size)).open(offset)


@dataclass(frozen=True)
class Part:
    """Where the bytes of a file are: in another file, from ``start`` on."""

    path: str
    start: int
    size: int


@dataclass(frozen=True)
class PartBody:
    """The bytes of a part as they are, as the body of a request."""

    part: Part

    @property
    def length(self) -> int:
        """Bytes of the part."""
        return self.part.size

    def open(self, offset: int = 0) -> Reader:
        """Return a reader that checks nothing."""
        return _PlainReader(self.part.path, self.part.start + offset, self.part.start + self.part.size)


def unreadable(path: str, error: OSError) -> SourceError:
    """Return the problem of a file that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return SourceError(f"{path} does not exist")
    return SourceError(f"{path} cannot be read: {error.strerror or error}")
