# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media types of images; pure.

Source: OCI Image Format Specification 1.1, "Media Types"; Docker Image Manifest Version 2, Schema 2.
"""

from __future__ import annotations

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
