# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A layer of an archive becomes a blob: compressed into a file, or used in place where it is compressed already."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from dataclasses import dataclass
from typing import Iterator

from .._compression.compressors import GZIP, NONE, ZSTD, Compressor, compression_of
from .._compression.heap import heap_trimmer
from .._errors import SourceError
from .._http.message import BLOCK_SIZE, Body
from .._oci.archive_config import layer_type
from .._oci.model import Descriptor
from .file_blob import Part, PartBody, unreadable
from .verifier import altered, truncated

# Blocks between two times that the heap is trimmed: 4 MiB, which is as much as it can grow meanwhile.
_TRIM_EVERY = 16


@dataclass
class Layer:
    """A layer that has become a blob; ``temporary`` is the file that was written for it, if any."""

    descriptor: Descriptor
    part: Part
    temporary: str | None = None

    def body(self) -> Body:
        """Return the body of the blob; it was hashed a moment ago and is not hashed again."""
        return PartBody(self.part)

    def release(self) -> None:
        """Remove the file that was written."""
        if self.temporary is not None:
            try:
                os.unlink(self.temporary)
            except FileNotFoundError:
                pass
            self.temporary = None


class Stopped(Exception):
    """Nobody needs the layer any more."""


def start_of(part: Part) -> str:
    """Return how the file of a layer is compressed, from its first bytes; raises SourceError."""
    try:
        with open(part.path, "rb") as file:
            file.seek(part.start)
            return compression_of(file.read(min(8, part.size)))
    except OSError as error:
        raise unreadable(part.path, error) from None


def make_layer(
    part: Part, diff_id: str, compressor: Compressor, directory: str, where: str, stopped: threading.Event
) -> Layer:
    """Return the layer as a blob; raises SourceError for one that is not what its ``diff_id`` says, and Stopped."""
    kind = start_of(part)
    if kind in (GZIP, ZSTD):
        return Layer(_hashed(part, layer_type(kind), where, stopped), part)
    if kind != NONE:
        raise SourceError(f"{where} is compressed with {kind}, which registries do not take")
    if compressor.kind == NONE:
        descriptor = _hashed(part, layer_type(NONE), where, stopped)
        if descriptor.digest != diff_id:
            raise altered(Descriptor("", diff_id, part.size), where, descriptor.digest)
        return Layer(descriptor, part)
    return _compressed(part, diff_id, compressor, directory, where, stopped)


def _compressed(
    part: Part, diff_id: str, compressor: Compressor, directory: str, where: str, stopped: threading.Event
) -> Layer:
    handle, path = tempfile.mkstemp(prefix="layer-", dir=directory)
    plain, packed, size = hashlib.sha256(), hashlib.sha256(), 0
    stream, trim = compressor.begin(), heap_trimmer()
    try:
        with os.fdopen(handle, "wb") as written:
            for number, block in enumerate(_blocks(part, where, stopped), 1):
                plain.update(block)
                ready = stream.compress(block)
                packed.update(ready)
                size += written.write(ready)
                if number % _TRIM_EVERY == 0:
                    trim()
            ready = stream.flush()
            packed.update(ready)
            size += written.write(ready)
        found = f"sha256:{plain.hexdigest()}"
        if found != diff_id:
            raise altered(Descriptor("", diff_id, part.size), where, found)
    except BaseException as error:
        os.unlink(path)
        if isinstance(error, OSError):
            raise SourceError(f"{where} cannot be compressed into {directory}: {error.strerror or error}") from None
        raise
    descriptor = Descriptor(layer_type(compressor.kind), f"sha256:{packed.hexdigest()}", size)
    return Layer(descriptor, Part(path, 0, size), path)


def _hashed(part: Part, media_type: str, where: str, stopped: threading.Event) -> Descriptor:
    digest = hashlib.sha256()
    for block in _blocks(part, where, stopped):
        digest.update(block)
    return Descriptor(media_type, f"sha256:{digest.hexdigest()}", part.size)


def _blocks(part: Part, where: str, stopped: threading.Event) -> Iterator[memoryview]:
    """Yield the bytes of a part, each block in the same buffer."""
    buffer = memoryview(bytearray(BLOCK_SIZE))
    left = part.size
    try:
        with open(part.path, "rb", buffering=0) as file:
            file.seek(part.start)
            while left:
                if stopped.is_set():
                    raise Stopped
                count = file.readinto(buffer[: min(BLOCK_SIZE, left)])
                if not count:
                    raise truncated(Descriptor("", "", part.size), where, part.size - left)
                left -= count
                yield buffer[:count]
    except OSError as error:
        raise unreadable(part.path, error) from None
