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
from .image_streams import StreamTag

Children = Mapping[str, frozenset[str]]


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


def held_images(tag: StreamTag, children: Children) -> dict[str, None]:
    """Return the digests that can be pulled as long as there is the tag: of its history, and their children."""
    digests = dict.fromkeys(event.digest for event in tag.history if event.digest)
    return {**digests, **{child: None for digest in digests for child in children.get(digest, ())}}
