# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing platforms of an index; pure.

Source: OCI Image Format Specification 1.1, "Image Index" (platform), and the variants as containerd
normalises them: arm64 without a variant is v8, arm without one is v7, amd64's v1 is no variant.
"""

from __future__ import annotations

import json
from typing import Sequence

from .._errors import InvalidOptionError, SourceError
from .model import Descriptor, Manifest, Platform, is_attestation, parse_manifest

_ARCHITECTURES = {
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "armhf": "arm",
    "armel": "arm",
    "i386": "386",
}
_OWN_VARIANT = {("arm64", ""): "v8", ("arm", ""): "v7", ("amd64", "v1"): ""}


def parse_platform(text: str) -> Platform:
    """Return the platform that ``os/architecture[/variant]`` names; raises InvalidOptionError."""
    parts = text.strip().lower().split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise InvalidOptionError(
            f"platform {text!r} is not os/architecture[/variant]", hint="Write it like linux/amd64"
        )
    return normalised(Platform(*parts))


def normalised(platform: Platform) -> Platform:
    """Return the platform by the names that Go and containerd use."""
    architecture = _ARCHITECTURES.get(platform.architecture, platform.architecture)
    variant = _OWN_VARIANT.get((architecture, platform.variant), platform.variant)
    return Platform(platform.os, architecture, variant)


def is_same(there: Platform, wanted: Platform) -> bool:
    """Whether an image is for the platform that is wanted, of whatever variant where none is named."""
    there = normalised(there)
    if there == wanted:
        return True
    return not wanted.variant and (there.os, there.architecture) == (wanted.os, wanted.architecture)


def chosen(index: Manifest, wanted: Sequence[Platform]) -> Manifest | Descriptor:
    """Return the one entry that is wanted, or an index of several, with the attestations about them.

    The same index comes back when everything is wanted. Raises SourceError, with what there is, for a
    platform that the index does not have.
    """
    found = [_entry(index, platform) for platform in wanted]
    if len(found) == 1:
        return found[0]
    digests = {entry.digest for entry in found}
    kept = [
        entry.digest in digests or entry.annotations.get("vnd.docker.reference.digest") in digests
        for entry in index.entries
    ]
    if all(kept) and parse_manifest(index.content, index.media_type).entries == index.entries:
        return index
    document = json.loads(index.content)
    # An entry that had no platform has it from its image now: OpenShift wants one.
    document["manifests"] = [
        raw if raw.get("platform") or not entry.platform else {**raw, "platform": platform_document(entry.platform)}
        for raw, entry, keep in zip(document["manifests"], index.entries, kept)
        if keep
    ]
    content = json.dumps(document, indent=2, ensure_ascii=False).encode()
    return parse_manifest(content, index.media_type)


def platform_document(platform: Platform) -> dict[str, str]:
    """Return a platform as an index entry says it."""
    document = {"os": platform.os, "architecture": platform.architecture}
    return {**document, "variant": platform.variant} if platform.variant else document


def _entry(index: Manifest, wanted: Platform) -> Descriptor:
    images = [entry for entry in index.entries if entry.platform and not is_attestation(entry)]
    for entry in images:
        if entry.platform and normalised(entry.platform) == wanted:
            return entry
    for entry in images:
        there = normalised(entry.platform) if entry.platform else wanted
        if not wanted.variant and (there.os, there.architecture) == (wanted.os, wanted.architecture):
            return entry
    names = ", ".join(str(entry.platform) for entry in images) or "none"
    raise SourceError(f"the source has no image for {wanted}", hint=f"It has {names}")
