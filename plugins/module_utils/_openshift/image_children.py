# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images the indexes of an ImageStream have.

Source: OpenShift API reference, ``imagestreams/layers`` (``ImageStreamLayers``, member ``images``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import resources
from .client import Api
from .documents import mapping


def image_children(api: Api, namespace: str, name: str) -> dict[str, frozenset[str]]:
    """Return the manifests of each index under the tags of a stream, in one request; raises AppuioError."""
    step = f"read the images of {name}"
    return parse_children(api.get(resources.IMAGE_STREAM, namespace, name, step=step, subresource="layers"))


def parse_children(document: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return the manifests of each index that an ``ImageStreamLayers`` object tells of."""
    listed = {digest: mapping(one).get("manifests") for digest, one in mapping(document.get("images")).items()}
    return {
        digest: frozenset(child for child in children if isinstance(child, str))
        for digest, children in listed.items()
        if isinstance(children, list) and children
    }
