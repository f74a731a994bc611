# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images in an archive as ``docker save`` and ``podman save`` write it, read in place.

Source: Docker Image Specification 1.2, "Combined Image JSON + Filesystem Changeset Format" (``manifest.json``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Sequence

from .._errors import InvalidOptionError, SourceError
from .._json import LARGEST_DOCUMENT, JsonError, parse_json
from .._oci.archive_config import ArchiveConfig, ImageSummary, parse_archive_config
from .._oci.model import Platform
from .._reference import DEFAULT_TAG, Reference, parse_reference
from .archive_files import Archive, archive_name
from .files import content_of, has_file
from .local_file import Part


@dataclass(frozen=True)
class _Entry:
    """One image of the archive."""

    config: str
    layers: tuple[str, ...]
    names: tuple[str, ...]


class DockerArchive:
    """One image of an archive: by ``reference``, by ``@number`` from 0, or the only one."""

    def __init__(
        self,
        path: str,
        reference: str | None,
        directory: str,
        description: str = "",
        files: Archive | None = None,
    ) -> None:
        self.description = description or f"docker-archive:{path}{':' + reference if reference else ''}"
        self._reference = reference
        self._archive = files or Archive(path, self.description, directory)
        self._entry: _Entry | None = None
        named = _named(reference)
        self.tag = named.tag if named else None
        self.name = named.name if named else archive_name(path)

    def summary(self) -> ImageSummary:
        """Return the image ID and the platform, and the other platforms of the archive; raises SourceError."""
        summary = self.config().summary
        return replace(summary, others=self._others(summary.platform))

    def check(self) -> None:
        """Raise SourceError for a layer that the archive does not have."""
        for number in range(len(self._chosen().layers)):
            self.layer(number)

    def config(self) -> ArchiveConfig:
        """Return the image, for which the archive's index is read, but no layer; raises SourceError."""
        entry = self._chosen()
        config = parse_archive_config(content_of(self._archive, entry.config, self.description), self.description)
        if len(config.diff_ids) != len(entry.layers):
            raise SourceError(
                f"{self.description} lists {len(entry.layers)} layers, and its configuration {len(config.diff_ids)}"
            )
        return config

    def layer(self, number: int) -> Part:
        """Return where the bytes of a layer are, compressed or not; raises SourceError."""
        return self._archive.part(self._chosen().layers[number])

    def close(self) -> None:
        """Let go of the archive."""
        self._archive.close()

    def _chosen(self) -> _Entry:
        if self._entry is None:
            self._entry = self._choose(self._entries())
        return self._entry

    def _entries(self) -> list[_Entry]:
        if not has_file(self._archive, "manifest.json"):
            if has_file(self._archive, "index.json"):
                raise SourceError(
                    f"{self.description} has no manifest.json: it is an OCI layout", hint="Write oci-archive: instead"
                )
            raise SourceError(
                f"{self.description} has no manifest.json, so it is no archive of docker save or podman save"
            )
        content = self._archive.part("manifest.json").content(LARGEST_DOCUMENT, f"manifest.json of {self.description}")
        try:
            document = parse_json(content)
        except JsonError as error:
            raise SourceError(f"manifest.json of {self.description} {error}") from None
        if not isinstance(document, list):
            raise SourceError(f"manifest.json of {self.description} is not the list that docker save writes")
        return [self._read_entry(item, number) for number, item in enumerate(document)]

    def _read_entry(self, item: Any, number: int) -> _Entry:
        where = f"image {number} in manifest.json of {self.description}"
        config = item.get("Config") if isinstance(item, dict) else None
        if not isinstance(config, str):
            raise SourceError(f"{where} has no Config, so it is not as docker save writes it")
        # Both are null where there are none.
        layers, names = item.get("Layers") or [], item.get("RepoTags") or []
        for key, value in (("Layers", layers), ("RepoTags", names)):
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise SourceError(f"{where} has {key} that are no list of names")
        return _Entry(config, tuple(layers), tuple(names))

    def _choose(self, entries: Sequence[_Entry]) -> _Entry:
        there = [f"@{number} ({', '.join(entry.names) or 'no name'})" for number, entry in enumerate(entries)]
        hint = f"It has {', '.join(there) or 'no image'}"
        if self._reference is None:
            if len({entry.config for entry in entries}) == 1:
                return entries[0]
            raise SourceError(f"{self.description} holds {len(entries)} images", hint=f"{hint}: name one")
        number = self._reference[1:] if self._reference.startswith("@") else ""
        if number.isdecimal() and len(number) < 10:
            if int(number) < len(entries):
                return entries[int(number)]
        else:
            wanted = _full(self._reference)
            for entry in entries:
                if any(_full(name) == wanted for name in entry.names):
                    return entry
        raise SourceError(f"{self.description} does not exist in the archive", hint=hint)

    def _others(self, own: Platform | None) -> tuple[Platform, ...]:
        """Since version 29 docker saves all platforms that it has, and lists one of them in manifest.json."""
        if own is None or not has_file(self._archive, "index.json"):
            return ()
        from .oci_layout import OciLayout

        try:
            platforms = OciLayout("", None, description=self.description, files=self._archive).platforms_with(
                self._chosen().config
            )
        except SourceError:
            return ()
        return tuple(platform for platform in platforms if platform != own)


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
