# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image in an OCI image layout, or in an archive of one (OCI Image Format Specification 1.1, "OCI Image Layout")."""

from __future__ import annotations

import json
import os
import threading

from .._errors import SourceError
from .._http.message import Body
from .._oci.digest import matches
from .._oci.media_types import OCI_INDEX, is_manifest
from .._oci.model import Descriptor, Manifest, descriptor, parse_manifest
from .._oci.referrers import is_attached_tag, subject_of
from .files import Archive, Directory, Files, archive_name
from .verifier import altered, truncated

REF_NAME = "org.opencontainers.image.ref.name"


class OciLayout:
    """``index.json`` and ``blobs`` in a directory or an archive; without a tag it has to hold exactly one image."""

    def __init__(self, path: str, tag: str | None, archived: bool = False, directory: str = "") -> None:
        transport = "oci-archive" if archived else "oci"
        self.description = f"{transport}:{path}:{tag}" if tag else f"{transport}:{path}"
        self._files: Files = (
            Archive(path, self.description, directory) if archived else Directory(path, self.description)
        )
        self._blobs: dict[str, Body] = {}
        self._lock = threading.Lock()
        self.tag = tag
        self.name = archive_name(path) if archived else os.path.basename(os.path.abspath(path)).lower()

    def root(self) -> Manifest:
        """Return what ``index.json`` names by the tag; raises SourceError."""
        content = self._index()
        index = parse_manifest(content, OCI_INDEX)
        entries = list(index.entries)
        names = sorted(entry.annotations[REF_NAME] for entry in entries if REF_NAME in entry.annotations)
        if self.tag:
            found = [entry for entry in entries if _short(entry.annotations.get(REF_NAME, "")) == self.tag]
            found = [entry for entry in entries if entry.annotations.get(REF_NAME) == self.tag] or found
            if not found:
                raise SourceError(
                    f"{self.description} does not exist: the layout has no tag {self.tag}",
                    hint=f"It has {', '.join(names) or 'no tags'}",
                )
            return self.manifest(found[0])
        images = [entry for entry in entries if len(entries) == 1 or not self._is_attached(entry)]
        if len(images) == 1:
            return self.manifest(images[0])
        if entries and not names and all(entry.platform for entry in entries):
            return index
        raise SourceError(
            f"{self.description} holds {len(entries) or 'no'} images", hint=f"Name one: {', '.join(names) or 'none'}"
        )

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Return a manifest of the layout; raises SourceError."""
        return parse_manifest(self.read(descriptor), descriptor.media_type)

    def blob(self, descriptor: Descriptor) -> Body:
        """Return a blob, which is read in place."""
        with self._lock:
            if descriptor.digest not in self._blobs:
                where = f"the blob {descriptor.digest} of {self.description}"
                self._blobs[descriptor.digest] = self._files.blob(_path(descriptor), descriptor, where)
            return self._blobs[descriptor.digest]

    def read(self, descriptor: Descriptor) -> bytes:
        """Return a small blob; raises SourceError."""
        where = f"the blob {descriptor.digest} of {self.description}"
        content = self._files.content(_path(descriptor))
        if len(content) != descriptor.size:
            raise truncated(descriptor, where, len(content))
        if not matches(content, descriptor.digest):
            raise altered(descriptor, where, "something else")
        return content

    def tags(self) -> list[str]:
        """Return all tags of the layout."""
        return [_short(name) for name in self._names()]

    def tagged(self, tag: str) -> Manifest | None:
        """Return what another tag names, or None."""
        found = [entry for name, entry in self._names().items() if _short(name) == tag]
        return self.manifest(found[0]) if found else None

    def referrers(self, digest: str) -> list[Descriptor]:
        """Return what refers to a digest: entries of ``index.json`` whose subject it is."""
        entries = parse_manifest(self._index(), OCI_INDEX).entries
        single = [entry for entry in entries if is_manifest(entry.media_type)]
        return [entry for entry in single if subject_of(self.manifest(entry)) == digest]

    def release(self, descriptor: Descriptor) -> None:
        """Nothing is held for a blob."""

    def close(self) -> None:
        """Remove what was written to read the layout."""
        self._files.close()

    def _is_attached(self, entry: Descriptor) -> bool:
        """Whether an entry is no image of its own, but belongs to one."""
        if is_attached_tag(_short(entry.annotations.get(REF_NAME, ""))):
            return True
        return is_manifest(entry.media_type) and subject_of(self.manifest(entry)) is not None

    def _names(self) -> dict[str, Descriptor]:
        entries = parse_manifest(self._index(), OCI_INDEX).entries
        return {entry.annotations[REF_NAME]: entry for entry in entries if REF_NAME in entry.annotations}

    def _index(self) -> bytes:
        content = self._files.content("index.json")
        try:
            document = json.loads(content)
            entries = document["manifests"]
            [descriptor(entry) for entry in entries]
        except (ValueError, KeyError, TypeError):
            raise SourceError(f"index.json of {self.description} is no index of an OCI image layout") from None
        return content


def _path(descriptor: Descriptor) -> str:
    algorithm, _colon, encoded = descriptor.digest.partition(":")
    return f"blobs/{algorithm}/{encoded}"


def _short(name: str) -> str:
    """The tag of a full reference, as some tools write it into the annotation."""
    tail = name.rpartition("/")[2]
    return tail.rpartition(":")[2] if ":" in tail else tail
