# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an image consists of: media types, digests, descriptors, platforms, manifests as the bytes they are; pure.

Source: OCI Image Format Specification 1.1, "Media Types", "Digests", "Content Descriptors", "Image Manifest", "Image
Index"; Docker Image Manifest Version 2, Schema 2.
"""

from __future__ import annotations

import hashlib
from typing import Any, Mapping, NamedTuple

from .._errors import SourceError
from .._json import parse_object
from .._reference import is_digest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"

MANIFESTS = (OCI_MANIFEST, DOCKER_MANIFEST)
INDEXES = (OCI_INDEX, DOCKER_LIST)

# All four always: without its type a registry converts a manifest, or says that there is none.
ACCEPT = ", ".join((OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST))

_NOT_DISTRIBUTABLE = ("nondistributable", "foreign")


def is_index(media_type: str) -> bool:
    """Whether this names manifests rather than blobs."""
    return media_type in INDEXES


def is_manifest(media_type: str) -> bool:
    """Whether this is the manifest of one image."""
    return media_type in MANIFESTS


def is_foreign_layer(media_type: str) -> bool:
    """Whether a layer may be left at the addresses its descriptor gives (base layers of Windows)."""
    return any(word in media_type for word in _NOT_DISTRIBUTABLE)


def digest_of(content: bytes) -> str:
    """Return the sha256 digest of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def new_hash(digest: str) -> Any:
    """Return a hash object for a digest's algorithm; raises SourceError for one that no registry takes."""
    algorithm = digest.partition(":")[0]
    if algorithm not in ("sha256", "sha512"):
        raise SourceError(f"{digest} uses the digest algorithm {algorithm!r}, which registries do not take")
    return hashlib.new(algorithm)


def matches(content: bytes, digest: str) -> bool:
    """Whether the bytes are what the digest names."""
    found = new_hash(digest)
    found.update(content)
    return f"{digest.partition(':')[0]}:{found.hexdigest()}" == digest


class MissingContentError(SourceError):
    """The source names content that it does not hold."""


class Platform(NamedTuple):
    """What an image runs on, as an index entry or an image's configuration says it."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class Descriptor(NamedTuple):
    """A pointer to content: its type, digest and size in bytes; annotations make no difference."""

    media_type: str
    digest: str
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = {}
    urls: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Descriptor) and self._compared() == other._compared()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._compared())

    def _compared(self) -> tuple[Any, ...]:
        return (self.media_type, self.digest, self.size, self.platform, self.urls)


def is_attestation(entry: Descriptor) -> bool:
    """Whether an entry is not an image to run but what BuildKit says about one."""
    return entry.platform == Platform("unknown", "unknown") or "vnd.docker.reference.type" in entry.annotations


class Manifest(NamedTuple):
    """A manifest or index: its bytes are what its digest is of, so they are kept."""

    content: bytes
    media_type: str = ""
    digest: str = ""
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    entries: tuple[Descriptor, ...] = ()

    def __repr__(self) -> str:
        """Leave out the content."""
        return f"Manifest({self.digest!r}, {self.media_type!r})"

    @property
    def is_index(self) -> bool:
        """Whether this names manifests rather than blobs."""
        return is_index(self.media_type)

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Configuration and layers, each once."""
        found = {blob.digest: blob for blob in (*((self.config,) if self.config else ()), *self.layers)}
        return tuple(found.values())


def parse_manifest(content: bytes, media_type: str | None = None) -> Manifest:
    """Return what the bytes say; raises SourceError for what is neither a manifest nor an index.

    ``media_type`` is what a descriptor or a header said; the content's own word must be the same.
    """
    document = parse_object(content, "a manifest of the source")
    own = document.get("mediaType") or _guessed(document)
    if own is not None and not isinstance(own, str):
        raise SourceError("a manifest of the source has a mediaType that is no text")
    media_type = media_type if media_type and (is_index(media_type) or is_manifest(media_type)) else own
    if document.get("mediaType") and document["mediaType"] != media_type:
        raise SourceError(f"a manifest of the source says it is {own} and is announced as {media_type}")
    if media_type is None or not (is_index(media_type) or is_manifest(media_type)):
        if document.get("schemaVersion") == 1:
            raise SourceError("the source is an image of the old schema 1, which zones do not take")
        raise SourceError(f"the source is not an image: its type is {media_type or 'unknown'}")
    if is_index(media_type):
        entries = tuple(descriptor(entry) for entry in _list(document, "manifests"))
        return Manifest(content, media_type, digest_of(content), entries=entries)
    layers = tuple(descriptor(layer) for layer in _list(document, "layers"))
    return Manifest(content, media_type, digest_of(content), descriptor(document.get("config")), layers)


def descriptor(value: Any) -> Descriptor:
    """Return the descriptor that a JSON object is; raises SourceError."""
    if not isinstance(value, dict):
        raise SourceError("a manifest of the source lacks a descriptor")
    digest, size = value.get("digest"), value.get("size")
    if not isinstance(digest, str) or not is_digest(digest):
        raise SourceError(f"a descriptor of the source has no digest of a known kind: {digest!r}")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 63:
        raise SourceError(f"the descriptor of {digest} has no size")
    platform, annotations, urls = value.get("platform"), value.get("annotations"), value.get("urls")
    return Descriptor(
        media_type=str(value.get("mediaType") or ""),
        digest=digest,
        size=size,
        platform=_platform(platform) if isinstance(platform, dict) else None,
        annotations=_texts(annotations) if isinstance(annotations, dict) else {},
        urls=tuple(str(url) for url in urls) if isinstance(urls, list) else (),
    )


def _texts(value: Mapping[str, Any]) -> dict[str, str]:
    """Annotations are texts (OCI Image Format Specification 1.1, "Annotations"); anything else says nothing."""
    return {name: text for name, text in value.items() if isinstance(text, str)}


def _platform(value: Mapping[str, Any]) -> Platform:
    return Platform(*(str(value.get(name) or "") for name in ("os", "architecture", "variant")))


def _guessed(document: Mapping[str, Any]) -> str | None:
    if isinstance(document.get("manifests"), list):
        return OCI_INDEX
    if isinstance(document.get("layers"), list) and isinstance(document.get("config"), dict):
        return OCI_MANIFEST
    return None


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    if not isinstance(value, list):
        raise SourceError(f"a manifest of the source has no {name}")
    return value
