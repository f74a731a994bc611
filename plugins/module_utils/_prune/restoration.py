# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting back what was pushed to a tag after it was read for the last time, and before it was removed.

OpenShift removes a tag whatever its stream's version is, so that a push that succeeded can be lost. What the tag
pointed to stands in the changes of its stream, and its image is still there. Source: Kubernetes API concepts,
"Efficient detection of changes": a watch tells every change since a version.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from .._errors import ServerError
from .._openshift import resources
from .._openshift.client import Api
from .._openshift.documents import mapping, number
from .._openshift.errors import json_object
from .._openshift.image_streams import ImageStream, TagEvent, parse_stream
from .._openshift.resources import ResourceType, checked_name
from .plan import Decision


def changes(
    api: Api, resource: ResourceType, namespace: str, name: str, since: str, step: str, seconds: int = 1
) -> list[dict[str, Any]]:
    """Return an object as each change since a resource version left it, the oldest first; raises AppuioError.

    The API ends its answer after ``seconds``. An object that is deleted comes as it was last.
    """
    query = {
        "watch": "true",
        "fieldSelector": f"metadata.name={checked_name(name)}",
        "resourceVersion": since,
        "timeoutSeconds": str(seconds),
    }
    lines = api.answer("get", resource.collection(namespace), step, query=query).splitlines()
    return [dict(mapping(event.get("object"))) for event in (_event(line, step) for line in lines if line.strip())]


def _event(line: bytes, step: str) -> dict[str, Any]:
    event = json_object(line)
    if event is None or event.get("type") == "ERROR":
        # As a rule the version is too old (410), since too much has changed.
        status = number(mapping((event or {}).get("object")).get("code"))
        raise ServerError(
            "the API no longer has the changes since then", step=step, status=status, hint="Run this again"
        )
    return event


def states_since(api: Api, namespace: str, name: str, since: str) -> list[ImageStream]:
    """Return a stream as each change since a version left it, the oldest first; raises AppuioError."""
    found = changes(api, resources.IMAGE_STREAM, namespace, name, since, f"find pushes to {name} meanwhile")
    return [parse_stream(document) for document in found]


def lost_pushes(states: Sequence[ImageStream], removed: Mapping[str, Decision]) -> dict[str, TagEvent]:
    """Return what each removed tag pointed to last, where that is not what was decided on, and it is not there again.

    ``states`` are the stream after each change since it was first read for a removal, the oldest first.
    """
    lost = {}
    for name, decision in removed.items():
        if not states or name in states[-1].tags:
            continue
        seen = [state.tags[name].current for state in states if name in state.tags]
        last = seen[-1] if seen else None
        if last and last.digest and (last.digest, last.created) != (decision.digest, decision.pushed):
            lost[name] = last
    return lost


def put_back(api: Api, namespace: str, name: str, tag: str, event: TagEvent) -> None:
    """Let a tag point to an image again that the cluster still has; raises AppuioError.

    Source: OpenShift API reference, ``ImageStreamMapping``: what the registry itself does for a push.
    """
    document = {
        "apiVersion": resources.IMAGE_STREAM_MAPPING.api_version,
        "kind": resources.IMAGE_STREAM_MAPPING.kind,
        "metadata": {"name": name, "namespace": namespace},
        "image": {"metadata": {"name": event.digest}, "dockerImageReference": event.reference},
        "tag": tag,
    }
    api.create(resources.IMAGE_STREAM_MAPPING, namespace, document, step=f"put back {name}:{tag}")
