# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images go from the history of the tags that stay, and taking them out, as ``oc adm prune images`` does it.

Source: OpenShift documentation, "Manually pruning images"; Kubernetes API conventions, "Concurrency Control and
Consistency". It takes the right to update ``imagestreams/status``, which the role system:image-pruner grants.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .._errors import ConflictError, NotFoundError
from .._openshift import resources
from .._openshift.access import Right
from .._openshift.client import Api
from .._openshift.documents import mapping, text
from .._openshift.image_streams import ImageStream, TagEvent, parse_event
from .._openshift.image_usage import Children, Usage
from .options import PruneOptions
from .plan import Decision

RIGHT = Right("update", "imagestreams", "image.openshift.io", "status")
_TRIES = 8


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
        if decision.goes or options.protects(decision.tag) or options.excludes(decision.name, decision.tag):
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


def trim_history(api: Api, namespace: str, name: str, going: Mapping[str, Collection[TagEvent]]) -> None:
    """Take these events out of the history of these tags; raises AppuioError.

    What a tag points to now is never taken. What somebody writes meanwhile is kept: it is written on top of it.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            document = api.get(resources.IMAGE_STREAM, namespace, name, step=f"read the ImageStream {name}")
            shorter = without(document, going)
            if shorter != document:
                step = f"shorten the history of the ImageStream {name}"
                api.replace(resources.IMAGE_STREAM, namespace, name, shorter, step=step, subresource="status")
            return
        except NotFoundError:
            return
        except ConflictError:
            if not tries_left:
                raise


def without(document: Mapping[str, Any], going: Mapping[str, Collection[TagEvent]]) -> dict[str, Any]:
    """Return the document of a stream without these events; what is none stays as it is."""
    status = mapping(document.get("status"))
    listed = status.get("tags")
    if not isinstance(listed, list) or not listed:
        return dict(document)
    return {**document, "status": {**status, "tags": [_shorter(tag, going) for tag in listed]}}


def _shorter(tag: Any, going: Mapping[str, Collection[TagEvent]]) -> Any:
    items = mapping(tag).get("items")
    events = going.get(text(mapping(tag).get("tag")), ())
    if not isinstance(items, list) or not events:
        return tag
    kept = [*items[:1], *(item for item in items[1:] if parse_event(mapping(item)) not in events)]
    return {**tag, "items": kept} if len(kept) < len(items) else tag
