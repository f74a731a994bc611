# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that an image consists of and that has to travel: manifests children first, blobs each once; pure."""

from __future__ import annotations

from typing import Callable, NamedTuple

from .._errors import SourceError
from .model import Descriptor, Manifest, MissingContentError, is_attestation, is_foreign_layer, is_index, is_manifest
from .walk import LARGEST_MANIFEST, Fetch, ReadConfig, platform_of, with_platforms

Holds = Callable[[Descriptor], bool]


class ImageContents(NamedTuple):
    """All that an image consists of. ``manifests`` has children before their index, ``root`` last.

    ``foreign`` are layers that the source does not have, so that a pull needs the addresses in their descriptors.
    """

    root: Manifest
    manifests: tuple[Manifest, ...]
    blobs: tuple[Descriptor, ...]
    platforms: tuple[str, ...] = ()
    foreign: tuple[Descriptor, ...] = ()

    @property
    def digest(self) -> str:
        """The digest that a tag of this image has."""
        return self.root.digest

    @property
    def size(self) -> int:
        """Bytes of all blobs."""
        return sum(blob.size for blob in self.blobs)


def gather(root: Manifest, fetch: Fetch, read_config: ReadConfig, holds: Holds | None = None) -> ImageContents:
    """Return all manifests and blobs below ``root``; raises SourceError for what a zone would refuse.

    ``holds`` tells whether the source has a blob; without it, foreign layers are taken for absent, others for present.
    """
    check_entries(root, fetch, read_config)
    manifests: dict[str, Manifest] = {}
    blobs: dict[str, Descriptor] = {}
    foreign: dict[str, Descriptor] = {}
    for manifest in [*_children(root, fetch, holds), root]:
        if manifest.is_index and manifest is not root:
            raise SourceError(f"the index {root.digest} holds another index, {manifest.digest}, which zones refuse")
        if len(manifest.content) > LARGEST_MANIFEST:
            raise SourceError(f"the manifest {manifest.digest} is larger than 4 MiB, which zones refuse")
        manifests[manifest.digest] = manifest
        for blob in manifest.blobs:
            if blob.urls and is_foreign_layer(blob.media_type) and not (holds and holds(blob)):
                foreign.setdefault(blob.digest, blob)
            else:
                blobs.setdefault(blob.digest, blob)
    if root.is_index:
        platforms = [str(entry.platform) for entry in root.entries if entry.platform and not is_attestation(entry)]
    else:
        platforms = [str(there) for there in (platform_of(root, read_config),) if there]
    return ImageContents(
        root, tuple(manifests.values()), tuple(blobs.values()), tuple(platforms), tuple(foreign.values())
    )


class PartialImageError(SourceError):
    """The source has some of the images of an index only; ``missing`` is the first content that is not there."""

    missing: Descriptor


def _children(root: Manifest, fetch: Fetch, holds: Holds | None) -> list[Manifest]:
    """The images of an index; raises SourceError, with the platforms that are there, where some are not."""
    children: list[Manifest] = []
    missing: list[Descriptor] = []
    there: list[Descriptor] = []
    absent: list[Descriptor] = []
    for entry in root.entries:
        try:
            child = fetch(entry)
        except MissingContentError:
            missing.append(entry)
            absent.append(entry)
            continue
        needed = [blob for blob in child.blobs if not (blob.urls and is_foreign_layer(blob.media_type))]
        lost = next((blob for blob in needed if holds is not None and not holds(blob)), None)
        absent += [lost] if lost else []
        (missing if lost else there).append(entry)
        children.append(child)
    if missing:
        have = [str(entry.platform) for entry in there if not is_attestation(entry)]
        lack = [str(entry.platform) for entry in missing if not is_attestation(entry)]
        what = f"for {', '.join(lack)}" if lack else "of attestations"
        error = PartialImageError(
            f"the source has only a part of its image: the content {what} is not there",
            hint=f"Choose what is there: platforms: [{', '.join(have)}]" if have else "It has none of its platforms",
        )
        error.missing = absent[0]
        raise error
    return children


def check_entries(index: Manifest, fetch: Fetch, read_config: ReadConfig) -> None:
    """Raise SourceError for an entry that OpenShift answers with a bare 500: each needs os and architecture."""
    for number, entry in enumerate(index.entries):
        if not (is_manifest(entry.media_type) or is_index(entry.media_type)):
            raise SourceError(f"entry {number} of the index is no image but {entry.media_type or 'of no type'}")
        if not entry.platform or not entry.platform.os or not entry.platform.architecture:
            raise SourceError(
                f"entry {number} of the index ({entry.digest}) has no platform with os and architecture, "
                "and OpenShift refuses such an index",
                hint=_platform_hint(index, fetch, read_config),
            )


def _platform_hint(index: Manifest, fetch: Fetch, read_config: ReadConfig) -> str:
    try:
        entries = with_platforms(index, fetch, read_config).entries
    except SourceError:
        entries = index.entries
    known = [str(entry.platform) for entry in entries if entry.platform and not is_attestation(entry)]
    if known:
        return f"Choose from what its images say: platforms: [{', '.join(dict.fromkeys(known))}]"
    return "Build the index with platforms"
