# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image in a plain directory, as ``skopeo copy … dir:`` leaves it (containers-transports(5), "dir")."""

from __future__ import annotations

import os

from .._errors import SourceError
from .._oci.model import Descriptor, Manifest, parse_manifest
from .file_source import FileSource
from .files import Directory, content_of, has_file


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
