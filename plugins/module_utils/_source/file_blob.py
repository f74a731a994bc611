# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A blob of a layout or a directory: the bytes of a file, checked against their digest while they are read."""

from __future__ import annotations

from .._http.message import Reader
from .._oci.model import Descriptor
from .part import Part
from .verifier import Verifier, truncated


class FileBlob:
    """The body of a blob; ``where`` names it in messages; raises SourceError for one of another size."""

    def __init__(self, part: Part, descriptor: Descriptor, where: str) -> None:
        self.descriptor = descriptor
        self.where = where
        self.verifier = Verifier(descriptor, where)
        self.part = part
        if part.size != descriptor.size:
            raise truncated(descriptor, where, part.size)

    @property
    def length(self) -> int:
        """Bytes of the blob."""
        return self.descriptor.size

    def open(self, offset: int = 0) -> Reader:
        """Return a reader that checks what it gives; raises SourceError."""
        return _VerifiedReader(self, offset)


class _VerifiedReader:
    """Gives the last block only when the whole blob is known to be what its digest says."""

    def __init__(self, blob: FileBlob, offset: int) -> None:
        self._blob = blob
        self._offset = offset
        self._plain = blob.part.open(offset)

    def readinto(self, buffer: memoryview) -> int:
        count = self._plain.readinto(buffer)
        size = self._blob.length
        if count == 0:
            if self._offset < size:
                raise truncated(self._blob.descriptor, self._blob.where, self._offset)
            if size == 0:
                self._blob.verifier.finish(self._blob.part.open)
            return 0
        self._blob.verifier.feed(self._offset, buffer[:count])
        self._offset += count
        if self._offset == size:
            self._blob.verifier.finish(self._blob.part.open)
        return count

    def close(self) -> None:
        self._plain.close()
