# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tags of an ImageStream a set has brought, and which of those may go; pure.

That is an annotation of the stream, in the zone itself, so that every checkout and every machine knows the same. What
cannot be read as such an annotation makes nothing ours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Collection, Mapping

from .._image_set.entry import EVERY
from .._json import JsonError, parse_json
from .._managed_objects import objects
from .._openshift.documents import mapping, text
from .._openshift.image_streams import parse_stream
from .._prune.plan import Decision
from .._reference import is_digest, is_tag

# JSON of tag → digest; a set with a name has an annotation of its own, with that name behind a dot.
MANAGED_TAGS = "registry.appuio.cloud/managed-tags"
# On a stream that did not exist before: the annotation of the set that has created it.
CREATED_BY = "registry.appuio.cloud/created-by"
UNKNOWN = "an entry for this repository failed, so nobody knows what is still declared"
COPIED = "an entry copies it from here"


@dataclass(frozen=True)
class Declared:
    """What a set declares: tags by zone, namespace and name; ``unknown`` are repositories that may have more.

    The name of one that is unknown may be EVERY: then all of the namespace are. ``copied`` are the tags and digests of
    repositories that images are copied from.
    """

    tags: Mapping[tuple[str, str, str], Collection[str]]
    unknown: frozenset[tuple[str, str, str]] = frozenset()
    copied: Mapping[tuple[str, str, str], Collection[str]] = field(default_factory=dict)

    def is_unknown(self, key: tuple[str, str, str]) -> bool:
        """Whether more may be declared of a repository than is known."""
        return not self.unknown.isdisjoint((key, (*key[:2], EVERY)))


@dataclass(frozen=True)
class StreamTags:
    """One stream: tags that may go by what the set has noted, and those that stay, each with the reason.

    ``forgotten`` are tags that are no longer the set's own. ``shared`` are declared tags, with their digests, that
    another set has brought: both sets keep them from now on. ``created`` says that the set has created the stream, and
    declares nothing in it.
    """

    going: frozenset[str] = frozenset()
    kept: tuple[Decision, ...] = ()
    forgotten: frozenset[str] = frozenset()
    shared: Mapping[str, str] = field(default_factory=dict)
    created: bool = False


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


def plan_stream(
    document: Mapping[str, Any], set_name: str, key: tuple[str, str, str], declared: Declared
) -> StreamTags:
    """Return what a set has to do with the tags of a stream; ``key`` is its zone, namespace and name."""
    stream = parse_stream(document)
    wanted, unknown = declared.tags.get(key, ()), declared.is_unknown(key)
    copied = declared.copied.get(key, ())
    noted, others = managed_tags(document, set_name), tags_of_others(document, set_name)
    there = {name: tag.digest for name, tag in stream.tags.items()}
    going: set[str] = set()
    forgotten: set[str] = set()
    kept = []
    for tag, digest in noted.items():
        if tag in wanted:
            continue
        stays = COPIED if tag in copied or digest in copied else UNKNOWN if unknown else ""
        reason = stays or _why_not_ours(there.get(tag), tag in there, digest, tag in others)
        if not reason:
            going.add(tag)
            continue
        if tag in there:
            event = stream.tags[tag].current
            kept.append(Decision(stream.name, tag, there[tag], event.created if event else None, False, reason))
        if not stays:
            forgotten.add(tag)
    shared = {
        tag: digest for tag, digest in others.items() if tag in wanted and tag not in noted and there.get(tag) == digest
    }
    created = is_created(document, set_name) and key not in declared.tags and not copied and not unknown
    return StreamTags(frozenset(going), tuple(kept), frozenset(forgotten), shared, created)


def _why_not_ours(now: str | None, exists: bool, brought: str, of_another_set: bool) -> str:
    """Return why a tag that the set has brought is not its own any more, or nothing."""
    if not exists:
        return "somebody else has removed it"
    if now != brought:
        return f"somebody else has moved it since, from {brought}"
    return "another set declares it, too" if of_another_set else ""


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
