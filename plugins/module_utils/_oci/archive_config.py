# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of an image that has no manifest yet, as ``docker save`` leaves it; pure.

Sources: Docker Image Manifest Version 2, Schema 2; OCI Image Format Specification 1.1, "Image Configuration"
(rootfs.diff_ids are digests of the uncompressed layers; the image ID is the digest of the configuration).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Sequence

from .._errors import SourceError
from .._json import parse_object
from .._reference import is_digest
from .model import DOCKER_MANIFEST, OCI_MANIFEST, Descriptor, Manifest, Platform, digest_of, parse_manifest
from .platforms import normalised

DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
_OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class ImageSummary:
    """An image by its ID, and its platform where its configuration or its engine names one.

    ``others`` are platforms under the same name that this is not, as ``docker save`` adds since version 29.
    """

    image_id: str
    platform: Platform | None = None
    others: tuple[Platform, ...] = ()


@dataclass(frozen=True)
class ArchiveConfig:
    """An image by the bytes of its configuration; ``platform`` is None where those name none."""

    content: bytes = field(repr=False)
    diff_ids: tuple[str, ...]
    platform: Platform | None = None

    @property
    def image_id(self) -> str:
        """The digest of the configuration, which stays the same however the layers are compressed."""
        return digest_of(self.content)

    @property
    def summary(self) -> ImageSummary:
        """What a zone is asked for."""
        return ImageSummary(self.image_id, self.platform)


def parse_archive_config(config: bytes, description: str) -> ArchiveConfig:
    """Return what a configuration says of its image; ``description`` names that in errors; raises SourceError."""
    document = parse_object(config, f"the configuration of {description}")
    rootfs = document.get("rootfs")
    if not isinstance(rootfs, dict) or "diff_ids" not in rootfs:
        raise SourceError(f"{description} has a configuration that names no layers: it has no rootfs.diff_ids")
    # An image without layers has null there.
    diff_ids = rootfs.get("diff_ids") or []
    if not isinstance(diff_ids, list) or not all(isinstance(one, str) and is_digest(one) for one in diff_ids):
        raise SourceError(f"{description} has a configuration whose diff_ids are no digests")
    platform = Platform(*(str(document.get(name) or "") for name in ("os", "architecture", "variant")))
    return ArchiveConfig(config, tuple(diff_ids), platform if platform.os and platform.architecture else None)


def check_platform(summary: ImageSummary, wanted: Sequence[Platform]) -> None:
    """Raise SourceError for an image that is not for the platforms that are wanted, or not the only one of its name."""
    if not wanted:
        check_only(summary, "Push all of them from oci-archive:, or this one: platforms: [%s]")
        return
    there = normalised(summary.platform) if summary.platform else None
    if tuple(wanted) != (there,):
        names = ", ".join(str(platform) for platform in wanted)
        raise SourceError(f"the source is one image for {there or 'an unknown platform'}, not for {names}")


def check_only(summary: ImageSummary, hint: str) -> None:
    """Raise SourceError for one of several images under its name; ``hint`` has a ``%s`` for its platform."""
    if summary.others:
        there = normalised(summary.platform) if summary.platform else None
        others = ", ".join(str(platform) for platform in summary.others)
        raise SourceError(
            f"the source has the image for {there} and for {others}, and this notation gives the first only",
            hint=hint % there,
        )


def layer_type(compression: str) -> str:
    """Return the media type of a layer; only OCI has one for zstd."""
    if compression == "zstd":
        return f"{_OCI_LAYER}+zstd"
    return f"{_DOCKER_LAYER}.gzip" if compression == "gzip" else _DOCKER_LAYER


def assemble_manifest(config: ArchiveConfig, layers: Sequence[Descriptor]) -> Manifest:
    """Return the manifest of an image with these layers.

    It is of Docker's format, which these images are, unless a layer needs the OCI's.
    """
    oci = any(layer.media_type.startswith(_OCI_LAYER) for layer in layers)
    kind, config_type = (OCI_MANIFEST, OCI_CONFIG) if oci else (DOCKER_MANIFEST, DOCKER_CONFIG)
    document = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": _entry(config_type, config.image_id, len(config.content)),
        "layers": [
            _entry(_as_oci(layer.media_type) if oci else layer.media_type, layer.digest, layer.size) for layer in layers
        ],
    }
    return parse_manifest(json.dumps(document, indent=2).encode(), kind)


def _entry(media_type: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "size": size, "digest": digest}


def _as_oci(media_type: str) -> str:
    if not media_type.startswith(_DOCKER_LAYER):
        return media_type
    return _OCI_LAYER + ("+gzip" if media_type.endswith(".gzip") else "")
