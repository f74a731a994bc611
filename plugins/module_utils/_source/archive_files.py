# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a source in a tar archive that is indexed once and read in place."""

from __future__ import annotations

import os
import posixpath
import threading
from typing import Mapping

from .._errors import SourceError
from .._oci.model import MissingContentError
from .files import looked_for
from .local_file import OpenFile, Part, TemporaryFile, open_file
from .tar_index import index_tar, member_path


class Archive:
    """Files in a tar archive, which is never unpacked; one that is compressed is decompressed into ``directory``."""

    def __init__(self, path: str, description: str, directory: str) -> None:
        self._path = path
        self._description = description
        self._directory = directory
        self._lock = threading.Lock()
        self._parts: Mapping[str, Part] | None = None

    @classmethod
    def of(cls, file: OpenFile, description: str) -> Archive:
        """Return the files of an archive that is open and not compressed; raises SourceError."""
        archive = cls("", description, "")
        archive._parts = index_tar(file, description)
        return archive

    def part(self, name: str) -> Part:
        """Return where a file's bytes are; raises SourceError, and MissingContentError where there is no such file."""
        with self._lock:
            if self._parts is None:
                self._parts = self._indexed()
            found = self._parts.get(member_path(name))
        if found is None:
            raise MissingContentError(f"{self._description} has no {name}")
        return found

    def close(self) -> None:
        """Let go of the archive, and of its decompressed copy."""
        with self._lock:
            self._parts = None

    def _indexed(self) -> Mapping[str, Part]:
        if not os.path.exists(self._path):
            raise SourceError(
                f"{self._description} does not exist: there is no file {self._path}", hint=looked_for(self._path)
            )
        return index_tar(decompressed(self._path, self._directory, self._description), self._description)


def archive_name(path: str) -> str:
    """Return what an image in an archive is called where nothing else says it: the file without its endings."""
    name = posixpath.basename(os.path.abspath(path)).lower()
    for ending in (".gz", ".bz2", ".xz", ".zst", ".tgz", ".tar"):
        if name.endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
    return name


def decompressed(path: str, directory: str, description: str) -> OpenFile:
    """Return an archive as it is, or a copy without a name in ``directory`` where it was compressed as a whole.

    Such an archive cannot be read at random. Raises SourceError, LocalStorageError, and MissingLibraryError for zstd
    without its library.
    """
    from .._compression.compressors import NONE, compression_of  # few archives are compressed
    from .._compression.decompressors import DamagedError, decompressed_blocks

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
