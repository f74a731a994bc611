# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What OpenShift's registry makes of a manifest's bytes; pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

SCHEMA2 = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
TYPES = (SCHEMA2, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX)
INDEXES = (DOCKER_LIST, OCI_INDEX)
LARGEST = 4 * 1024 * 1024
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class ManifestInvalid(Exception):
    """A manifest that is refused; ``detail`` is what the registry's error says about it."""

    def __init__(self, detail: Any) -> None:
        super().__init__("manifest invalid")
        self.detail = detail


@dataclass
class Manifest:
    """A manifest that was accepted."""

    media_type: str
    content: bytes
    digest: str
    document: dict[str, Any]
    config: dict[str, Any] | None = None
    layers: list[dict[str, Any]] = field(default_factory=list)
    children: list[dict[str, Any]] = field(default_factory=list)

    def without_platform(self) -> list[tuple[int, str]]:
        """Return (entry, field) for every platform field that OpenShift requires and an index does not have."""
        lacking = []
        for number, child in enumerate(self.children):
            platform = child.get("platform") or {}
            lacking += [(number, name) for name in ("architecture", "os") if not platform.get(name)]
        return lacking


def read_manifest(content: bytes, content_type: str, digest: str) -> Manifest:
    """Return the manifest; raises ManifestInvalid as OpenShift's registry refuses it."""
    media_type = content_type.partition(";")[0].strip()
    if media_type not in TYPES:
        raise ManifestInvalid({})
    try:
        document = json.loads(content)
    except ValueError as error:
        raise ManifestInvalid({"Offset": getattr(error, "pos", 0) + 1}) from None
    if not isinstance(document, dict) or document.get("schemaVersion") != 2:
        raise ManifestInvalid({})
    declared = document.get("mediaType")
    if (declared or media_type) != media_type or (not declared and media_type in (SCHEMA2, DOCKER_LIST)):
        raise ManifestInvalid({})
    manifest = Manifest(media_type, content, digest, document)
    if media_type in INDEXES:
        manifest.children = _descriptors(document.get("manifests"))
        if "layers" in document or "config" in document:
            raise ManifestInvalid({})
    else:
        manifest.config = _descriptor(document.get("config"))
        manifest.layers = _descriptors(document.get("layers"))
        if "manifests" in document:
            raise ManifestInvalid({})
    return manifest


def config_decodes(content: bytes) -> bool:
    """Tell whether a configuration can be read as a docker image's; one that cannot spoils its whole ImageStream."""
    try:
        config = json.loads(content)
    except ValueError:
        return False
    if config is None:
        return True
    if not isinstance(config, dict):
        return False
    texts = all(isinstance(config.get(name, ""), str) for name in ("architecture", "os", "author", "id"))
    objects = all(isinstance(config.get(name) or {}, dict) for name in ("config", "container_config"))
    created = config.get("created")
    return (
        texts and objects and (created is None or (isinstance(created, str) and _TIME.fullmatch(created) is not None))
    )


def _descriptors(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        if value is None:
            return []
        raise ManifestInvalid({})
    return [_descriptor(entry) for entry in value]


def _descriptor(value: Any) -> dict[str, Any]:
    fits = (
        isinstance(value, dict)
        and isinstance(value.get("digest"), str)
        and _DIGEST.fullmatch(value["digest"])
        and isinstance(value.get("size", 0), int)
        and isinstance(value.get("mediaType", ""), str)
        and isinstance(value.get("platform") or {}, dict)
    )
    if not fits:
        raise ManifestInvalid({})
    found: dict[str, Any] = value
    return found
