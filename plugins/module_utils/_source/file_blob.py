# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A blob in a file: its size is checked when it is opened and read, its digest where no registry does that."""

from __future__ import annotations

import threading
from typing import Callable

from .._http.message import BLOCK_SIZE, Reader
from .._oci.model import Descriptor, new_hash
from .base import altered, truncated
from .local_file import Part


class FileBlob:
    """The body of a blob that is sent as it is in a file; ``where`` names it in messages.

    Nothing is hashed while it is sent: the registry does that, and names the digest that it has stored. ``verify`` is
    for where it does not. Raises SourceError for a blob of another size, or with a digest that registries do not take.
    """

    def __init__(self, part: Part, descriptor: Descriptor, where: str) -> None:
        self._descriptor = descriptor
        self._where = where
        self._part = part
        self._nothing_hashed = new_hash(descriptor.digest)
        self._lock = threading.Lock()
        self._digest: str | None = None
        if part.size != descriptor.size:
            raise truncated(descriptor, where, part.size)

    @property
    def length(self) -> int:
        """Bytes of the blob."""
        return self._descriptor.size

    def open(self, offset: int = 0) -> Reader:
        """Return a reader; it raises SourceError where the file has become shorter."""
        return _CompleteReader(self._part.open(offset), offset, self._descriptor, self._where)

    def verify(self, check: Callable[[], None]) -> None:
        """Raise SourceError unless the file is what its digest says; it is read once, whoever asks how often.

        ``check`` raises CancelledError where nobody needs to know.
        """
        # Who comes second waits for what the first one finds.
        with self._lock:
            if self._digest is None:
                self._digest = self._computed(check)
        if self._digest != self._descriptor.digest:
            raise altered(self._descriptor, self._where, self._digest)

    def _computed(self, check: Callable[[], None]) -> str:
        found, reader, buffer = self._nothing_hashed.copy(), self.open(), memoryview(bytearray(BLOCK_SIZE))
        try:
            while count := reader.readinto(buffer):
                check()
                found.update(buffer[:count])
        finally:
            reader.close()
        return f"{self._descriptor.digest.partition(':')[0]}:{found.hexdigest()}"


class _CompleteReader:
    """Gives all bytes of a blob, or raises SourceError."""

    def __init__(self, plain: Reader, offset: int, descriptor: Descriptor, where: str) -> None:
        self._plain = plain
        self._offset = offset
        self._descriptor = descriptor
        self._where = where

    def readinto(self, buffer: memoryview) -> int:
        count = self._plain.readinto(buffer)
        if not count and self._offset < self._descriptor.size:
            raise truncated(self._descriptor, self._where, self._offset)
        self._offset += count
        return count

    def close(self) -> None:
        self._plain.close()
