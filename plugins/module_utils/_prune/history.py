# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images go from the history of the tags that stay; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Iterable, Mapping

from .._openshift.image_children import Children
from .._openshift.image_streams import ImageStream, TagEvent
from .._openshift.image_usage import Usage
from .options import PruneOptions
from .plan import Decision


@dataclass(frozen=True)
class HistoryTrim:
    """A tag of a stream, and what is taken from its history, newest first; ``kept`` is how many stay."""

    name: str
    tag: str
    events: tuple[TagEvent, ...]
    kept: int

    @property
    def reason(self) -> str:
        """Why these go."""
        return f"there are {self.kept} newer images, or older ones that are in use, in the history of the tag"


def history_trims(
    streams: Iterable[ImageStream],
    decisions: Iterable[Decision],
    options: PruneOptions,
    usage: Usage,
    now: datetime,
    children: Mapping[str, Children] | None = None,
) -> list[HistoryTrim]:
    """Return what goes from the history of these streams: nothing that is in use, protected or too young.

    ``children`` are the manifests of the indexes of each stream.
    """
    if options.revisions is None:
        return []
    by_name = {stream.name: stream for stream in streams}
    found = []
    for decision in decisions:
        if decision.goes or options.protects(decision.tag) or options.excludes(decision.tag):
            continue
        inside = (children or {}).get(decision.name, {})
        history = by_name[decision.name].tags[decision.tag].history
        events = tuple(
            event
            for event in history[options.revisions :]
            if usage.digests.keys().isdisjoint({event.digest, *inside.get(event.digest, ())})
            and not options.too_young(event.created, now)
        )
        if events:
            found.append(HistoryTrim(decision.name, decision.tag, events, len(history) - len(events)))
    return found
