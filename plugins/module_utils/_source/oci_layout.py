# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image in an OCI image layout, or in an archive of one (OCI Image Format Specification 1.1, "OCI Image Layout")."""

from __future__ import annotations

import os
from typing import Sequence

from .._errors import SourceError
from .._json import parse_object
from .._oci.model import (
    OCI_INDEX,
    Descriptor,
    Manifest,
    Platform,
    descriptor,
    is_attestation,
    is_index,
    is_manifest,
    parse_manifest,
)
from .._oci.walk import MOST_DEPTH
from .._reference import is_digest, is_tag
from .base import Referrers
from .file_source import FileSource
from .files import Directory, Files, content_of, has_file
from .layout_names import find_entry, listed, names_of, reference_in, tags_of

# cosign save says in an annotation what an entry is, and gives none a name.
_KIND = "kind"
_COSIGN_TAGS = {"dev.cosignproject.cosign/sigs": "sig", "dev.cosignproject.cosign/atts": "att"}


class OciLayout(FileSource):
    """``index.json`` and ``blobs`` in a directory or an archive; without a name it has to hold exactly one image."""

    def __init__(
        self,
        path: str,
        wanted: str | None,
        archived: bool = False,
        directory: str = "",
        description: str = "",
        files: Files | None = None,
    ) -> None:
        transport = "oci-archive" if archived else "oci"
        description = description or (f"{transport}:{path}:{wanted}" if wanted else f"{transport}:{path}")
        own = os.path.basename(os.path.abspath(path)).lower()
        if archived:
            from .archive_files import Archive, archive_name  # few layouts are in an archive

            files, own = files or Archive(path, description, directory), archive_name(path)
        super().__init__(files or Directory(path, description), description, _path, _path)
        self._archived = archived or files is not None
        self._wanted = wanted
        self._entries: tuple[Descriptor, ...] | None = None
        named = reference_in(wanted)
        self.tag = named.tag if named else wanted if wanted and is_tag(wanted) else None
        self.name = named.name if named else own

    def root(self) -> Manifest:
        """Return what the user named, or the only image; raises SourceError with what there is."""
        entries = self._index()
        if self._wanted and is_digest(self._wanted):
            return self._by_digest(self._wanted)
        if self._wanted:
            return self.manifest(find_entry(entries, self._wanted, self.description))
        images = [entry for entry in entries if len(entries) == 1 or not self._is_attached(entry)]
        # What an entry names and the layout does not hold is no candidate, unless nothing else is there.
        images = [entry for entry in images if self.holds(entry)] or images
        digests = {entry.digest for entry in images}
        if len(digests) == 1:
            return self.manifest(images[0])
        if images and not any(map(names_of, entries)) and all(entry.platform for entry in entries):
            return parse_manifest(content_of(self._files, "index.json", self.description), OCI_INDEX)
        raise SourceError(f"{self.description} holds {len(digests) or 'no'} images", hint=listed(entries, digests))

    def tags(self) -> list[str]:
        """Return all tags of the layout, and those under which a registry has what cosign saved."""
        return [*dict.fromkeys(tag for entry in self._index() for tag in tags_of(entry)), *self._cosign()]

    def tagged(self, tag: str) -> Manifest | None:
        """Return what another tag points to, or None; raises SourceError."""
        found = next((entry for entry in self._index() if tag in tags_of(entry)), None) or self._cosign().get(tag)
        return self.manifest(found) if found else None

    def referrers(self, digest: str) -> Referrers:
        """Return what refers to a digest: entries whose subject it is, and those that its fallback tag lists.

        Source: OCI Distribution Specification 1.1, "Referrers Tag Schema"; tools write either into a layout.
        """
        from .._oci.referrers import fallback_tag, subject_of  # few pushes ask for referrers

        found: dict[str, Descriptor] = {}
        skipped = []
        for entry in self._index():
            if is_manifest(entry.media_type) or is_index(entry.media_type):
                try:
                    if subject_of(self.manifest(entry)) == digest:
                        found[entry.digest] = entry
                except SourceError as error:
                    # What has a name is an image of its own, or is found by the tag that it is.
                    if not names_of(entry):
                        skipped.append(f"{entry.digest}: {error}")
        tag = fallback_tag(digest)
        try:
            index = self.tagged(tag)
        except SourceError as error:
            index = None
            skipped.append(f"{tag}: {error}")
        if index is not None and index.is_index:
            found.update({entry.digest: entry for entry in index.entries})
        elif index is not None:
            skipped.append(f"{tag}: it is no index, so it lists nothing")
        return Referrers(tuple(found.values()), tuple(skipped))

    def platforms_with(self, config_path: str) -> Sequence[Platform]:
        """Return the platforms that are here of the index that has the image with this configuration."""
        for entry in self._index():
            if not is_index(entry.media_type) or not self.holds(entry):
                continue
            images = [one for one in self.manifest(entry).entries if one.platform and not is_attestation(one)]
            there = [one for one in images if is_manifest(one.media_type) and self.holds(one)]
            configs = [self.manifest(one).config for one in there]
            if any(config and _path(config) == config_path for config in configs):
                return [one.platform for one in there if one.platform]
        return ()

    def _by_digest(self, digest: str) -> Manifest:
        """The manifest may stand in the index, or in an index that it names."""
        level = list(self._index())
        for _depth in range(MOST_DEPTH):
            for entry in level:
                if entry.digest == digest:
                    return self.manifest(entry)
            below = [entry for entry in level if is_index(entry.media_type) and self.holds(entry)]
            level = [child for entry in below for child in self.manifest(entry).entries]
        raise SourceError(f"{self.description} does not exist: the layout has no {digest}", hint=listed(self._index()))

    def _is_attached(self, entry: Descriptor) -> bool:
        """Whether an entry is no image of its own, but belongs to one."""
        from .._oci.referrers import is_attached_tag, subject_of

        if entry.annotations.get(_KIND) in _COSIGN_TAGS or any(map(is_attached_tag, tags_of(entry))):
            return True
        return is_manifest(entry.media_type) and self.holds(entry) and subject_of(self.manifest(entry)) is not None

    def _cosign(self) -> dict[str, Descriptor]:
        """What cosign saved, by the tags that it has in a registry; that needs the one image they are about."""
        from .._oci.referrers import fallback_tag

        entries = self._index()
        images = [entry for entry in entries if not self._is_attached(entry)]
        if len(images) != 1:
            return {}
        kinds = [(_COSIGN_TAGS.get(entry.annotations.get(_KIND, "")), entry) for entry in entries]
        return {f"{fallback_tag(images[0].digest)}.{suffix}": entry for suffix, entry in kinds if suffix}

    def _index(self) -> tuple[Descriptor, ...]:
        if self._entries is None:
            self._entries = self._read_index()
        return self._entries

    def _read_index(self) -> tuple[Descriptor, ...]:
        if not has_file(self._files, "index.json"):
            if has_file(self._files, "manifest.json"):
                instead = "docker-archive:" if self._archived else "dir:"
                raise SourceError(
                    f"{self.description} has no index.json: it is no OCI layout", hint=f"Write {instead} instead"
                )
            raise SourceError(f"{self.description} has no index.json, so it is no OCI layout")
        where = f"index.json of {self.description}"
        entries = parse_object(content_of(self._files, "index.json", self.description), where).get("manifests")
        if not isinstance(entries, list):
            raise SourceError(f"{where} is no index of an OCI image layout: it has no manifests")
        try:
            return tuple(descriptor(entry) for entry in entries)
        except SourceError as error:
            raise SourceError(f"{where} is no index of an OCI image layout: {error}") from None


def _path(descriptor: Descriptor) -> str:
    algorithm, _colon, encoded = descriptor.digest.partition(":")
    return f"blobs/{algorithm}/{encoded}"
