# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cutting what the tags of an ImageStream named before, as ``oc adm prune images`` does it.

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
from .image_streams import TagEvent, parse_event

RIGHT = Right("update", "imagestreams", "image.openshift.io", "status")
_TRIES = 8


def cut_history(api: Api, namespace: str, name: str, cuts: Mapping[str, Collection[TagEvent]]) -> None:
    """Take these events out of the history of these tags; raises AppuioError.

    What a tag names now is never taken. What somebody writes meanwhile is kept: it is written on top of it.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            document = api.get(resources.IMAGE_STREAM, namespace, name, step=f"read the ImageStream {name}")
            shorter = without(document, cuts)
            if shorter != document:
                step = f"shorten the history of the ImageStream {name}"
                api.replace(resources.IMAGE_STREAM, namespace, name, shorter, step=step, subresource="status")
            return
        except NotFoundError:
            return
        except ConflictError:
            if not tries_left:
                raise


def without(document: Mapping[str, Any], cuts: Mapping[str, Collection[TagEvent]]) -> dict[str, Any]:
    """Return the document of a stream without these events."""
    status = document.get("status") or {}
    tags = []
    for tag in status.get("tags") or ():
        going = cuts.get(str(tag.get("tag")), ())
        items = tag.get("items") or []
        kept = [*items[:1], *(item for item in items[1:] if parse_event(item) not in going)]
        tags.append({**tag, "items": kept} if len(kept) < len(items) else tag)
    return {**document, "status": {**status, "tags": tags}} if tags else dict(document)
