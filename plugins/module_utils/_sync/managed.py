# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tags of an ImageStream a set has brought: an annotation of the stream, in the zone itself; pure.

So every checkout and every machine knows the same. What cannot be read as such an annotation makes nothing ours.
"""

from __future__ import annotations

import json
from typing import Any, Mapping

from .._json import JsonError, parse_json
from .._openshift import objects
from .._openshift.documents import mapping, text
from .._reference import is_digest, is_tag

# JSON of tag → digest; a set with a name has an annotation of its own, with that name behind a dot.
MANAGED_TAGS = "registry.appuio.cloud/managed-tags"
# On a stream that did not exist before: the annotation of the set that has created it.
CREATED_BY = "registry.appuio.cloud/created-by"


def annotation_of(set_name: str) -> str:
    """Return the annotation in which a set keeps the tags that it has brought."""
    return f"{MANAGED_TAGS}.{set_name}" if set_name else MANAGED_TAGS


def managed_tags(document: Mapping[str, Any], set_name: str) -> dict[str, str]:
    """Return the digest of each tag that a set has brought into a stream."""
    return _tags(text(_annotations(document).get(annotation_of(set_name))))


def tags_of_others(document: Mapping[str, Any], set_name: str) -> dict[str, str]:
    """Return the digest of each tag that other sets have brought into a stream."""
    own = annotation_of(set_name)
    others = [
        value
        for name, value in _annotations(document).items()
        if name != own and (name == MANAGED_TAGS or str(name).startswith(f"{MANAGED_TAGS}."))
    ]
    return {tag: digest for value in others for tag, digest in _tags(text(value)).items()}


def is_created(document: Mapping[str, Any], set_name: str) -> bool:
    """Whether a set has created the stream."""
    return _annotations(document).get(CREATED_BY) == annotation_of(set_name)


def with_managed_tags(document: Mapping[str, Any], set_name: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """Return the change (RFC 7386) that lets a stream, still of the version that was read, say this of its tags."""
    value = json.dumps(dict(sorted(tags.items())), separators=(",", ":")) if tags else None
    version = text(mapping(document.get("metadata")).get("resourceVersion"))
    return {"metadata": {"resourceVersion": version, "annotations": {annotation_of(set_name): value}}}


def new_stream(namespace: str, name: str, set_name: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """Return an ImageStream that says that a set has created it, and which tags that is to bring."""
    own = annotation_of(set_name)
    annotations = {CREATED_BY: own, own: json.dumps(dict(sorted(tags.items())), separators=(",", ":"))}
    return objects.marked(objects.image_stream(namespace, name), {}, annotations)


def _annotations(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(mapping(document.get("metadata")).get("annotations"))


def _tags(value: str) -> dict[str, str]:
    try:
        found = mapping(parse_json(value)) if value else {}
    except JsonError:
        return {}
    return {
        tag: digest
        for tag, digest in found.items()
        if is_tag(str(tag)) and isinstance(digest, str) and is_digest(digest)
    }
