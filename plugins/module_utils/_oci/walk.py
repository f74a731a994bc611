# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a source names to the manifest that is pushed; pure."""

from __future__ import annotations

from typing import Callable, Sequence

from .._errors import SourceError
from .._json import JsonError, parse_json
from .model import Descriptor, Manifest, Platform, is_index, is_manifest

MOST_DEPTH = 4
LARGEST_MANIFEST = 4 * 1024 * 1024

Fetch = Callable[[Descriptor], Manifest]
ReadConfig = Callable[[Descriptor], bytes]


def select(root: Manifest, fetch: Fetch, wanted: Sequence[Platform], read_config: ReadConfig) -> Manifest:
    """Return what is to be pushed of ``root``: itself, or the platforms that are wanted; raises SourceError.

    An index whose only entry has no platform comes down to that image, as OpenShift refuses such an index.
    """
    root = unwrapped(root, fetch)
    if not wanted:
        (entry, *more) = root.entries or (None,)
        lone = entry is not None and not more and not entry.platform and is_manifest(entry.media_type)
        return fetch(entry) if entry is not None and lone else root
    from .platforms import chosen, is_same

    if root.is_index:
        found = chosen(with_platforms(root, fetch, read_config), wanted)
        return fetch(found) if isinstance(found, Descriptor) else found
    there = platform_of(root, read_config)
    if there is None or len(wanted) > 1 or not is_same(there, wanted[0]):
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


def with_platforms(index: Manifest, fetch: Fetch, read_config: ReadConfig) -> Manifest:
    """The same index, with what the images say of themselves where an entry has no platform."""
    entries = []
    for entry in index.entries:
        if not entry.platform and is_manifest(entry.media_type):
            there = platform_of(fetch(entry), read_config)
            entry = entry._replace(platform=there) if there and there.os else entry
        entries.append(entry)
    return index._replace(entries=tuple(entries))


def platform_of(manifest: Manifest, read_config: ReadConfig) -> Platform | None:
    """Return the platform that an image's configuration names, or None for what is no image to run."""
    if manifest.config is None or manifest.config.size > LARGEST_MANIFEST:
        return None
    try:
        document = parse_json(read_config(manifest.config))
    except JsonError:
        return None
    if not isinstance(document, dict) or not document.get("architecture"):
        return None
    return Platform(*(str(document.get(name) or "") for name in ("os", "architecture", "variant")))
