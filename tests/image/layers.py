# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers: deterministic tar streams, made block by block so that a layer of gigabytes needs no memory.

Source: OCI image specification, "Image Layer Filesystem Changeset".
"""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

BLOCK = 1 << 20
RECORD = 512


def random_layer(size: int, seed: object = 0, path: str = "data") -> Iterator[bytes]:
    """Yield an uncompressed layer with one file of ``size`` bytes that no compressor makes smaller."""
    source = random.Random(str(seed))
    yield _header(path, size)
    left = size
    while left:
        block = source.randbytes(min(BLOCK, left))
        left -= len(block)
        yield block
    yield _padding(size)
    yield bytes(2 * RECORD)


def file_layer(files: Mapping[str, bytes | Path]) -> Iterator[bytes]:
    """Yield an uncompressed layer with these files: path in the image -> content or a file to copy."""
    for path, content in sorted(files.items()):
        if isinstance(content, Path):
            yield from _copied(path, content)
        else:
            yield _header(path, len(content))
            yield content
            yield _padding(len(content))
    yield bytes(2 * RECORD)


def gzipped(blocks: Iterable[bytes], level: int = 6) -> Iterator[bytes]:
    """Yield the stream compressed by gzip, without a name or a time in it, so that it is deterministic."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=level, fileobj=buffer, mtime=0) as stream:
        for block in blocks:
            stream.write(block)
            if buffer.tell() >= BLOCK:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
    yield buffer.getvalue()


def _copied(path: str, source: Path) -> Iterator[bytes]:
    size = source.stat().st_size
    executable = bool(source.stat().st_mode & 0o111)
    yield _header(path, size, 0o755 if executable else 0o644)
    with source.open("rb") as stream:
        left = size
        while left:
            block = stream.read(min(BLOCK, left))
            if not block:
                raise OSError(f"{source} became shorter while it was read")
            left -= len(block)
            yield block
    yield _padding(size)


def _header(path: str, size: int, mode: int = 0o644) -> bytes:
    member = tarfile.TarInfo(path)
    member.size = size
    member.mode = mode
    return member.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % RECORD)
