# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a source, in a directory or in a tar archive that is indexed once and read in place.

The size of those that are blobs is checked when they are opened and read, their digest where no registry does that.
"""

from __future__ import annotations

import os
import posixpath
import threading
from typing import Callable, Mapping, Protocol

from .._errors import SourceError
from .._http.message import BLOCK_SIZE, Reader
from .._json import LARGEST_DOCUMENT
from .._oci.model import Descriptor, MissingContentError, new_hash
from .base import altered, blob_name, truncated
from .local_file import NamedFile, OpenFile, Part, TemporaryFile, open_file


class FileBlob:
    """The body of a blob that is sent as it is in a file; ``where`` names it in messages.

    Nothing is hashed while it is sent: the registry does that, and names the digest that it has stored. ``verify`` is
    for where it does not. Raises SourceError for a blob of another size, or with a digest that registries do not take.
    """

    def __init__(self, part: Part, descriptor: Descriptor, where: str) -> None:
        self._descriptor = descriptor
        self._where = where
        self._part = part
        self._nothing_hashed = new_hash(descriptor.digest)
        self._lock = threading.Lock()
        self._digest: str | None = None
        if part.size != descriptor.size:
            raise truncated(descriptor, where, part.size)

    @property
    def length(self) -> int:
        """Bytes of the blob."""
        return self._descriptor.size

    def open(self, offset: int = 0) -> Reader:
        """Return a reader; it raises SourceError where the file has become shorter."""
        return _CompleteReader(self._part.open(offset), offset, self._descriptor, self._where)

    def verify(self, check: Callable[[], None]) -> None:
        """Raise SourceError unless the file is what its digest says; it is read once, whoever asks how often.

        ``check`` raises CancelledError where nobody needs to know.
        """
        # Who comes second waits for what the first one finds.
        with self._lock:
            if self._digest is None:
                self._digest = self._computed(check)
        if self._digest != self._descriptor.digest:
            raise altered(self._descriptor, self._where, self._digest)

    def _computed(self, check: Callable[[], None]) -> str:
        found, reader, buffer = self._nothing_hashed.copy(), self.open(), memoryview(bytearray(BLOCK_SIZE))
        try:
            while count := reader.readinto(buffer):
                check()
                found.update(buffer[:count])
        finally:
            reader.close()
        return f"{self._descriptor.digest.partition(':')[0]}:{found.hexdigest()}"


class _CompleteReader:
    """Gives all bytes of a blob, or raises SourceError."""

    def __init__(self, plain: Reader, offset: int, descriptor: Descriptor, where: str) -> None:
        self._plain = plain
        self._offset = offset
        self._descriptor = descriptor
        self._where = where

    def readinto(self, buffer: memoryview) -> int:
        count = self._plain.readinto(buffer)
        if not count and self._offset < self._descriptor.size:
            raise truncated(self._descriptor, self._where, self._offset)
        self._offset += count
        return count

    def close(self) -> None:
        self._plain.close()


class Files(Protocol):
    """Files by their names, with slashes between folders."""

    def part(self, name: str) -> Part:
        """Return where a file's bytes are; raises SourceError, and MissingContentError where there is no such file."""

    def close(self) -> None:
        """Forget what was read."""


class Directory:
    """Files in a directory; ``description`` is the source in messages."""

    def __init__(self, path: str, description: str) -> None:
        self._path = path
        self._description = description

    def part(self, name: str) -> Part:
        """Return where a file's bytes are; raises SourceError, and MissingContentError where there is no such file."""
        if not os.path.isdir(self._path):
            raise SourceError(
                f"{self._description} does not exist: there is no directory {self._path}", hint=looked_for(self._path)
            )
        path = os.path.join(self._path, name)
        if not os.path.lexists(path):
            raise MissingContentError(f"{self._description} is not complete: {path} does not exist")
        file = NamedFile(path)
        return Part(file, 0, file.size)

    def close(self) -> None:
        """Nothing is kept open."""


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
        from .tar_index import index_tar

        archive = cls("", description, "")
        archive._parts = index_tar(file, description)
        return archive

    def part(self, name: str) -> Part:
        """Return where a file's bytes are; raises SourceError, and MissingContentError where there is no such file."""
        from .tar_index import member_path

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
        from .tar_index import index_tar

        if not os.path.exists(self._path):
            raise SourceError(
                f"{self._description} does not exist: there is no file {self._path}", hint=looked_for(self._path)
            )
        return index_tar(decompressed(self._path, self._directory, self._description), self._description)


def looked_for(path: str) -> str:
    """Return where a path is looked for, which is often not where its user has it."""
    place = "" if os.path.isabs(path) else f", in {os.getcwd()}"
    return f"It is looked for on the host where the task runs{place}: delegate_to says on which"


def has_file(files: Files, name: str) -> bool:
    """Whether there is such a file; raises SourceError for files that cannot be looked at."""
    try:
        files.part(name)
    except MissingContentError:
        return False
    return True


def content_of(files: Files, name: str, description: str) -> bytes:
    """Return a document; raises SourceError."""
    return files.part(name).content(LARGEST_DOCUMENT, f"{name} of {description}")


def blob_of(files: Files, name: str, descriptor: Descriptor, description: str) -> FileBlob:
    """Return a file as the body of a blob; raises SourceError."""
    return FileBlob(files.part(name), descriptor, blob_name(descriptor, description))


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
    from .._compression.compressors import NONE, compression_of  # a layout in a directory needs neither
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
