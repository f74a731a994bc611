# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a source, in a directory or in a tar archive that is indexed once and read in place."""

from __future__ import annotations

import os
import posixpath
import tarfile
import threading
from typing import Protocol

from .._errors import SourceProblem
from .._oci.model import Descriptor
from .file_blob import FileBlob, unreadable

LARGEST_DOCUMENT = 16 * 1024 * 1024


class Files(Protocol):
    """Files by their names, with slashes between folders."""

    def content(self, name: str) -> bytes:
        """Return a small file's content; raises SourceProblem."""

    def blob(self, name: str, descriptor: Descriptor, where: str) -> FileBlob:
        """Return a file as the body of a blob; raises SourceProblem."""


class Directory:
    """Files in a directory; ``description`` is the source in messages."""

    def __init__(self, path: str, description: str) -> None:
        self._path = path
        self._description = description

    def content(self, name: str) -> bytes:
        """Return a small file's content; raises SourceProblem."""
        if not os.path.isdir(self._path):
            raise SourceProblem(f"{self._description} does not exist: there is no directory {self._path}")
        path = os.path.join(self._path, name)
        try:
            return _read(path, 0, os.stat(path).st_size)
        except OSError as error:
            raise unreadable(path, error) from None

    def blob(self, name: str, descriptor: Descriptor, where: str) -> FileBlob:
        """Return a file as the body of a blob; raises SourceProblem."""
        return FileBlob(os.path.join(self._path, name), descriptor, where)


class Archive:
    """Files in an uncompressed tar archive, which is never unpacked."""

    def __init__(self, path: str, description: str) -> None:
        self._path = path
        self._description = description
        self._lock = threading.Lock()
        self._places: dict[str, tuple[int, int]] | None = None

    def content(self, name: str) -> bytes:
        """Return a small file's content; raises SourceProblem."""
        start, size = self._place(name)
        try:
            return _read(self._path, start, size)
        except OSError as error:
            raise unreadable(self._path, error) from None

    def blob(self, name: str, descriptor: Descriptor, where: str) -> FileBlob:
        """Return a file as the body of a blob; raises SourceProblem."""
        start, size = self._place(name)
        return FileBlob(self._path, descriptor, where, start, size)

    def _place(self, name: str) -> tuple[int, int]:
        with self._lock:
            if self._places is None:
                self._places = self._indexed()
            if name not in self._places:
                raise SourceProblem(f"{self._description} has no {name}")
            return self._places[name]

    def _indexed(self) -> dict[str, tuple[int, int]]:
        """A member that is cut off shows when it is read: its size is what its header says."""
        places: dict[str, tuple[int, int]] = {}
        links = {}
        try:
            with tarfile.open(self._path, "r:") as archive:
                for member in archive:
                    name = posixpath.normpath(member.name)
                    if member.isreg():
                        places[name] = (member.offset_data, member.size)
                    elif member.islnk():
                        links[name] = posixpath.normpath(member.linkname)
                    elif member.issym():
                        links[name] = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
        except OSError as error:
            raise unreadable(self._path, error) from None
        except (tarfile.TarError, EOFError):
            raise SourceProblem(
                f"{self._description} is no uncompressed tar archive, or ends too early",
                advice="Unpack a compressed archive first",
            ) from None
        for name, target in links.items():
            if target in places:
                places.setdefault(name, places[target])
        return places


def _read(path: str, start: int, size: int) -> bytes:
    if size > LARGEST_DOCUMENT:
        raise SourceProblem(f"{path} has a manifest or a configuration of more than 16 MiB")
    with open(path, "rb") as file:
        file.seek(start)
        content = file.read(size)
    if len(content) != size:
        raise SourceProblem(f"{path} is truncated")
    return content
