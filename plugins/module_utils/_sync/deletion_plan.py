# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tags of one ImageStream a set has brought and no longer declares, and which of them are still its own; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Collection, Mapping

from .._openshift.image_streams import parse_stream
from .._prune.plan import Decision
from .managed import is_created, managed_tags, tags_of_others
from .origin import EVERY

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
