# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is attached to an image: signatures, attestations, SBOMs; pure.

Sources: OCI Distribution Specification 1.1, "Listing Referrers" and "Referrers Tag Schema"; cosign's
specification of tags (``sha256-<hex>.sig``, ``.att``, ``.sbom``).

What OpenShift's registry would store without a word and could not give back is refused before anything is written.
Observed on OpenShift 4.20: one configuration that is none of an image makes digests of its whole repository answer 500;
content under another digest than sha256 is kept by its sha256 digest, so that nothing finds it.
"""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Iterable, Sequence

from .._errors import SourceError
from .._json import JsonError, parse_json, parse_object
from .contents import ImageContents
from .model import OCI_INDEX, Descriptor, Manifest, is_manifest, parse_manifest
from .walk import LARGEST_MANIFEST

_SUFFIXES = ("sig", "att", "sbom")
_ATTACHED = re.compile(rf"sha256-[0-9a-f]{{64}}(\.({'|'.join(_SUFFIXES)}))?")
_NO_PLATFORM = {"os": "unknown", "architecture": "unknown"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def fallback_tag(digest: str) -> str:
    """Return the tag that lists what refers to a digest, where a registry has no API for it."""
    return digest.replace(":", "-")


def cosign_tags(digest: str) -> tuple[str, ...]:
    """Return the tags under which cosign keeps what belongs to a digest."""
    return tuple(f"{fallback_tag(digest)}.{suffix}" for suffix in _SUFFIXES)


def is_attached_tag(tag: str) -> bool:
    """Whether a tag is one of those that belong to a digest."""
    return bool(_ATTACHED.fullmatch(tag))


def subject_of(manifest: Manifest) -> str | None:
    """Return the digest that a manifest refers to."""
    subject = parse_object(manifest.content, f"the manifest {manifest.digest}").get("subject")
    digest = subject.get("digest") if isinstance(subject, dict) else None
    return digest if isinstance(digest, str) else None


def fallback_index(existing: Manifest | None, referrers: Sequence[Manifest]) -> Manifest:
    """Return the index for the fallback tag: what it lists already, and these manifests.

    Each entry has a platform, as OpenShift refuses an index with an entry that has none. The existing
    index comes back where it lists everything.
    """
    entries: list[dict[str, Any]] = json.loads(existing.content)["manifests"] if existing and existing.is_index else []
    there = {str(entry.get("digest")) for entry in entries}
    new = [referrer for referrer in referrers if referrer.digest not in there]
    if existing is not None and existing.is_index and not new:
        return existing
    entries = [{**entry, "platform": entry.get("platform") or _NO_PLATFORM} for entry in entries]
    entries += [_entry(referrer) for referrer in sorted(new, key=lambda one: one.digest)]
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    return parse_manifest(json.dumps(document, indent=2).encode(), OCI_INDEX)


def taken_by_openshift(manifest: Manifest, config: bytes) -> bool:
    """Whether a manifest may stand under a tag of a zone without harm.

    A configuration that cannot be read as that of an image makes every digest of the repository unreadable.
    """
    if not is_manifest(manifest.media_type):
        return False
    try:
        document = parse_json(config)
    except JsonError:
        return False
    if document is None:
        return True
    if not isinstance(document, dict) or not isinstance(document.get("config") or {}, dict):
        return False
    texts = [document.get(name) or "" for name in ("architecture", "os", "author")]
    created = document.get("created")
    in_time = created is None or (isinstance(created, str) and bool(_TIME.fullmatch(created)))
    return in_time and all(isinstance(text, str) for text in texts)


def subjects(root: Manifest) -> Iterable[str]:
    """Return the digests that something may be attached to: the image's, and those of its platforms."""
    return (root.digest, *(entry.digest for entry in root.entries))


def listed(index: Manifest) -> tuple[Descriptor, ...]:
    """Return the entries of a list of referrers, each once."""
    return tuple({entry.digest: entry for entry in index.entries}.values())


def _entry(referrer: Manifest) -> dict[str, Any]:
    document = json.loads(referrer.content)
    config_type = referrer.config.media_type if referrer.config else ""
    entry: dict[str, Any] = {
        "mediaType": referrer.media_type,
        "digest": referrer.digest,
        "size": len(referrer.content),
        "platform": _NO_PLATFORM,
        "artifactType": document.get("artifactType") or config_type,
    }
    if isinstance(document.get("annotations"), dict):
        entry["annotations"] = document["annotations"]
    return entry


def check_pushable(image: ImageContents, read_config: Callable[[Descriptor], bytes]) -> None:
    """Raise SourceError for an image that would break its repository in a zone, or could not be pulled from it."""
    for descriptor in (*image.root.entries, *image.blobs):
        if not descriptor.digest.startswith("sha256:"):
            raise SourceError(
                f"{descriptor.digest} is no sha256 digest, and OpenShift keeps content by sha256 only: nothing could "
                "pull it by that digest",
                hint="Build the image with sha256 digests",
            )
    for manifest in image.manifests:
        config = manifest.config
        if config is None:
            continue
        if config.size > LARGEST_MANIFEST:
            raise SourceError(f"the configuration of {manifest.digest} is larger than 4 MiB, which no image has")
        if not taken_by_openshift(manifest, read_config(config)):
            raise SourceError(
                f"{manifest.digest} is no image: its configuration ({config.media_type or 'of no type'}, "
                f"{config.size} bytes) is none of an image, and once it stands in a repository OpenShift answers "
                "with an error to digests of other images there",
                hint="Artifacts that are no images belong in another registry",
            )
