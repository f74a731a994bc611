# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image in a plain directory, as ``skopeo copy … dir:`` leaves it (containers-transports(5), "dir")."""

from __future__ import annotations

import os
import threading

from .._errors import SourceError
from .._http.message import Body
from .._oci.digest import matches
from .._oci.model import Descriptor, Manifest, parse_manifest
from .files import Directory
from .verifier import altered, truncated


class DirectoryImage:
    """A directory with ``manifest.json``, manifests by their digest, and blobs by theirs."""

    tag: str | None = None

    def __init__(self, path: str) -> None:
        self.name = os.path.basename(os.path.abspath(path)).lower()
        self.description = f"dir:{path}"
        self._files = Directory(path, self.description)
        self._blobs: dict[str, Body] = {}
        self._lock = threading.Lock()

    def root(self) -> Manifest:
        """Return the manifest or index of the directory; raises SourceError."""
        return parse_manifest(self._files.content("manifest.json"))

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Return a manifest below an index; raises SourceError."""
        name = f"{_encoded(descriptor)}.manifest.json"
        return parse_manifest(self._checked(name, descriptor), descriptor.media_type)

    def blob(self, descriptor: Descriptor) -> Body:
        """Return a blob, which is read in place."""
        with self._lock:
            if descriptor.digest not in self._blobs:
                where = f"the blob {descriptor.digest} of {self.description}"
                self._blobs[descriptor.digest] = self._files.blob(_encoded(descriptor), descriptor, where)
            return self._blobs[descriptor.digest]

    def read(self, descriptor: Descriptor) -> bytes:
        """Return a small blob; raises SourceError."""
        return self._checked(_encoded(descriptor), descriptor)

    def release(self, descriptor: Descriptor) -> None:
        """Nothing is held for a blob."""

    def close(self) -> None:
        """Nothing is held open."""

    def _checked(self, name: str, descriptor: Descriptor) -> bytes:
        where = f"the blob {descriptor.digest} of {self.description}"
        content = self._files.content(name)
        if len(content) != descriptor.size:
            raise truncated(descriptor, where, len(content))
        if not matches(content, descriptor.digest):
            raise altered(descriptor, where, "something else")
        return content


def _encoded(descriptor: Descriptor) -> str:
    """What the directory calls a blob: its digest without the algorithm."""
    encoded = descriptor.digest.partition(":")[2]
    if not encoded:
        raise SourceError(f"{descriptor.digest} is no digest")
    return encoded
