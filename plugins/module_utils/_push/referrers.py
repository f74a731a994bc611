# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What travels along with an image: found at the source, and put where a zone's clients find it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Callable, Sequence

from .._errors import SourceError
from .._oci.contents import ImageContents
from .._oci.model import Manifest
from .._oci.referrers import (
    cosign_tags,
    fallback_index,
    fallback_tag,
    subjects,
    taken_by_openshift,
)
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
            manifest = _read(partial(source.tagged, tag), tag, source, skipped) if tag in tags else None
            if manifest is not None:
                found.append(Referrer(tag, (manifest,), is_list=False))
        listed = source.referrers(digest)
        skipped.extend(listed.skipped)
        manifests = [_read(partial(source.manifest, entry), entry.digest, source, skipped) for entry in listed.entries]
        referring = tuple(manifest for manifest in manifests if manifest is not None)
        if referring:
            found.append(Referrer(fallback_tag(digest), referring, is_list=True))
    return ImageReferrers(tuple(found), tuple(dict.fromkeys(skipped)))


def with_referrers(image: ImageContents, referrers: Sequence[Referrer]) -> ImageContents:
    """Return the image with all blobs that are needed, and the manifests that lists refer to by digest."""
    listed = {one.digest: one for referrer in referrers if referrer.is_list for one in referrer.manifests}
    blobs = {blob.digest: blob for blob in image.blobs}
    for referrer in referrers:
        for manifest in referrer.manifests:
            blobs.update({blob.digest: blob for blob in manifest.blobs})
    manifests = (*image.manifests[:-1], *listed.values(), image.manifests[-1])
    return image._replace(manifests=manifests, blobs=tuple(blobs.values()))


def _read(
    read: Callable[[], Manifest | None], name: str, source: ReferrerSource, skipped: list[str]
) -> Manifest | None:
    """Return a referrer that can travel; of any other, the reason is added to ``skipped``."""
    try:
        manifest = read()
        reason = _obstacle(source, manifest, name) if manifest is not None else None
    except SourceError as error:
        manifest, reason = None, str(error)
    if reason is not None:
        skipped.append(f"{name}: {reason}")
        return None
    return manifest


def _obstacle(source: ReferrerSource, manifest: Manifest, name: str) -> str | None:
    """Return why a zone cannot have a referrer, or None; raises SourceError for a configuration that cannot be read."""
    if manifest.is_index:
        return "it is an index, which zones do not take within another"
    digests = [blob.digest for blob in manifest.blobs]
    if any(digest.startswith("sha512:") for digest in (name, *digests)):
        return "it has a digest that is no sha256 digest, by which alone zones keep content"
    if manifest.config is not None and not taken_by_openshift(manifest, source.read(manifest.config)):
        return "its configuration is none of an image, which would break the repository in a zone"
    missing = [blob.digest for blob in manifest.blobs if not source.holds(blob)]
    return f"the source does not have its blob {missing[0]}" if missing else None
