# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image whose blobs are files, read in place and checked: what an OCI layout and a plain directory have alike.

A plain directory is what ``skopeo copy … dir:`` leaves (containers-transports(5), "dir").
"""

from __future__ import annotations

import os
import threading
from typing import Callable

from .._errors import SourceError
from .._http.message import Body
from .._oci.model import Descriptor, Manifest, matches, parse_manifest
from .base import altered, blob_name, truncated
from .files import Directory, Files, content_of, has_file

PathOf = Callable[[Descriptor], str]


class FileSource:
    """Manifests and blobs in files; ``manifest_path`` and ``blob_path`` say where."""

    def __init__(self, files: Files, description: str, manifest_path: PathOf, blob_path: PathOf) -> None:
        self.description = description
        self._files = files
        self._manifest_path = manifest_path
        self._blob_path = blob_path
        self._blobs: dict[str, Body] = {}
        self._lock = threading.Lock()

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Return a manifest below the root; raises SourceError."""
        return parse_manifest(self._checked(self._manifest_path(descriptor), descriptor), descriptor.media_type)

    def blob(self, descriptor: Descriptor, _readers: int = 1) -> Body:
        """Return a blob, which is read in place; raises SourceError for one that is missing or of another size."""
        from .file_blob import FileBlob  # a push that changes nothing reads none

        with self._lock:
            if descriptor.digest not in self._blobs:
                part = self._files.part(self._blob_path(descriptor))
                self._blobs[descriptor.digest] = FileBlob(part, descriptor, blob_name(descriptor, self.description))
            return self._blobs[descriptor.digest]

    def read(self, descriptor: Descriptor) -> bytes:
        """Return a small blob; raises SourceError."""
        return self._checked(self._blob_path(descriptor), descriptor)

    def holds(self, descriptor: Descriptor) -> bool:
        """Whether a blob is there; raises SourceError where that cannot be known."""
        return has_file(self._files, self._blob_path(descriptor))

    def release(self, descriptor: Descriptor) -> None:
        """Nothing is held for a blob."""

    def close(self) -> None:
        """Let go of the files."""
        self._files.close()

    def _checked(self, path: str, descriptor: Descriptor) -> bytes:
        content = content_of(self._files, path, self.description)
        if len(content) != descriptor.size:
            raise truncated(descriptor, blob_name(descriptor, self.description), len(content))
        if not matches(content, descriptor.digest):
            raise altered(descriptor, blob_name(descriptor, self.description), "something else")
        return content


class DirectoryImage(FileSource):
    """A directory with ``manifest.json``, manifests by their digest, and blobs by theirs."""

    tag: str | None = None

    def __init__(self, path: str) -> None:
        description = f"dir:{path}"
        super().__init__(Directory(path, description), description, _manifest_path, _encoded)
        self.name = os.path.basename(os.path.abspath(path)).lower()

    def root(self) -> Manifest:
        """Return the manifest or index of the directory; raises SourceError."""
        if not has_file(self._files, "manifest.json"):
            hint = "Write oci: instead: it is an OCI layout" if has_file(self._files, "index.json") else None
            raise SourceError(f"{self.description} has no manifest.json, which skopeo writes there", hint=hint)
        return parse_manifest(content_of(self._files, "manifest.json", self.description))


def _manifest_path(descriptor: Descriptor) -> str:
    return f"{_encoded(descriptor)}.manifest.json"


def _encoded(descriptor: Descriptor) -> str:
    """What the directory calls a blob: its digest without the algorithm."""
    return descriptor.digest.partition(":")[2]
