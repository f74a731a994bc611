# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ImageStreams of a namespace: what each tag names, what it named before, and what it follows.

Source: OpenShift API reference, ``ImageStream`` and ``ImageStreamTag`` (image.openshift.io/v1); Kubernetes API
concepts, "Retrieving large results sets in chunks".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

from .._errors import NotFound, ServerProblem
from .json_api import JsonApi

PAGE = 50
_EXPIRED = 410


@dataclass(frozen=True)
class TagEvent:
    """An image that a tag names or named: its digest, since when (UTC), its reference, and the spec's generation.

    ``digest`` is empty where the cluster does not know it.
    """

    digest: str
    created: datetime | None
    reference: str = ""
    generation: int = 0


@dataclass(frozen=True)
class StreamTag:
    """A tag: what it has named, newest first, its entry of ``spec.tags``, and the conditions of its import.

    A push makes no entry in the specification. A tag that only has one (an import that failed, a reference)
    has no history.
    """

    name: str
    history: tuple[TagEvent, ...] = ()
    spec: Mapping[str, Any] | None = None
    conditions: tuple[Mapping[str, Any], ...] = ()

    @property
    def current(self) -> TagEvent | None:
        """What the tag names now; None where it names nothing."""
        return self.history[0] if self.history else None

    @property
    def digest(self) -> str | None:
        """The digest of what the tag names now; None where it names nothing."""
        return self.history[0].digest or None if self.history else None

    @property
    def source(self) -> Mapping[str, Any]:
        """What the entry of ``spec.tags`` takes the image from: kind, name and namespace; empty without one."""
        found = (self.spec or {}).get("from")
        return found if isinstance(found, Mapping) else {}

    @property
    def follows(self) -> str | None:
        """What moves this tag whatever is pushed to it: another tag or an external image; None for nothing.

        An entry that names one image of a stream by its digest moves nothing: a later push goes past it.
        """
        kind, name = str(self.source.get("kind") or ""), str(self.source.get("name") or "")
        if kind == "DockerImage":
            return f"the external image {name}"
        if kind == "ImageStreamTag":
            namespace = self.source.get("namespace")
            return f"the tag {f'{namespace}/' if namespace else ''}{name}"
        return None


@dataclass(frozen=True)
class ImageStream:
    """A repository of a namespace, as the API tells it; ``repository`` is its address inside the cluster."""

    name: str
    namespace: str
    tags: Mapping[str, StreamTag] = field(default_factory=dict)
    repository: str = ""
    public_repository: str = ""
    created: datetime | None = None
    resource_version: str = ""


def list_streams(api: JsonApi, namespace: str, page: int = PAGE) -> list[ImageStream]:
    """Return the streams of a namespace by name, read ``page`` at a time; raises Problem.

    Only one page of documents is held at a time. A list that expires while it is read is begun again.
    """
    found: dict[str, ImageStream] = {}
    token, expired = "", False
    while True:
        target = f"{_streams(namespace)}?limit={page}" + (f"&continue={quote(token)}" if token else "")
        try:
            answer = api.get(target, "list the ImageStreams")
        except ServerProblem as problem:
            if problem.status != _EXPIRED or not token or expired:
                raise
            found, token, expired = {}, "", True
            continue
        for document in answer.get("items") or ():
            stream = parse_stream(document)
            found[stream.name] = stream
        token = str((answer.get("metadata") or {}).get("continue") or "")
        if not token:
            return [found[name] for name in sorted(found)]


def get_stream(api: JsonApi, namespace: str, name: str) -> ImageStream | None:
    """Return one stream, or None where there is none; raises Problem."""
    try:
        return parse_stream(api.get(f"{_streams(namespace)}/{quote(name)}", f"read the ImageStream {name}"))
    except NotFound:
        return None


def get_stream_tag(api: JsonApi, namespace: str, name: str, tag: str) -> Mapping[str, Any] | None:
    """Return an ImageStreamTag with the image it names, or None where there is none; raises Problem."""
    try:
        return api.get(_tag(namespace, name, tag), f"read the tag {name}:{tag}")
    except NotFound:
        return None


def delete_tag(api: JsonApi, namespace: str, name: str, tag: str) -> bool:
    """Remove a tag with its history; return whether it was there; raises Problem.

    This is the only way there is: the registry refuses it to everyone but pruners.
    """
    try:
        api.delete(_tag(namespace, name, tag), f"remove the tag {tag}")
    except NotFound:
        return False
    return True


def parse_stream(document: Mapping[str, Any]) -> ImageStream:
    """Return the stream that a document of the API describes."""
    metadata = document.get("metadata") or {}
    status = document.get("status") or {}
    specified = {str(one.get("name")): one for one in (document.get("spec") or {}).get("tags") or ()}
    tags = {}
    for one in status.get("tags") or ():
        name = str(one.get("tag"))
        history = tuple(_event(item) for item in one.get("items") or ())
        tags[name] = StreamTag(name, history, specified.get(name), tuple(one.get("conditions") or ()))
    for name, spec in specified.items():
        tags.setdefault(name, StreamTag(name, spec=spec))
    return ImageStream(
        name=str(metadata.get("name") or ""),
        namespace=str(metadata.get("namespace") or ""),
        tags={name: tags[name] for name in sorted(tags)},
        repository=str(status.get("dockerImageRepository") or ""),
        public_repository=str(status.get("publicDockerImageRepository") or ""),
        created=parse_time(metadata.get("creationTimestamp")),
        resource_version=str(metadata.get("resourceVersion") or ""),
    )


def parse_time(text: Any) -> datetime | None:
    """Return the moment that a timestamp of the API means (RFC 3339, UTC), None for what is none."""
    whole = str(text or "").partition(".")[0].rstrip("Z")
    try:
        return datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def _event(item: Mapping[str, Any]) -> TagEvent:
    return TagEvent(
        digest=str(item.get("image") or ""),
        created=parse_time(item.get("created")),
        reference=str(item.get("dockerImageReference") or ""),
        generation=int(item.get("generation") or 0),
    )


def _streams(namespace: str) -> str:
    return f"/apis/image.openshift.io/v1/namespaces/{quote(namespace)}/imagestreams"


def _tag(namespace: str, name: str, tag: str) -> str:
    return f"/apis/image.openshift.io/v1/namespaces/{quote(namespace)}/imagestreamtags/{quote(f'{name}:{tag}')}"
