# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What travels along with an image: found at the source, and put where a zone's clients find it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Sequence

from .._errors import SourceError
from .._oci.model import Descriptor, Manifest
from .._oci.referrers import (
    cosign_tags,
    fallback_index,
    fallback_tag,
    subjects,
    taken_by_openshift,
)
from .._oci.walk import Image as ImageContents
from .._source.base import ReferrerSource


@dataclass(frozen=True)
class Referrer:
    """One tag and what it shall point to: a manifest itself, or a list of ``manifests`` that refer to an image."""

    tag: str
    manifests: tuple[Manifest, ...]
    is_list: bool

    def wanted(self, existing: Manifest | None) -> Manifest:
        """Return what the tag shall point to, given what it does now; a list keeps what others have put into it."""
        return fallback_index(existing, self.manifests) if self.is_list else self.manifests[0]


@dataclass(frozen=True)
class ImageReferrers:
    """What refers to an image: the tags that travel with it, and what is skipped, each with the reason."""

    tags: tuple[Referrer, ...] = ()
    skipped: tuple[str, ...] = ()


def find_referrers(source: ReferrerSource, root: Manifest) -> ImageReferrers:
    """Return what refers to an image and its platforms; raises SourceError."""
    found: list[Referrer] = []
    skipped: list[str] = []
    tags = set(source.tags())
    for digest in subjects(root):
        for tag in cosign_tags(digest):
            manifest = source.tagged(tag) if tag in tags else None
            if manifest is not None:
                _add_tagged(source, manifest, tag, found, skipped)
        listed = source.referrers(digest)
        skipped.extend(listed.skipped)
        manifests = [_fetch(source, entry, skipped) for entry in listed.entries]
        referring = tuple(manifest for manifest in manifests if manifest is not None)
        if referring:
            found.append(Referrer(fallback_tag(digest), referring, is_list=True))
    return ImageReferrers(tuple(found), tuple(skipped))


def with_referrers(image: ImageContents, referrers: Sequence[Referrer]) -> ImageContents:
    """Return the image with all blobs that are needed, and the manifests that lists refer to by digest."""
    listed = {one.digest: one for referrer in referrers if referrer.is_list for one in referrer.manifests}
    blobs = {blob.digest: blob for blob in image.blobs}
    for referrer in referrers:
        for manifest in referrer.manifests:
            blobs.update({blob.digest: blob for blob in manifest.blobs})
    manifests = (*image.manifests[:-1], *listed.values(), image.manifests[-1])
    return replace(image, manifests=manifests, blobs=tuple(blobs.values()))


def _add_tagged(
    source: ReferrerSource, manifest: Manifest, tag: str, found: list[Referrer], skipped: list[str]
) -> None:
    config = source.read(manifest.config) if manifest.config else b""
    if taken_by_openshift(manifest, config):
        found.append(Referrer(tag, (manifest,), is_list=False))
    else:
        skipped.append(f"{tag}: its configuration is none of an image, which would break the repository in a zone")


def _fetch(source: ReferrerSource, entry: Descriptor, skipped: list[str]) -> Manifest | None:
    try:
        manifest = source.manifest(entry)
    except SourceError as error:
        skipped.append(f"{entry.digest}: {error}")
        return None
    if manifest.is_index:
        skipped.append(f"{entry.digest}: it is an index, which zones do not take within another")
        return None
    if not entry.digest.startswith("sha256:"):
        skipped.append(f"{entry.digest}: it is no sha256 digest, by which alone zones keep content")
        return None
    if manifest.config is not None and not taken_by_openshift(manifest, source.read(manifest.config)):
        skipped.append(f"{entry.digest}: its configuration is none of an image, which would break the repository")
        return None
    return manifest
