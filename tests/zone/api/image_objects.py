# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster-wide Image objects: one for each manifest that was pushed, whatever holds it."""

from __future__ import annotations

import json
from typing import Any

from .kinds import IMAGE
from .manifest import INDEXES, Manifest, config_decodes
from .store import Object, Store, timestamp

INTERNAL_REGISTRY = "image-registry.openshift-image-registry.svc:5000"


class Images:
    """Images and the bytes of their manifests."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._manifests: dict[str, Manifest] = {}
        self._undecodable: set[str] = set()

    def manifest(self, digest: str) -> Manifest | None:
        """Return a manifest by its digest, whoever may see it."""
        return self._manifests.get(digest)

    def decodes(self, digest: str) -> bool:
        """Tell whether the configuration of an image is one that OpenShift can read."""
        return digest not in self._undecodable

    def children(self, digest: str) -> list[str]:
        """Return the digests an index holds."""
        known = self._manifests.get(digest)
        return [child["digest"] for child in known.children] if known else []

    def add(self, manifest: Manifest, repository: str, config: bytes | None) -> Object:
        """Keep an image; the first repository it was pushed to stays its reference."""
        with self._store.lock:
            self._manifests[manifest.digest] = manifest
            if config is not None and not config_decodes(config):
                self._undecodable.add(manifest.digest)
            known = self._store.get(IMAGE, "images", "", manifest.digest)
            return known or self._store.create(IMAGE, "images", "", _image(manifest, repository, config))


def _image(manifest: Manifest, repository: str, config: bytes | None) -> Object:
    image: Object = {
        "apiVersion": f"{IMAGE}/v1",
        "kind": "Image",
        "metadata": {
            "name": manifest.digest,
            "annotations": {
                "image.openshift.io/dockerLayersOrder": "" if manifest.media_type in INDEXES else "ascending",
                "image.openshift.io/manifestBlobStored": "true",
                "openshift.io/image.managed": "true",
            },
        },
        "dockerImageReference": f"{INTERNAL_REGISTRY}/{repository}@{manifest.digest}",
        "dockerImageMetadata": _metadata(manifest, config),
        "dockerImageMetadataVersion": "1.0",
        "dockerImageManifestMediaType": manifest.media_type,
    }
    if manifest.media_type in INDEXES:
        image["dockerImageManifests"] = [_child(child) for child in manifest.children]
    else:
        image["dockerImageLayers"] = [
            {"mediaType": layer.get("mediaType", ""), "name": layer["digest"], "size": layer.get("size", 0)}
            for layer in manifest.layers
        ]
    return image


def _metadata(manifest: Manifest, config: bytes | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"kind": "DockerImage", "apiVersion": "image.openshift.io/1.0", "ContainerConfig": {}}
    if manifest.config is None:
        return metadata | {"Id": manifest.digest, "Created": timestamp()}
    known: Any = json.loads(config) if config and config_decodes(config) else None
    known = known or {}
    sizes = {part["digest"]: part.get("size", 0) for part in [manifest.config, *manifest.layers]}
    metadata |= {
        "Id": manifest.config["digest"],
        "Created": known.get("created"),
        "Size": sum(sizes.values()),
    }
    for name, source in (("Architecture", "architecture"), ("Author", "author"), ("Config", "config")):
        if known.get(source):
            metadata[name] = known[source]
    return metadata


def _child(child: dict[str, Any]) -> dict[str, Any]:
    platform = child.get("platform") or {}
    made = {
        "architecture": platform.get("architecture", ""),
        "digest": child["digest"],
        "manifestSize": child.get("size", 0),
        "mediaType": child.get("mediaType", ""),
        "os": platform.get("os", ""),
    }
    return made | ({"variant": platform["variant"]} if platform.get("variant") else {})
