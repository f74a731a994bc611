# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``sources``: images of several sources as those of one index, each read from the source that has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, NamedTuple, Sequence

from .._errors import AppuioError, InvalidOptionError
from .._oci.joined_index import Contribution, contribution, joined_index
from .._oci.model import Descriptor, Manifest, MissingContentError, Platform
from .._oci.platforms import parse_platform
from .._reference import DEFAULT_TAG
from .._text import as_list, is_blank
from .._user_cache import Cache
from .base import AnySource, Referrers, ReferrerSource, Source
from .known_documents import KnownDocuments
from .location import Location, RegistryLocation, parse_location

if TYPE_CHECKING:
    from .._http.message import Body


_KEYS = ("source", "platform")


class SourceEntry(NamedTuple):
    """A source as it was written, and where it is."""

    written: str
    location: Location
    platform: Platform | None = None


def parse_entries(options: Mapping[str, Any]) -> list[SourceEntry]:
    """Return the entries of ``sources``; raises InvalidOptionError, with the entry's number; asks nobody."""
    entries = as_list("sources", options.get("sources")) or []
    if not entries:
        raise InvalidOptionError("sources is empty", hint="Name the images that the index is to have")
    parsed = []
    for number, entry in enumerate(entries, 1):
        try:
            parsed.append(_parse_entry(entry))
        except InvalidOptionError as error:
            raise InvalidOptionError(f"entry {number} of sources: {error.message}", hint=error.hint) from None
    registries = {one.location.reference.registry for one in parsed if isinstance(one.location, RegistryLocation)}
    if options.get("source_password") and len(registries) > 1:
        raise InvalidOptionError(
            f"source_password is for one registry, and sources are in {', '.join(sorted(registries))}",
            hint="Log in to each of them, and give source_auth_file instead",
        )
    return parsed


def shared_name(sources: Sequence[AnySource], name: Any) -> str:
    """Return what all sources are called, "" where ``name`` is given; raises InvalidOptionError."""
    names = sorted({source.name for source in sources})
    if len(names) > 1 and is_blank(name):
        raise InvalidOptionError(
            f"the sources have different names: {', '.join(names)}", hint="Say with name what the image is called"
        )
    return names[0]


def shared_tag(sources: Sequence[AnySource], tags: Any) -> str | None:
    """Return the tag that all sources have, or None; raises InvalidOptionError where they differ and none is given."""
    found = sorted({source.tag or DEFAULT_TAG for source in sources})
    if len(found) > 1 and is_blank(tags):
        raise InvalidOptionError(
            f"the sources have different tags: {', '.join(found)}", hint="Say with tags what points to the index"
        )
    return found[0]


def _parse_entry(entry: Any) -> SourceEntry:
    given = entry if isinstance(entry, Mapping) else {"source": entry}
    unknown = sorted(str(key) for key in given if key not in _KEYS)
    if unknown:
        raise InvalidOptionError(f"the key {unknown[0]} is unknown", hint="Known are source and platform")
    source, platform = given.get("source"), given.get("platform")
    if not isinstance(source, str) or is_blank(source):
        raise InvalidOptionError("it is neither a source nor a mapping with one", hint="Write it like oci:build/amd64")
    if not is_blank(platform) and not isinstance(platform, str):
        raise InvalidOptionError(f"platform is no text: {platform!r}", hint="Write it like linux/amd64")
    return SourceEntry(source.strip(), parse_location(source), None if is_blank(platform) else _platform(str(platform)))


def _platform(text: str) -> Platform:
    """Return a platform without a variant where none was written, as it stands in the index so."""
    platform = parse_platform(text)
    return platform if text.count("/") > 1 else platform._replace(variant="")


class JoinedSource:
    """Sources that have manifests, each with the platform that is given for it; it is called as the first one.

    What registries gave in an earlier run comes from the ``cache``, so that images that are the same cost a HEAD each.
    """

    def __init__(self, parts: Sequence[tuple[Source, Platform | None]], cache: Cache | None = None) -> None:
        self._parts = parts
        self._cache = cache or Cache(None)
        self._sources = [source for source, _platform in parts]
        self._contributions: list[Contribution] = []
        self._manifests: dict[str, Manifest] = {}
        self._owners: dict[str, list[Source]] = {}
        self.name = self._sources[0].name
        self.tag = self._sources[0].tag
        self.description = ", ".join(source.description for source in self._sources)

    def contributions(self) -> list[Contribution]:
        """Return what each source gives to the index, read once; raises AppuioError."""
        if not self._contributions:
            self._contributions = [self._contribution(source, platform) for source, platform in self._parts]
        return self._contributions

    def root(self) -> Manifest:
        """Return the index of all their images; raises AppuioError, for two images for one platform too."""
        return joined_index(self.contributions())

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Return a manifest below it; raises AppuioError."""
        found = self._manifests.get(descriptor.digest)
        if found is None:
            source = self._owner(descriptor)
            found = self._kept(source, source.manifest(descriptor))
        return found

    def blob(self, descriptor: Descriptor, readers: int = 1) -> Body:
        """Return a blob of the source that has it; raises AppuioError."""
        return self._owner(descriptor).blob(descriptor, readers)

    def read(self, descriptor: Descriptor) -> bytes:
        """Return a small blob; raises AppuioError."""
        return self._owner(descriptor).read(descriptor)

    def holds(self, descriptor: Descriptor) -> bool:
        """Whether one of the sources that name a blob has it; raises AppuioError."""
        return self._owner(descriptor).holds(descriptor)

    def release(self, descriptor: Descriptor) -> None:
        """Forget a blob that nobody needs any more."""
        for source in self._owners.get(descriptor.digest, ()):
            source.release(descriptor)

    def close(self) -> None:
        """Give back what the sources hold."""
        for source in self._sources:
            source.close()

    def tags(self) -> list[str]:
        """Return all tags beside the images, of the sources that have such; raises AppuioError."""
        found = [source.tags() for source in self._sources if isinstance(source, ReferrerSource)]
        return list(dict.fromkeys(tag for tags in found for tag in tags))

    def tagged(self, tag: str) -> Manifest | None:
        """Return what a tag of one of the sources points to, or None; raises AppuioError."""
        for source in self._sources:
            if isinstance(source, ReferrerSource) and tag in source.tags():
                found = source.tagged(tag)
                if found is not None:
                    return self._kept(source, found)
        return None

    def referrers(self, digest: str) -> Referrers:
        """Return what refers to an image, as the sources that have the image know it; nothing refers to the index."""
        found: dict[str, Descriptor] = {}
        skipped: list[str] = []
        for source in self._owners.get(digest, ()):
            if isinstance(source, ReferrerSource):
                listed = source.referrers(digest)
                skipped += listed.skipped
                for entry in listed.entries:
                    found[entry.digest] = entry
                    self._own(source, entry.digest)
        return Referrers(tuple(found.values()), tuple(skipped))

    def _contribution(self, source: Source, platform: Platform | None) -> Contribution:
        known = KnownDocuments(source, self._cache)

        def fetch(descriptor: Descriptor) -> Manifest:
            return self._kept(source, known.manifest(descriptor))

        try:
            root = self._kept(source, known.root())
            found = contribution(root, fetch, known.read, platform, source.description)
        except AppuioError as error:
            raise error.at(step=f"read {source.description}") from None
        for entry in found.entries:
            self._own(source, entry["digest"])
        return found

    def _kept(self, source: Source, manifest: Manifest) -> Manifest:
        """Remember a manifest and who has it, as a source may give what it names by that name only."""
        self._manifests[manifest.digest] = manifest
        for digest in (manifest.digest, *(blob.digest for blob in manifest.blobs)):
            self._own(source, digest)
        return manifest

    def _own(self, source: Source, digest: str) -> None:
        owners = self._owners.setdefault(digest, [])
        if source not in owners:
            owners.append(source)

    def _owner(self, descriptor: Descriptor) -> Source:
        """Return the source to read from; several may name the same blob, and not all of them need to have it."""
        owners = self._owners.get(descriptor.digest, [])
        if not owners:
            raise MissingContentError(f"{self.description} have no {descriptor.digest}")
        if len(owners) == 1:
            return owners[0]
        return next((source for source in owners if source.holds(descriptor)), owners[0])
