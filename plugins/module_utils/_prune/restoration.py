# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting back what was pushed to a tag after it was read for the last time, and before it was removed.

OpenShift removes a tag whatever its stream's version is, so that a push that succeeded can be lost. What the tag
pointed to stands in the changes of its stream, and its image is still there.
"""

from __future__ import annotations

from typing import Mapping, Sequence

from .._openshift import resources
from .._openshift.changes import changes
from .._openshift.client import Api
from .._openshift.image_streams import ImageStream, TagEvent, parse_stream
from .plan import Decision


def states_since(api: Api, namespace: str, name: str, since: str) -> list[ImageStream]:
    """Return a stream as each change since a version left it, the oldest first; raises AppuioError."""
    found = changes(api, resources.IMAGE_STREAM, namespace, name, since, f"look for pushes to {name} meanwhile")
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
