# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a source names to all that has to travel: manifests children first, blobs each once; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Callable, Sequence

from .._errors import SourceError
from .media_types import is_foreign_layer, is_index, is_manifest
from .model import Descriptor, Manifest, Platform
from .platforms import chosen, is_attestation, normalised

MOST_DEPTH = 4
LARGEST_MANIFEST = 4 * 1024 * 1024

Fetch = Callable[[Descriptor], Manifest]


@dataclass(frozen=True)
class Image:
    """All that an image consists of. ``manifests`` has children before their index, ``root`` last."""

    root: Manifest
    manifests: tuple[Manifest, ...]
    blobs: tuple[Descriptor, ...]
    platforms: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The digest that a tag of this image has."""
        return self.root.digest

    @property
    def size(self) -> int:
        """Bytes of all blobs."""
        return sum(blob.size for blob in self.blobs)


def select(
    root: Manifest, fetch: Fetch, wanted: Sequence[Platform], read_config: Callable[[Descriptor], bytes]
) -> Manifest:
    """Return what is to be pushed of ``root``: itself, or the platforms that are wanted; raises SourceError."""
    root = unwrapped(root, fetch)
    if not wanted:
        return root
    if root.is_index:
        found = chosen(root, wanted)
        return fetch(found) if isinstance(found, Descriptor) else found
    there = platform_of(root, read_config)
    if there is None or len(wanted) > 1 or not _same(there, wanted[0]):
        names = ", ".join(str(platform) for platform in wanted)
        raise SourceError(f"the source is one image for {there or 'an unknown platform'}, not for {names}")
    return root


def unwrapped(root: Manifest, fetch: Fetch) -> Manifest:
    """Return the index within an index that only wraps it, as OCI layouts have it."""
    for _depth in range(MOST_DEPTH):
        if not root.is_index or len(root.entries) != 1 or not is_index(root.entries[0].media_type):
            break
        root = fetch(root.entries[0])
    return root


def gather(root: Manifest, fetch: Fetch, read_config: Callable[[Descriptor], bytes]) -> Image:
    """Return all manifests and blobs below ``root``; raises SourceError for what a zone would refuse."""
    check_entries(root)
    manifests: dict[str, Manifest] = {}
    blobs: dict[str, Descriptor] = {}
    for manifest in [*(fetch(entry) for entry in root.entries), root]:
        if manifest.is_index and manifest is not root:
            raise SourceError(f"the index {root.digest} holds another index, {manifest.digest}, which zones refuse")
        if len(manifest.content) > LARGEST_MANIFEST:
            raise SourceError(f"the manifest {manifest.digest} is larger than 4 MiB, which zones refuse")
        manifests[manifest.digest] = manifest
        for blob in manifest.blobs:
            if not (blob.urls and is_foreign_layer(blob.media_type)):
                blobs.setdefault(blob.digest, blob)
    if root.is_index:
        platforms = [str(entry.platform) for entry in root.entries if entry.platform and not is_attestation(entry)]
    else:
        platforms = [str(there) for there in (platform_of(root, read_config),) if there]
    return Image(root, tuple(manifests.values()), tuple(blobs.values()), tuple(platforms))


def check_entries(index: Manifest) -> None:
    """Raise SourceError for an entry that OpenShift answers with a bare 500: each needs os and architecture."""
    for number, entry in enumerate(index.entries):
        if not (is_manifest(entry.media_type) or is_index(entry.media_type)):
            raise SourceError(f"entry {number} of the index is no image but {entry.media_type or 'of no type'}")
        if not entry.platform or not entry.platform.os or not entry.platform.architecture:
            raise SourceError(
                f"entry {number} of the index ({entry.digest}) has no platform with os and architecture, "
                "and OpenShift refuses such an index",
                hint="Push one of its images with platforms, or build the index with platforms",
            )


def platform_of(manifest: Manifest, read_config: Callable[[Descriptor], bytes]) -> Platform | None:
    """Return the platform that an image's configuration names, or None for what is no image to run."""
    if manifest.config is None or manifest.config.size > LARGEST_MANIFEST:
        return None
    try:
        document = json.loads(read_config(manifest.config))
    except ValueError:
        return None
    if not isinstance(document, dict) or not document.get("architecture"):
        return None
    return Platform(*(str(document.get(name) or "") for name in ("os", "architecture", "variant")))


def _same(there: Platform, wanted: Platform) -> bool:
    there = normalised(there)
    if there == wanted:
        return True
    return not wanted.variant and (there.os, there.architecture) == (wanted.os, wanted.architecture)
