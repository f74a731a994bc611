# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a source in a directory, by their names."""

from __future__ import annotations

import os
from typing import Protocol

from .._errors import SourceError
from .._json import LARGEST_DOCUMENT
from .._oci.model import MissingContentError
from .local_file import NamedFile, Part


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
