# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which repositories without a tag go; pure.

An ImageStream without tags may wait for its first push, or be the one that a build writes to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Iterable, Sequence

from .._openshift.documents import NEVER
from .._openshift.image_streams import ImageStream
from .._openshift.image_usage import Usage
from .options import PruneOptions
from .plan import Decision

# Where older_than says nothing: somebody has made it and pushes soon.
YOUNG = timedelta(days=1)


@dataclass(frozen=True)
class RepositoryDecision:
    """A repository that has no tags, or loses all: whether it goes, and why it goes or stays."""

    name: str
    goes: bool
    reason: str


def empty_repositories(
    streams: Iterable[ImageStream], decisions: Iterable[Decision], options: PruneOptions, usage: Usage, now: datetime
) -> list[RepositoryDecision]:
    """Return a decision for each stream that is empty once the tags have gone; none where they are to be kept."""
    if not options.empty_repositories:
        return []
    left = {one.name for one in decisions if not one.goes}
    return [_decision(stream, options, usage, now) for stream in streams if stream.name not in left]


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


def _decision(stream: ImageStream, options: PruneOptions, usage: Usage, now: datetime) -> RepositoryDecision:
    user = usage.stream_user(stream.namespace, stream.name)
    if user:
        return RepositoryDecision(stream.name, False, f"it is used by {user}")
    if stream.skipped:
        return RepositoryDecision(stream.name, False, "it has something that is no proper tag")
    least = YOUNG if options.older_than is None else options.older_than
    if stream.created == NEVER or now - stream.created < least:
        return RepositoryDecision(stream.name, False, "it is not old enough")
    return RepositoryDecision(stream.name, True, "it has no tags")
