# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trimming what the tags of an ImageStream pointed to before, as ``oc adm prune images`` does it.

Source: OpenShift documentation, "Manually pruning images"; Kubernetes API conventions, "Concurrency Control and
Consistency". It takes the right to update ``imagestreams/status``, which the role system:image-pruner grants.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .._errors import ConflictError, NotFoundError
from . import resources
from .access import Right
from .client import Api
from .documents import mapping, text
from .image_streams import TagEvent, parse_event

RIGHT = Right("update", "imagestreams", "image.openshift.io", "status")
_TRIES = 8


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
