# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive that was compressed as a whole: it cannot be read at random, so it is written out once."""

from __future__ import annotations

import os
import tempfile
from importlib import import_module
from typing import Any, BinaryIO

from .._compression.compressors import NONE, compression_of
from .._errors import MissingLibraryError, SourceError
from .._http.message import BLOCK_SIZE
from .file_blob import unreadable

_OPENERS = {
    "gzip": ("gzip",),
    "bzip2": ("bz2",),
    "xz": ("lzma",),
    "zstd": ("compression.zstd", "backports.zstd", "zstandard"),
}


def decompressed(path: str, directory: str, description: str) -> str:
    """Return the path of the archive as it is, or of a copy in ``directory`` that the caller removes.

    Raises SourceError, and MissingLibraryError for zstd without its library.
    """
    try:
        with open(path, "rb") as file:
            kind = compression_of(file.read(8))
            if kind == NONE:
                return path
    except OSError as error:
        raise unreadable(path, error) from None
    opener = _opener(kind)
    handle, copy = tempfile.mkstemp(prefix="archive-", suffix=".tar", dir=directory)
    try:
        with os.fdopen(handle, "wb") as written, open(path, "rb") as compressed:
            _copy(opener(compressed), written)
    except BaseException as error:
        os.unlink(copy)
        if isinstance(error, OSError) and error.errno is not None:
            raise SourceError(f"{description} cannot be decompressed: {error.strerror}") from None
        if isinstance(error, Exception):
            raise SourceError(f"{description} is damaged: its {kind} stream ends too early or is altered") from None
        raise
    return copy


def _opener(kind: str) -> Any:
    for name in _OPENERS[kind]:
        try:
            return import_module(name).open
        except ImportError:
            continue
    raise MissingLibraryError("zstandard", f"to read an archive that is compressed with {kind}")


def _copy(stream: Any, written: BinaryIO) -> None:
    while block := stream.read(BLOCK_SIZE):
        written.write(block)
