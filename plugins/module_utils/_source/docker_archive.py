# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images in an archive as ``docker save`` and ``podman save`` write it, read in place.

Source: Docker Image Specification 1.2, "Combined Image JSON + Filesystem Changeset Format" (``manifest.json``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from .._errors import InvalidOptionError, SourceError
from .._oci.archive_config import ArchiveConfig, ImageSummary, parse_archive_config
from .._reference import DEFAULT_TAG, Reference, parse_reference
from .file_blob import Part
from .files import Archive, archive_name


@dataclass(frozen=True)
class _Entry:
    """One image of the archive."""

    config: str
    layers: tuple[str, ...]
    names: tuple[str, ...]


class DockerArchive:
    """One image of an archive: by ``reference``, by ``@number`` from 0, or the only one."""

    def __init__(self, path: str, reference: str | None, directory: str, description: str = "") -> None:
        self.description = description or f"docker-archive:{path}{':' + reference if reference else ''}"
        self._reference = reference
        self._archive = Archive(path, self.description, directory)
        self._entry: _Entry | None = None
        named = _named(reference)
        self.tag = named.tag if named else None
        self.name = named.name if named else archive_name(path)

    def summary(self) -> ImageSummary:
        """Return the image ID and the platform; raises SourceError."""
        return self.config().summary

    def check(self) -> None:
        """Raise SourceError for a layer that the archive does not have."""
        for number in range(len(self._chosen().layers)):
            self.layer(number)

    def config(self) -> ArchiveConfig:
        """Return the image, for which the archive's index is read, but no layer; raises SourceError."""
        entry = self._chosen()
        config = parse_archive_config(self._archive.content(entry.config), self.description)
        if len(config.diff_ids) != len(entry.layers):
            raise SourceError(
                f"{self.description} lists {len(entry.layers)} layers, and its configuration {len(config.diff_ids)}"
            )
        return config

    def layer(self, number: int) -> Part:
        """Return where the bytes of a layer are, compressed or not; raises SourceError."""
        return self._archive.part(self._chosen().layers[number])

    def close(self) -> None:
        """Remove what was written to read the archive."""
        self._archive.close()

    def _chosen(self) -> _Entry:
        if self._entry is None:
            self._entry = self._choose(self._entries())
        return self._entry

    def _entries(self) -> list[_Entry]:
        if "manifest.json" not in self._archive:
            kind = "an OCI layout: use oci-archive:" if "index.json" in self._archive else "no archive of docker save"
            raise SourceError(f"{self.description} has no manifest.json, so it is {kind}")
        try:
            return [_entry(item) for item in json.loads(self._archive.content("manifest.json"))]
        except (ValueError, KeyError, TypeError):
            raise SourceError(f"manifest.json of {self.description} is not as docker save writes it") from None

    def _choose(self, entries: Sequence[_Entry]) -> _Entry:
        there = [f"@{number} ({', '.join(entry.names) or 'no name'})" for number, entry in enumerate(entries)]
        hint = f"It has {', '.join(there) or 'no image'}"
        if self._reference is None:
            if len(entries) == 1:
                return entries[0]
            raise SourceError(f"{self.description} holds {len(entries)} images", hint=f"{hint}: name one")
        number = self._reference[1:] if self._reference.startswith("@") else ""
        if number.isdigit():
            if int(number) < len(entries):
                return entries[int(number)]
        else:
            wanted = _full(self._reference)
            for entry in entries:
                if any(_full(name) == wanted for name in entry.names):
                    return entry
        raise SourceError(f"{self.description} does not exist in the archive", hint=hint)


def _entry(item: Mapping[str, Any]) -> _Entry:
    layers = tuple(str(layer) for layer in item["Layers"] or ())
    return _Entry(str(item["Config"]), layers, tuple(item.get("RepoTags") or ()))


def _named(reference: str | None) -> Reference | None:
    if not reference or reference.startswith("@"):
        return None
    return parse_reference(reference)


def _full(name: str) -> str:
    """A name of the archive with what it leaves out, so that ``app`` is ``docker.io/library/app:latest``."""
    try:
        reference = parse_reference(name)
    except InvalidOptionError:
        return name
    return str(reference if reference.tag or reference.digest else reference.with_tag(DEFAULT_TAG))
