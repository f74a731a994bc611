# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compressing layers: the fastest library that is there, and always the same bytes on one machine.

Sources: RFC 1952 (gzip), RFC 8878 (zstd); OCI Image Format Specification 1.1, "Image Layer Filesystem Changeset".
"""

from __future__ import annotations

import os
import re
import zlib
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Callable, Protocol

from .._errors import InvalidOptionError, MissingLibraryError

GZIP, ZSTD, BZIP2, XZ, NONE = "gzip", "zstd", "bzip2", "xz", "none"

_WITH_GZIP_HEADER = 31
_MAGIC = ((b"\x1f\x8b", GZIP), (b"\x28\xb5\x2f\xfd", ZSTD), (b"BZh", BZIP2), (b"\xfd7zXZ\x00", XZ))
# A skippable frame (RFC 8878, section 3.1.2): pzstd begins with one.
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)
_ISAL_LEVELS = range(4)
_ISAL_DEFAULT = 2
# With level 1, zlib-ng makes a layer a sixth larger than others do.
_ZLIB_NG_DEFAULT = 2
_ZLIB_DEFAULT = 1
_ZSTD_DEFAULT = 3


class Stream(Protocol):
    """One compression: blocks in, blocks out."""

    def compress(self, block: memoryview) -> bytes:
        """Take a block; return what is ready, perhaps nothing."""

    def flush(self) -> bytes:
        """Return the rest."""


@dataclass(frozen=True)
class Compressor:
    """How layers are compressed; the same ``identity`` makes the same bytes of the same layer."""

    kind: str
    identity: str
    begin: Callable[[], Stream] = field(repr=False)


class _Plain:
    def compress(self, block: memoryview) -> bytes:
        return bytes(block)

    def flush(self) -> bytes:
        return b""


def choose_compressor(kind: str = GZIP, level: int | None = None) -> Compressor:
    """Return the compressor that is meant; raises InvalidOptionError for its level, MissingLibraryError for zstd."""
    if kind == NONE:
        return Compressor(NONE, NONE, _Plain)
    return _zstd(level) if kind == ZSTD else _gzip(level)


def compression_of(start: bytes) -> str:
    """Return how a file is compressed, from its first bytes: ``none`` for a tar archive as it is."""
    if _SKIPPABLE.match(start):
        return ZSTD
    return next((kind for magic, kind in _MAGIC if start.startswith(magic)), NONE)


def _gzip(level: int | None) -> Compressor:
    if level is not None and not 0 <= level <= 9:
        raise InvalidOptionError("compression_level is a number from 0 to 9 for gzip")
    # A level beyond those of isal asks for a smaller result, which only the slower libraries give.
    isal = _found("isal.isal_zlib") if level is None or level in _ISAL_LEVELS else None
    if isal is not None:
        return _isal(isal, _ISAL_DEFAULT if level is None else level)
    newer = _found("zlib_ng.zlib_ng")
    if newer is not None:
        return _in_blocks(newer, f"zlib_ng {_version('zlib_ng')}", _ZLIB_NG_DEFAULT if level is None else level)
    return _in_blocks(zlib, f"zlib {zlib.ZLIB_RUNTIME_VERSION}", _ZLIB_DEFAULT if level is None else level)


def _isal(module: Any, level: int) -> Compressor:
    def begin() -> Stream:
        stream: Stream = module.compressobj(level, module.DEFLATED, _WITH_GZIP_HEADER)
        return stream

    return Compressor(GZIP, f"gzip isal.isal_zlib {_version('isal')} level {level}", begin)


def _in_blocks(module: Any, name: str, level: int) -> Compressor:
    from .gzip_blocks import BlockWorkers, GzipBlocks  # with isal, nothing of this is needed

    workers = BlockWorkers(cores())
    return Compressor(GZIP, f"gzip {name} level {level} in blocks", lambda: GzipBlocks(module, level, workers))


def _zstd(level: int | None) -> Compressor:
    level = _ZSTD_DEFAULT if level is None else level
    if not 1 <= level <= 19:
        raise InvalidOptionError("compression_level is a number from 1 to 19 for zstd")
    own = _found("compression.zstd") or _found("backports.zstd")
    if own is not None:
        return Compressor(ZSTD, f"zstd {own.zstd_version} level {level}", lambda: own.ZstdCompressor(level))
    other = _found("zstandard")
    if other is None:
        raise MissingLibraryError("zstandard", "to compress layers with zstd")
    version = ".".join(str(number) for number in other.ZSTD_VERSION)
    return Compressor(ZSTD, f"zstd {version} level {level}", lambda: other.ZstdCompressor(level=level).compressobj())


def _found(name: str) -> Any | None:
    try:
        return import_module(name)
    except ImportError:
        return None


def _version(name: str) -> str:
    return str(getattr(import_module(name), "__version__", "unknown"))


def cores() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def heap_trimmer() -> Callable[[], object]:
    """Return what gives free memory back to the system; it does nothing where the C library has no such thing.

    ``isal`` makes its results in buffers of 128 KiB and more and shrinks them. With glibc, the small rests of that keep
    large blocks apart from one another, so that they are never used again, and memory grows with the image. Source:
    malloc_trim(3), which gives the pages of free blocks back, wherever in the heap they are.
    """
    try:
        import ctypes

        trim = ctypes.CDLL(None).malloc_trim
    except (ImportError, OSError, AttributeError):
        return lambda: None
    return lambda: trim(0)
