# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive that was compressed as a whole: it cannot be read at random, so it is written out once."""

from __future__ import annotations

from .._compression.compressors import NONE, compression_of
from .._compression.decompressors import DamagedError, decompressed_blocks
from .._errors import SourceError
from .local_file import OpenFile, TemporaryFile, open_file
from .part import Part


def decompressed(path: str, directory: str, description: str) -> OpenFile:
    """Return the archive as it is, or a copy without a name in ``directory``.

    Raises SourceError, LocalStorageError, and MissingLibraryError for zstd without its library.
    """
    file = open_file(path)
    part = Part(file, 0, file.size)
    kind = compression_of(part.beginning(8))
    if kind == NONE:
        return file
    copy = TemporaryFile(directory, f"the unpacked {description}")
    try:
        for block in decompressed_blocks(kind, part.open().readinto):
            copy.write(block)
    except DamagedError as error:
        raise SourceError(f"{description} is damaged: {error}") from None
    if not copy.size:
        # The library zstandard says nothing of a frame that is cut.
        raise SourceError(f"{description} is damaged: its {kind} stream ends before anything could be read")
    return copy
