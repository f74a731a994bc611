# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One index of the images of several sources; pure.

Source: OCI Image Format Specification 1.1, "Image Index". An entry is the JSON object that stands in it: what another
index says of an image, its annotations and the version of its operating system, stays as it is.
"""

from __future__ import annotations

import json
from typing import Any, Mapping, NamedTuple, Sequence

from .._errors import SourceError
from .model import OCI_INDEX, Descriptor, Manifest, Platform, descriptor, is_attestation, parse_manifest
from .platforms import chosen, normalised, platform_document
from .walk import Fetch, ReadConfig, platform_of, unwrapped, with_platforms

Entry = Mapping[str, Any]
_NONE = Platform("", "")
_ABOUT = "vnd.docker.reference.digest"


class Contribution(NamedTuple):
    """The entries that a source gives to the index; ``source`` names it in errors."""

    source: str
    entries: tuple[Entry, ...]

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms of its images."""
        found = [descriptor(entry) for entry in self.entries]
        return tuple(str(entry.platform) for entry in found if not is_attestation(entry))


def image_entry(manifest: Manifest, platform: Platform) -> Entry:
    """Return the entry of an image."""
    document = {"mediaType": manifest.media_type, "digest": manifest.digest, "size": len(manifest.content)}
    return {**document, "platform": platform_document(platform)}


def image_platform(there: Platform | None, given: Platform | None, source: str) -> Platform:
    """Return the platform of an image by its configuration, or as it is given where that does not say all of it.

    Raises SourceError where neither names one, and where they contradict each other.
    """
    if there is None or not there.os or not there.architecture:
        if given is None:
            raise SourceError(
                f"the configuration of {source} names no platform, which an index has to",
                hint="Give it with the source: {source: …, platform: linux/amd64}",
            )
        return given
    own, wanted = normalised(there), normalised(given or there)
    if own == wanted:
        return there
    if given is None or there.variant or (own.os, own.architecture) != (wanted.os, wanted.architecture):
        raise SourceError(f"{source} is an image for {there}, not for {given} as platform says")
    return given


def contribution(
    root: Manifest, fetch: Fetch, read_config: ReadConfig, given: Platform | None, source: str
) -> Contribution:
    """Return what a source gives to the index: its image, or the images of its index with what is attested of them.

    With ``given``, it is the image for that platform alone. Raises SourceError for an image whose platform is unknown.
    """
    root = unwrapped(root, fetch)
    if not root.is_index:
        platform = image_platform(platform_of(root, read_config), given, source)
        return Contribution(source, (image_entry(root, platform),))
    index = with_platforms(root, fetch, read_config)
    images = [entry for entry in index.entries if not is_attestation(entry)]
    if given is not None and (len(images) != 1 or images[0].platform):
        one = chosen(index, [normalised(given)])
        images = [one] if isinstance(one, Descriptor) else images
    if not images:
        raise SourceError(f"{source} is an index without an image")
    platforms = {entry: image_platform(entry.platform, given, source) for entry in images}
    digests = {entry.digest for entry in images}
    entries = []
    for raw, entry in zip(json.loads(root.content)["manifests"], index.entries):
        if is_attestation(entry):
            if given is None or entry.annotations.get(_ABOUT) in digests:
                entries.append(raw)
        elif entry in images:
            there = raw["platform"] if isinstance(raw.get("platform"), dict) else {}
            entries.append({**raw, "platform": {**there, **platform_document(platforms[entry])}})
    return Contribution(source, tuple(entries))


def ordered_entries(contributions: Sequence[Contribution]) -> list[Entry]:
    """Return all entries in an order that does not depend on that of the sources: images by platform, attestations.

    Raises SourceError where two sources have an image for the same platform.
    """
    images: list[tuple[tuple[str, ...], Entry]] = []
    attestations: dict[str, Entry] = {}
    owners: dict[tuple[str, ...], int] = {}
    for number, (source, entries) in enumerate(contributions):
        for raw in entries:
            entry = descriptor(raw)
            if is_attestation(entry):
                attestations[entry.digest] = raw
                continue
            key = _platform_key(raw, entry.platform or _NONE)
            owner = owners.setdefault(key, number)
            if owner != number:
                raise SourceError(
                    f"{contributions[owner].source} and {source} both have an image for {entry.platform}",
                    hint="Leave one of them out, or choose what it gives: {source: …, platform: …}",
                )
            images.append(((*key, entry.digest), raw))
    ordered = [raw for _key, raw in sorted(images, key=lambda image: image[0])]
    return [*ordered, *(raw for _digest, raw in sorted(attestations.items()))]


def joined_index(contributions: Sequence[Contribution]) -> Manifest:
    """Return the index, the same bytes for the same images; raises SourceError as ``ordered_entries`` does."""
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": ordered_entries(contributions)}
    return parse_manifest(json.dumps(document, indent=2, ensure_ascii=False).encode(), OCI_INDEX)


def _platform_key(raw: Entry, platform: Platform) -> tuple[str, ...]:
    """What tells images apart; an index may have several of Windows, which differ in their version."""
    own = normalised(platform)
    version, features = raw["platform"].get("os.version"), raw["platform"].get("os.features")
    return (own.os, own.architecture, own.variant, str(version or ""), json.dumps(features or []))
