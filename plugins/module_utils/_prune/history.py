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


def cuts(
    streams: Iterable[ImageStream], decisions: Iterable[Decision], wish: PruneWish, usage: Usage, now: datetime
) -> list[Cut]:
    """Return what goes from the history of these streams: nothing that is in use, protected or too young."""
    if wish.revisions is None:
        return []
    by_name = {stream.name: stream for stream in streams}
    found = []
    for decision in decisions:
        if decision.goes or wish.protects(decision.tag) or wish.passes_by(decision.tag):
            continue
        history = by_name[decision.name].tags[decision.tag].history
        events = tuple(
            event
            for event in history[wish.revisions :]
            if event.digest not in usage.digests and not wish.spares(event.created, now)
        )
        if events:
            found.append(Cut(decision.name, decision.tag, events, len(history) - len(events)))
    return found
