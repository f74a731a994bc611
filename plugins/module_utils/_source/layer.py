# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A layer of an archive becomes a blob: compressed into a file, or used in place where it is compressed already."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Iterator

from .._compression.compressors import GZIP, NONE, ZSTD, Compressor, compression_of, heap_trimmer
from .._compression.decompressors import DamagedError, decompressed_blocks
from .._errors import CancelledError, SourceError
from .._http.message import BLOCK_SIZE, Body
from .._oci.archive_config import layer_type
from .._oci.model import Descriptor, new_hash
from .base import altered, truncated
from .growing import GrowingFile
from .local_file import Part, TemporaryFile

# Blocks between two times that the heap is trimmed: 4 MiB, which is as much as it can grow meanwhile.
_TRIM_EVERY = 16
_SHA256 = "sha256:"


@dataclass
class Layer:
    """A layer that has become a blob; ``compressed`` is whether that was done here, into a file of its own."""

    descriptor: Descriptor
    part: Part | None
    compressed: bool = False

    def body(self) -> Body:
        """Return the body of the blob, which was hashed a moment ago; raises SourceError once it was released."""
        if self.part is None:
            raise SourceError(f"the layer {self.descriptor.digest} was released already")
        return self.part

    def release(self) -> None:
        """Let go of the file, whose room is free when the last upload has closed it."""
        self.part = None


class _Stored:
    """The bytes of a layer as they are stored; hashed while they are read where they are what is pushed."""

    def __init__(self, part: Part, where: str, stopped: threading.Event, hashed: bool) -> None:
        self._part = part
        self._where = where
        self._stopped = stopped
        self._reader = part.open()
        self._hash = new_hash(_SHA256) if hashed else None
        self._count = 0

    def fill(self, buffer: memoryview) -> int:
        """Fill the buffer; return the number of bytes, 0 at the end; raises SourceError and CancelledError."""
        if self._stopped.is_set():
            raise CancelledError("left as it was, as another zone failed")
        count = self._reader.readinto(buffer)
        if not count and self._count < self._part.size:
            raise truncated(Descriptor("", "", self._part.size), self._where, self._count)
        if self._hash is not None:
            self._hash.update(buffer[:count])
        self._count += count
        return count

    def blocks(self) -> Iterator[memoryview]:
        """Yield all bytes, each block in the same buffer."""
        buffer = memoryview(bytearray(BLOCK_SIZE))
        while count := self.fill(buffer):
            yield buffer[:count]

    def digest(self) -> str:
        """Return the digest of all bytes, also of those behind the end of what is compressed."""
        for _block in self.blocks():
            pass
        return f"{_SHA256}{self._hash.hexdigest() if self._hash else ''}"


def make_layer(
    part: Part,
    diff_id: str,
    compressor: Compressor,
    directory: str,
    where: str,
    stopped: threading.Event,
    growing: GrowingFile | None = None,
) -> Layer:
    """Return the layer as a blob; a gzip or zstd stays as it is, anything else is compressed into ``directory``.

    ``growing`` is told how much of that there is, before anything is checked.
    The unpacked bytes are compared with ``diff_id`` (OCI Image Format Specification 1.1, "Layer DiffID").
    Raises SourceError, LocalStorageError, MissingLibraryError, and CancelledError once ``stopped`` is set.
    """
    kind = compression_of(part.beginning(8))
    stored = _Stored(part, where, stopped, hashed=kind in (GZIP, ZSTD))
    plain = stored.blocks() if kind == NONE else _unpacked(stored, kind, where, stopped)
    if kind in (GZIP, ZSTD) or kind == compressor.kind:
        _check(diff_id, _hashed(plain, diff_id), where)
        digest = diff_id if kind == NONE else stored.digest()
        return Layer(Descriptor(layer_type(kind), digest, part.size), part)
    return _compressed(plain, diff_id, compressor, TemporaryFile(directory, where), where, growing)


def _compressed(
    plain: Iterator[memoryview],
    diff_id: str,
    compressor: Compressor,
    file: TemporaryFile,
    where: str,
    growing: GrowingFile | None,
) -> Layer:
    unpacked, packed, size = new_hash(diff_id), new_hash(_SHA256), 0
    stream, trim = compressor.begin(), heap_trimmer()
    for number, block in enumerate(plain, 1):
        unpacked.update(block)
        ready = stream.compress(block)
        packed.update(ready)
        size += file.write(ready)
        if number % _TRIM_EVERY == 0:
            trim()
            if growing is not None:
                growing.grow(file, size)
    ready = stream.flush()
    packed.update(ready)
    size += file.write(ready)
    _check(diff_id, unpacked, where)
    descriptor = Descriptor(layer_type(compressor.kind), f"{_SHA256}{packed.hexdigest()}", size)
    return Layer(descriptor, Part(file, 0, size), compressed=True)


def _unpacked(stored: _Stored, kind: str, where: str, stopped: threading.Event) -> Iterator[memoryview]:
    try:
        for block in decompressed_blocks(kind, stored.fill):
            # A little of what is stored may become a lot, during which nothing is read.
            if stopped.is_set():
                raise CancelledError("left as it was, as another zone failed")
            yield memoryview(block)
    except DamagedError as error:
        raise SourceError(f"{where} is damaged: {error}") from None


def _hashed(blocks: Iterator[memoryview], diff_id: str) -> Any:
    digest = new_hash(diff_id)
    for block in blocks:
        digest.update(block)
    return digest


def _check(diff_id: str, found: Any, where: str) -> None:
    digest = f"{diff_id.partition(':')[0]}:{found.hexdigest()}"
    if digest != diff_id:
        raise altered(Descriptor("", diff_id, 0), where, digest)
