# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a source, in a directory or in a tar archive that is indexed once and read in place."""

from __future__ import annotations

import os
import posixpath
import threading
from typing import Protocol

from .._errors import SourceError
from .._oci.model import Descriptor
from .file_blob import FileBlob, Part, unreadable

LARGEST_DOCUMENT = 16 * 1024 * 1024
MOST_LINKS = 8


class Files(Protocol):
    """Files by their names, with slashes between folders."""

    def content(self, name: str) -> bytes:
        """Return a small file's content; raises SourceError."""

    def blob(self, name: str, descriptor: Descriptor, where: str) -> FileBlob:
        """Return a file as the body of a blob; raises SourceError."""

    def close(self) -> None:
        """Remove what was written to read them."""


class Directory:
    """Files in a directory; ``description`` is the source in messages."""

    def __init__(self, path: str, description: str) -> None:
        self._path = path
        self._description = description

    def content(self, name: str) -> bytes:
        """Return a small file's content; raises SourceError."""
        if not os.path.isdir(self._path):
            raise SourceError(f"{self._description} does not exist: there is no directory {self._path}")
        path = os.path.join(self._path, name)
        try:
            return _read(path, 0, os.stat(path).st_size)
        except OSError as error:
            raise unreadable(path, error) from None

    def blob(self, name: str, descriptor: Descriptor, where: str) -> FileBlob:
        """Return a file as the body of a blob; raises SourceError."""
        return FileBlob(os.path.join(self._path, name), descriptor, where)

    def close(self) -> None:
        """Nothing was written."""


class Archive:
    """Files in a tar archive, which is never unpacked; one that is compressed is decompressed into ``directory``."""

    def __init__(self, path: str, description: str, directory: str) -> None:
        self._path = path
        self._description = description
        self._directory = directory
        self._lock = threading.Lock()
        self._copy: str | None = None
        self._parts: dict[str, Part] | None = None

    def content(self, name: str) -> bytes:
        """Return a small file's content; raises SourceError."""
        part = self.part(name)
        try:
            return _read(part.path, part.start, part.size)
        except OSError as error:
            raise unreadable(self._path, error) from None

    def blob(self, name: str, descriptor: Descriptor, where: str) -> FileBlob:
        """Return a file as the body of a blob; raises SourceError."""
        part = self.part(name)
        return FileBlob(part.path, descriptor, where, part.start, part.size)

    def part(self, name: str) -> Part:
        """Return where the bytes of a file are; raises SourceError."""
        with self._lock:
            if self._parts is None:
                self._parts = self._indexed()
            name = posixpath.normpath(name)
            if name not in self._parts:
                raise SourceError(f"{self._description} has no {name}")
            return self._parts[name]

    def __contains__(self, name: str) -> bool:
        """Whether there is such a file; raises SourceError for what is no archive."""
        try:
            self.part(name)
        except SourceError:
            if self._parts is None:
                raise
            return False
        return True

    def close(self) -> None:
        """Remove the decompressed copy."""
        if self._copy is not None:
            os.unlink(self._copy)
            self._copy = None

    def _indexed(self) -> dict[str, Part]:
        """A member that is cut off shows when it is read: its size is what its header says."""
        import tarfile

        from .decompressed import decompressed

        parts: dict[str, Part] = {}
        links = {}
        path = decompressed(self._path, self._directory, self._description)
        self._copy = path if path != self._path else None
        try:
            with tarfile.open(path, "r:") as archive:
                for member in archive:
                    name = posixpath.normpath(member.name)
                    if member.isreg():
                        parts[name] = Part(path, member.offset_data, member.size)
                    elif member.islnk():
                        links[name] = posixpath.normpath(member.linkname)
                    elif member.issym():
                        links[name] = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
        except OSError as error:
            raise unreadable(self._path, error) from None
        except (tarfile.TarError, EOFError):
            raise SourceError(f"{self._description} is no tar archive, or ends too early") from None
        for name in links:
            target: str | None = name
            for _step in range(MOST_LINKS):
                target = links.get(target or "")
                if target is None or target in parts:
                    break
            if target in parts:
                parts.setdefault(name, parts[target])
        return parts


def archive_name(path: str) -> str:
    """Return what an image in an archive is called where nothing else says it: the file without its endings."""
    name = os.path.basename(os.path.abspath(path)).lower()
    for ending in (".gz", ".bz2", ".xz", ".zst", ".tgz", ".tar"):
        if name.endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
    return name


def _read(path: str, start: int, size: int) -> bytes:
    if size > LARGEST_DOCUMENT:
        raise SourceError(f"{path} has a manifest or a configuration of more than 16 MiB")
    with open(path, "rb") as file:
        file.seek(start)
        content = file.read(size)
    if len(content) != size:
        raise SourceError(f"{path} is truncated")
    return content
