# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images go from the history of the tags that stay; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Iterable

from .._openshift.image_streams import ImageStream, TagEvent
from .plan import Decision
from .usage import Usage
from .wish import PruneWish


@dataclass(frozen=True)
class Cut:
    """A tag of a stream, and what is taken from its history, newest first; ``left`` is how many stay."""

    name: str
    tag: str
    events: tuple[TagEvent, ...]
    left: int

    @property
    def reason(self) -> str:
        """Why these go."""
        return f"there are {self.left} newer images, or older ones that are in use, in the history of the tag"


def cuts(stream: ImageStream, decisions: Iterable[Decision], wish: PruneWish, usage: Usage, now: datetime) -> list[Cut]:
    """Return what goes from the history of a stream: nothing that is in use, protected or too young."""
    if wish.revisions is None:
        return []
    found = []
    for decision in decisions:
        if decision.name != stream.name or decision.goes or not _concerns(decision.tag, wish):
            continue
        history = stream.tags[decision.tag].history
        events = tuple(
            event for event in history[wish.revisions :] if event.digest not in usage.digests and _old(event, wish, now)
        )
        if events:
            found.append(Cut(stream.name, decision.tag, events, len(history) - len(events)))
    return found


def _concerns(tag: str, wish: PruneWish) -> bool:
    if wish.protect and wish.protect.search(tag):
        return False
    return not wish.match or bool(wish.match.search(tag))


def _old(event: TagEvent, wish: PruneWish, now: datetime) -> bool:
    return wish.older_than is None or now - event.created >= wish.older_than
