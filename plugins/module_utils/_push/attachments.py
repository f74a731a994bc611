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
from .._oci.walk import Image
from .._source.base import ReferrerSource


@dataclass(frozen=True)
class Attachment:
    """One tag and what it is to hold: a manifest itself, or a list of ``manifests`` that refer to an image."""

    tag: str
    manifests: tuple[Manifest, ...]
    is_list: bool

    def wanted(self, existing: Manifest | None) -> Manifest:
        """Return what the tag is to name, given what it names now; a list keeps what others have put into it."""
        return fallback_index(existing, self.manifests) if self.is_list else self.manifests[0]


@dataclass(frozen=True)
class Found:
    """What is attached to an image, and what cannot travel, each with its reason."""

    attachments: tuple[Attachment, ...] = ()
    left: tuple[str, ...] = ()


def find_attachments(source: ReferrerSource, root: Manifest) -> Found:
    """Return what is attached to an image and its platforms; raises SourceError."""
    attachments: list[Attachment] = []
    left: list[str] = []
    tags = set(source.tags())
    for digest in subjects(root):
        for tag in cosign_tags(digest):
            manifest = source.tagged(tag) if tag in tags else None
            if manifest is not None:
                _sort(source, manifest, tag, attachments, left)
        referrers = source.referrers(digest)
        left.extend(referrers.skipped)
        manifests = [_fetched(source, entry, left) for entry in referrers.entries]
        referring = tuple(manifest for manifest in manifests if manifest is not None)
        if referring:
            attachments.append(Attachment(fallback_tag(digest), referring, is_list=True))
    return Found(tuple(attachments), tuple(left))


def with_attachments(image: Image, attachments: Sequence[Attachment]) -> Image:
    """Return the image with all blobs that are needed, and the manifests that lists refer to by digest."""
    listed = {one.digest: one for attached in attachments if attached.is_list for one in attached.manifests}
    blobs = {blob.digest: blob for blob in image.blobs}
    for attached in attachments:
        for manifest in attached.manifests:
            blobs.update({blob.digest: blob for blob in manifest.blobs})
    manifests = (*image.manifests[:-1], *listed.values(), image.manifests[-1])
    return replace(image, manifests=manifests, blobs=tuple(blobs.values()))


def _sort(source: ReferrerSource, manifest: Manifest, tag: str, attachments: list[Attachment], left: list[str]) -> None:
    config = source.read(manifest.config) if manifest.config else b""
    if taken_by_openshift(manifest, config):
        attachments.append(Attachment(tag, (manifest,), is_list=False))
    else:
        left.append(f"{tag}: its configuration is none of an image, which would break the repository in a zone")


def _fetched(source: ReferrerSource, entry: Descriptor, left: list[str]) -> Manifest | None:
    try:
        manifest = source.manifest(entry)
    except SourceError as error:
        left.append(f"{entry.digest}: {error}")
        return None
    if manifest.is_index:
        left.append(f"{entry.digest}: it is an index, which zones do not take within another")
        return None
    if not entry.digest.startswith("sha256:"):
        left.append(f"{entry.digest}: it is no sha256 digest, by which alone zones keep content")
        return None
    if manifest.config is not None and not taken_by_openshift(manifest, source.read(manifest.config)):
        left.append(f"{entry.digest}: its configuration is none of an image, which would break the repository")
        return None
    return manifest
