# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tags go and which stay, each with its reason; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Iterable, Sequence

from .._openshift.image_streams import NEVER, ImageStream, StreamTag
from .usage import Usage
from .wish import PruneWish

_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")


@dataclass(frozen=True)
class Decision:
    """One tag of one stream: whether it goes, and why it goes or stays."""

    name: str
    tag: str
    digest: str | None
    pushed: datetime | None
    goes: bool
    reason: str


def decide(stream: ImageStream, wish: PruneWish, usage: Usage, now: datetime) -> list[Decision]:
    """Return a decision for each tag of a stream, in the order of their names."""
    stay = _protected(stream, wish, usage)
    digests = {stream.tags[tag].digest: tag for tag, reason in stay.items() if reason.startswith(("it is", "protect"))}
    free = []
    for tag in stream.tags.values():
        if tag.name in stay:
            continue
        if tag.digest in digests:
            stay[tag.name] = f"it names the same image as {digests[tag.digest]}, which stays"
        else:
            free.append(tag)
    going = dict(_beyond(free, wish, now, stay))
    if not wish.last_tag and going and len(going) == len(stream.tags):
        newest = max(going, key=lambda name: _pushed(stream.tags[name]))
        del going[newest]
        stay[newest] = "it is the last tag of its image stream"
    return [_decision(stream, tag, going, stay) for tag in stream.tags.values()]


def limited(decisions: Iterable[Decision], most: int) -> list[Decision]:
    """Return the decisions with at most so many that go, the oldest first; the others wait for another run."""
    decisions = list(decisions)
    going = sorted((one for one in decisions if one.goes), key=lambda one: (one.pushed is None, one.pushed, one.tag))
    waiting = {(one.name, one.tag) for one in going[most:]}
    return [
        replace(one, goes=False, reason=f"max_delete is {most}, so it goes in a later run")
        if (one.name, one.tag) in waiting
        else one
        for one in decisions
    ]


def version_key(tag: str) -> tuple[tuple[int, ...], tuple[tuple[int, int, str], ...]] | None:
    """Return what versions are compared by (Semantic Versioning 2.0.0, section 11), None for a tag that is none."""
    found = _VERSION.fullmatch(tag)
    if not found:
        return None
    numbers = tuple(int(part or 0) for part in found.group(1, 2, 3))
    if not found[4]:
        return numbers, ((2, 0, ""),)
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in found[4].split("."))
    return numbers, parts


def _protected(stream: ImageStream, wish: PruneWish, usage: Usage) -> dict[str, str]:
    followed = {tag.follows.rpartition(":")[2]: tag.name for tag in stream.tags.values() if tag.follows}
    stay: dict[str, str] = {}
    for tag in stream.tags.values():
        user = usage.tags.get((stream.namespace, stream.name, tag.name)) or usage.digests.get(tag.digest or "")
        if user:
            stay[tag.name] = f"it is used by {user}"
        elif wish.protects(tag.name):
            stay[tag.name] = "protect matches"
        elif tag.name in followed:
            stay[tag.name] = f"it is followed by the tag {followed[tag.name]}"
        elif tag.follows:
            stay[tag.name] = f"it is kept up to date with {tag.follows}"
        elif wish.passes_by(tag.name):
            stay[tag.name] = "match does not match"
    return stay


def _beyond(free: Sequence[StreamTag], wish: PruneWish, now: datetime, stay: dict[str, str]) -> list[tuple[str, str]]:
    """Versions are counted by their order, all other tags by when they were last pushed."""
    if wish.keep is None and wish.older_than is None:
        stay.update((tag.name, "neither keep nor older_than is given") for tag in free)
        return []
    versions = sorted((tag for tag in free if version_key(tag.name)), key=_version_order, reverse=True)
    others = sorted((tag for tag in free if not version_key(tag.name)), key=_pushed, reverse=True)
    going = []
    for kind, tags in (("versions", versions), ("tags that are no versions", others)):
        for place, tag in enumerate(tags):
            reasons = []
            if wish.keep is not None:
                if place < wish.keep:
                    stay[tag.name] = f"it is one of the {wish.keep} newest {kind}"
                    continue
                reasons.append(f"there are {place} newer {kind}")
            if wish.spares(_pushed(tag), now):
                stay[tag.name] = "it is not old enough"
                continue
            if wish.older_than is not None:
                reasons.append(f"it was last pushed {(now - _pushed(tag)).days} days ago")
            going.append((tag.name, " and ".join(reasons)))
    return going


def _decision(stream: ImageStream, tag: StreamTag, going: dict[str, str], stay: dict[str, str]) -> Decision:
    goes = tag.name in going
    pushed = tag.current.created if tag.current else None
    return Decision(stream.name, tag.name, tag.digest, pushed, goes, going[tag.name] if goes else stay[tag.name])


def _pushed(tag: StreamTag) -> datetime:
    return tag.current.created if tag.current else NEVER


def _version_order(tag: StreamTag) -> tuple[object, ...]:
    return (version_key(tag.name), _pushed(tag))
