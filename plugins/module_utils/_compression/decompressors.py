# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what is compressed, in bounded memory, over all members and frames that a file has.

Sources: RFC 1952, section 2.2 (a gzip file is a series of members); RFC 8878, section 3.1 (frames, skippable frames);
xz-file-format(5), "Stream padding".
"""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any, Callable, Iterator

from .._errors import AppuioError, MissingLibraryError
from .compressors import BZIP2, GZIP, NONE, XZ, ZSTD

_BLOCK = 256 * 1024
_OPENERS = {GZIP: ("isal.igzip", "gzip"), BZIP2: ("bz2",)}
# What xz -9 needs, twice; the format allows 4 GiB.
_XZ_MEMORY = 160 * 1024 * 1024


class DamagedError(ValueError):
    """A compressed stream ends too early or is altered."""


class _Raw(io.RawIOBase):
    """The compressed bytes as the file that the libraries want."""

    def __init__(self, fill: Callable[[memoryview], int]) -> None:
        self._fill = fill

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._fill(memoryview(buffer).cast("B"))


def decompressed_blocks(kind: str, fill: Callable[[memoryview], int]) -> Iterator[bytes]:
    """Yield what the bytes become that ``fill`` gives (0 at their end), in blocks of at most 256 KiB.

    Raises DamagedError, MissingLibraryError for zstd without its library, and what ``fill`` raises.
    """
    raw = _Raw(fill)
    try:
        stream = raw if kind == NONE else _XzStream(raw) if kind == XZ else _opened(kind, raw)
        while block := stream.read(_BLOCK):
            yield block
    except AppuioError:
        raise
    except MemoryError:
        raise DamagedError("needs too much memory") from None
    except Exception as error:
        # Each library has its own class for a damaged stream: EOFError, OSError, zlib.error, LZMAError, ZstdError.
        raise DamagedError(f"its {kind} stream ends too early or is altered ({error})") from None


def _opened(kind: str, raw: _Raw) -> Any:
    if kind == ZSTD:
        return _zstd(raw)
    for name in _OPENERS[kind]:
        try:
            return import_module(name).open(raw, "rb")
        except ImportError:
            continue
    raise MissingLibraryError(_OPENERS[kind][-1], f"to read what is compressed with {kind}")


def _zstd(raw: _Raw) -> Any:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(name).open(raw, "rb")
        except ImportError:
            continue
    try:
        other = import_module("zstandard")
    except ImportError:
        raise MissingLibraryError("zstandard", "to read what is compressed with zstd") from None
    return other.ZstdDecompressor().stream_reader(raw, read_across_frames=True)


class _XzStream:
    """lzma.open with a bound on memory, which that does not have."""

    def __init__(self, raw: _Raw) -> None:
        self._raw = raw
        self._stream: Any = None
        self._rest = b""

    def read(self, size: int) -> bytes:
        import lzma

        while True:
            if not self._rest and (self._stream is None or self._stream.needs_input):
                self._rest = self._raw.read(_BLOCK) or b""
                if not self._rest:
                    if self._stream is not None:
                        raise EOFError("the file ends within a stream")
                    return b""
            if self._stream is None:
                # Streams may follow one another, with zeros between and behind them.
                self._rest = self._rest.lstrip(b"\0")
                if not self._rest:
                    continue
                self._stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
            block: bytes = self._stream.decompress(self._rest, size)
            self._rest = b""
            if self._stream.eof is True:
                self._rest, self._stream = self._stream.unused_data, None
            if block:
                return block
