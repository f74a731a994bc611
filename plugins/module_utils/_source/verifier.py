# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checking a blob against its digest while several uploads read it, hashing every byte once."""

from __future__ import annotations

import threading
from typing import Callable

from .._errors import SourceError
from .._http.message import BLOCK_SIZE, Reader
from .._oci.model import Descriptor, new_hash


class Verifier:
    """The digest of a blob in the making: whoever is furthest ahead hashes; safe for several threads."""

    def __init__(self, descriptor: Descriptor, where: str) -> None:
        self._descriptor = descriptor
        self._where = where
        self._lock = threading.Lock()
        self._hash = new_hash(descriptor.digest)
        self._position = 0
        self._verified = False

    def feed(self, offset: int, block: memoryview) -> None:
        """Take a block of the blob, if it is the next one that was not hashed yet."""
        with self._lock:
            if offset == self._position and not self._verified:
                self._hash.update(block)
                self._position += len(block)

    def finish(self, open_at: Callable[[int], Reader]) -> None:
        """Raise SourceError unless the whole blob is what its digest says, reading on where nobody has."""
        with self._lock:
            if self._verified:
                return
            if self._position < self._descriptor.size:
                self._read_on(open_at(self._position))
            algorithm = self._descriptor.digest.partition(":")[0]
            found = f"{algorithm}:{self._hash.hexdigest()}"
            if self._position != self._descriptor.size or found != self._descriptor.digest:
                self._hash, self._position = new_hash(self._descriptor.digest), 0
                raise altered(self._descriptor, self._where, found)
            self._verified = True

    def _read_on(self, reader: Reader) -> None:
        buffer = memoryview(bytearray(BLOCK_SIZE))
        try:
            while count := reader.readinto(buffer):
                self._hash.update(buffer[:count])
                self._position += count
        finally:
            reader.close()


def blob_name(descriptor: Descriptor, description: str) -> str:
    """Return what messages call a blob of a source."""
    return f"the blob {descriptor.digest} of {description}"


def altered(descriptor: Descriptor, where: str, found: str) -> SourceError:
    """Return the problem of a blob that is not what its digest says."""
    return SourceError(f"{where} is altered: it should be {descriptor.digest} and is {found}")


def truncated(descriptor: Descriptor, where: str, size: int) -> SourceError:
    """Return the problem of a blob that is not as long as its descriptor says."""
    kind = "truncated" if size < descriptor.size else "too long"
    return SourceError(f"{where} is {kind}: it has {size} bytes and should have {descriptor.size}")
