# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tags go and which stay, and which repositories without any, each with its reason; pure, linear in the tags.

A tag goes with its history, and with it goes every image that no other tag holds. So what is decided at last is
what stays: whatever holds an image in use that no staying tag holds. An ImageStream without tags may wait for its first
push, or be the one that a build writes to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Iterable, Mapping, Sequence

from .._openshift.documents import NEVER
from .._openshift.image_streams import ImageStream, StreamTag
from .._openshift.image_usage import Children, Usage, held_images
from .names import described_image, is_build, natural_key, version_key
from .options import PruneOptions

# Where older_than says nothing: somebody has made it and pushes soon.
YOUNG = timedelta(days=1)


@dataclass(frozen=True)
class Decision:
    """One tag of one stream: whether it goes, and why it goes or stays."""

    name: str
    tag: str
    digest: str | None
    pushed: datetime | None
    goes: bool
    reason: str


@dataclass(frozen=True)
class RepositoryDecision:
    """A repository that has no tags, or loses all: whether it goes, and why it goes or stays."""

    name: str
    goes: bool
    reason: str


def decide(
    stream: ImageStream, options: PruneOptions, usage: Usage, now: datetime, children: Children | None = None
) -> list[Decision]:
    """Return a decision for each tag of a stream, in the order of their names.

    ``children`` are the manifests of each index under the stream's tags.
    """
    held = {tag.name: held_images(tag, children or {}) for tag in stream.tags.values()}
    stay = _required(stream, options, usage, held)
    # Who names each tag means it, whatever other tags point to the same image.
    staying = _Staying(stream, stay, {}, together=options.only is None)
    staying.add_same_images()
    free = [tag for tag in stream.tags.values() if tag.name not in stay]
    staying.going.update(_beyond(free, options, now, stay))
    staying.add_same_images()
    _keep_what_is_used(stream, staying, held, usage)
    if not options.last_tag and staying.going and len(staying.going) == len(stream.tags):
        newest = max(staying.going, key=lambda name: _push_order(stream.tags[name]))
        staying.keep(newest, "it is the last tag of its image stream")
    return [_decision(stream, tag, staying) for tag in stream.tags.values()]


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


class _Staying:
    """Tags that stay and that go; whatever stays keeps the other tags of the same image, if they stay ``together``."""

    def __init__(self, stream: ImageStream, stay: dict[str, str], going: dict[str, str], together: bool = True) -> None:
        self.stay = stay
        self.going = going
        self._stream = stream
        self._same: dict[str, list[str]] = {}
        for tag in stream.tags.values():
            if tag.digest and together:
                self._same.setdefault(tag.digest, []).append(tag.name)

    def keep(self, name: str, reason: str) -> list[str]:
        """Let a tag stay, and those that point to the same image; return all of them."""
        self.going.pop(name, None)
        self.stay[name] = reason
        # Each image is looked at once, so that many tags of one image cost no more than others.
        same = [tag for tag in self._same.pop(self._stream.tags[name].digest or "", ()) if tag not in self.stay]
        for other in same:
            self.going.pop(other, None)
            self.stay[other] = f"it points to the same image as {name}, which stays"
        return [name, *same]

    def add_same_images(self) -> None:
        """Let all tags stay that point to the same image as one that stays."""
        for name, reason in list(self.stay.items()):
            self.keep(name, reason)


def _required(
    stream: ImageStream, options: PruneOptions, usage: Usage, held: Mapping[str, Mapping[str, None]]
) -> dict[str, str]:
    """Return the tags that stay whatever their number and age, each with the reason."""
    here = {digest for digests in held.values() for digest in digests}
    stay: dict[str, str] = {}
    for tag in stream.tags.values():
        key = (stream.namespace, stream.name, tag.name)
        user = usage.tags.get(key) or usage.digests.get(tag.digest or "")
        follower = usage.followed.get(key)
        described = described_image(tag.name)
        if user:
            stay[tag.name] = f"it is used by {user}"
        elif options.protects(tag.name):
            stay[tag.name] = "protect matches"
        elif follower:
            same = follower[:2] == key[:2]
            stay[tag.name] = "it is followed by the tag " + (follower[2] if same else "{}/{}:{}".format(*follower))
        elif tag.follows:
            stay[tag.name] = f"it is kept up to date with {tag.follows}"
        elif tag.is_reference:
            stay[tag.name] = f"it is a reference, to no image of this repository{_origin(tag)}"
        elif options.excludes(stream.name, tag.name):
            stay[tag.name] = "match does not match"
        elif described in here:
            stay[tag.name] = f"it belongs to {described}, which is here"
        elif options.match is None and options.only is None and _moves(tag):
            stay[tag.name] = "its name is neither a version nor a build, so it goes only where match names it"
        elif _pushed(tag) == NEVER:
            stay[tag.name] = "nobody says when it was pushed"
    return stay


def _moves(tag: StreamTag) -> bool:
    moved = len({event.digest for event in tag.history}) > 1
    return version_key(tag.name) is None and not is_build(tag.name, moved)


def _origin(tag: StreamTag) -> str:
    return f" ({tag.named_source})" if tag.named_source else ""


def _keep_what_is_used(
    stream: ImageStream, staying: _Staying, held: Mapping[str, Mapping[str, None]], usage: Usage
) -> None:
    """Let the newest tag stay that holds an image in use, where no staying tag does."""
    safe = {digest for name in staying.stay for digest in held[name]}
    for name in sorted(staying.going, key=lambda name: _push_order(stream.tags[name]), reverse=True):
        if name not in staying.going:
            continue
        used = next((one for one in held[name] if one in usage.digests and one not in safe), None)
        if used is not None:
            earlier = any(event.digest == used for event in stream.tags[name].history)
            what = "an earlier image of it" if earlier else "an image of its index"
            for kept in staying.keep(name, f"{what}, {used}, is used by {usage.digests[used]}"):
                safe.update(held[kept])


def _beyond(
    free: Sequence[StreamTag], options: PruneOptions, now: datetime, stay: dict[str, str]
) -> list[tuple[str, str]]:
    """Versions are counted by their order, all other tags by when they were last pushed."""
    if options.keep is None and options.older_than is None:
        stay.update((tag.name, "neither keep nor older_than is given") for tag in free)
        return []
    versions = sorted((tag for tag in free if version_key(tag.name)), key=_version_order, reverse=True)
    others = sorted((tag for tag in free if not version_key(tag.name)), key=_push_order, reverse=True)
    going = []
    for kind, tags in (("versions", versions), ("tags that are no versions", others)):
        for number, tag in enumerate(tags):
            reasons = []
            if options.keep is not None:
                if number < options.keep:
                    stay[tag.name] = f"it is one of the {options.keep} newest {kind}"
                    continue
                reasons.append(f"there are {number} newer {kind}")
            if options.too_young(_pushed(tag), now):
                stay[tag.name] = "it is not old enough"
                continue
            if options.older_than is not None:
                reasons.append(f"it was last pushed {(now - _pushed(tag)).days} days ago")
            going.append((tag.name, " and ".join(reasons)))
    return going


def empty_repositories(
    streams: Iterable[ImageStream], decisions: Iterable[Decision], options: PruneOptions, usage: Usage, now: datetime
) -> list[RepositoryDecision]:
    """Return a decision for each stream that is empty once the tags have gone; none where they are to be kept."""
    if not options.empty_repositories:
        return []
    left = {one.name for one in decisions if not one.goes}
    return [_repository(stream, options, usage, now) for stream in streams if stream.name not in left]


def limited_repositories(found: Sequence[RepositoryDecision], most: int) -> list[RepositoryDecision]:
    """Return the decisions with at most so many that go; the others wait for another run."""
    kept = []
    for one in found:
        most -= one.goes
        late = one.goes and most < 0
        kept.append(
            replace(one, goes=False, reason="max_delete is reached, so it goes in a later run") if late else one
        )
    return kept


def why_repository_stays(stream: ImageStream, usage: Usage) -> str:
    """Return why a stream without tags stays whatever the options say, or nothing."""
    user = usage.stream_user(stream.namespace, stream.name)
    if user:
        return f"it is used by {user}"
    return "it has something that is no proper tag" if stream.skipped else ""


def _repository(stream: ImageStream, options: PruneOptions, usage: Usage, now: datetime) -> RepositoryDecision:
    reason = why_repository_stays(stream, usage)
    least = YOUNG if options.older_than is None else options.older_than
    if not reason and (stream.created == NEVER or now - stream.created < least):
        reason = "it is not old enough"
    return RepositoryDecision(stream.name, not reason, reason or "it has no tags")


def _decision(stream: ImageStream, tag: StreamTag, staying: _Staying) -> Decision:
    reason = staying.going.get(tag.name)
    pushed = tag.current.created if tag.current else None
    return Decision(stream.name, tag.name, tag.digest, pushed, reason is not None, reason or staying.stay[tag.name])


def _pushed(tag: StreamTag) -> datetime:
    return tag.current.created if tag.current else NEVER


def _push_order(tag: StreamTag) -> tuple[object, ...]:
    """The API tells times in seconds, and a pipeline pushes several tags in one: then b-10 is newer than b-9."""
    return (_pushed(tag), natural_key(tag.name))


def _version_order(tag: StreamTag) -> tuple[object, ...]:
    return (version_key(tag.name), *_push_order(tag))
