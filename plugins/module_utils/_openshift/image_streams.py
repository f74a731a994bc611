# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ImageStreams of a namespace: what each tag names, what it named before, and what it follows.

Source: OpenShift API reference, ``ImageStream`` and ``ImageStreamTag`` (image.openshift.io/v1); Kubernetes API
concepts, "Retrieving large results sets in chunks".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

from .._errors import NotFoundError, ServerError
from .json_api import JsonApi

PAGE = 50
NEVER = datetime(1970, 1, 1, tzinfo=timezone.utc)
_EXPIRED = 410


@dataclass(frozen=True)
class TagEvent:
    """An image that a tag names or named: its digest, since when (UTC), its reference, and the spec's generation.

    ``digest`` is empty where the cluster does not know it, and ``created`` is NEVER where it does not say.
    """

    digest: str
    created: datetime
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
    spec: Mapping[str, Any] | None = field(default=None, compare=False)
    conditions: tuple[Mapping[str, Any], ...] = field(default=(), compare=False)

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
    def named_source(self) -> str | None:
        """The tag, or the image elsewhere, that the entry of ``spec.tags`` names; None for one image or no entry."""
        named = self.source.get("kind") in ("ImageStreamTag", "DockerImage")
        return str(self.source.get("name") or "") if named else None

    @property
    def follows(self) -> str | None:
        """What the tag follows by itself: another tag, or an image elsewhere; None where pushes alone move it.

        An entry that names one image by its digest, or one that was imported once, moves nothing.
        """
        scheduled = bool(((self.spec or {}).get("importPolicy") or {}).get("scheduled"))
        return self.named_source if scheduled or self.source.get("kind") == "ImageStreamTag" else None


@dataclass(frozen=True)
class ImageStream:
    """A repository of a namespace, as the API tells it; ``repository`` is its address inside the cluster."""

    name: str
    namespace: str
    tags: Mapping[str, StreamTag] = field(default_factory=dict)
    repository: str = ""
    public_repository: str = ""
    created: datetime = NEVER
    resource_version: str = ""


def list_streams(api: JsonApi, namespace: str, page: int = PAGE) -> Iterator[ImageStream]:
    """Yield the streams of a namespace, each once, read ``page`` at a time as they are wanted; raises AppuioError.

    Where the list expires while it is read, it is begun again, once.
    """
    seen: set[str] = set()
    token, expired = "", False
    while True:
        target = f"{_streams(namespace)}?limit={page}" + (f"&continue={quote(token)}" if token else "")
        try:
            answer = api.get(target, "list the ImageStreams")
        except ServerError as error:
            if error.status != _EXPIRED or not token or expired:
                raise
            token, expired = "", True
            continue
        for document in answer.get("items") or ():
            stream = parse_stream(document)
            if stream.name not in seen:
                seen.add(stream.name)
                yield stream
        token = str((answer.get("metadata") or {}).get("continue") or "")
        if not token:
            return


def get_stream(api: JsonApi, namespace: str, name: str) -> ImageStream | None:
    """Return one stream, or None where there is none; raises AppuioError."""
    try:
        return parse_stream(api.get(stream_path(namespace, name), f"read the ImageStream {name}"))
    except NotFoundError:
        return None


def get_stream_tag(api: JsonApi, namespace: str, name: str, tag: str) -> Mapping[str, Any] | None:
    """Return an ImageStreamTag with the image it names, or None where there is none; raises AppuioError."""
    try:
        return api.get(_tag(namespace, name, tag), f"read the tag {name}:{tag}")
    except NotFoundError:
        return None


def delete_tag(api: JsonApi, namespace: str, name: str, tag: str) -> bool:
    """Remove a tag with its history; return whether it was there; raises AppuioError.

    This is the only way there is: the registry refuses it to everyone but pruners.
    """
    try:
        api.delete(_tag(namespace, name, tag), f"remove the tag {tag}")
    except NotFoundError:
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
        history = tuple(parse_event(item) for item in one.get("items") or ())
        tags[name] = StreamTag(name, history, specified.get(name), tuple(one.get("conditions") or ()))
    for name, spec in specified.items():
        tags.setdefault(name, StreamTag(name, spec=spec))
    return ImageStream(
        name=str(metadata.get("name") or ""),
        namespace=str(metadata.get("namespace") or ""),
        tags={name: tags[name] for name in sorted(tags)},
        repository=str(status.get("dockerImageRepository") or ""),
        public_repository=str(status.get("publicDockerImageRepository") or ""),
        created=moment(metadata.get("creationTimestamp")),
        resource_version=str(metadata.get("resourceVersion") or ""),
    )


def stream_path(namespace: str, name: str) -> str:
    """Return where the API has a stream."""
    return f"{_streams(namespace)}/{quote(name)}"


def moment(text: Any) -> datetime:
    """Return the time that an object of the API tells (RFC 3339, UTC), NEVER for none."""
    whole = str(text or "").partition(".")[0].rstrip("Z")
    try:
        return datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return NEVER


def parse_event(item: Mapping[str, Any]) -> TagEvent:
    """Return the event that an item of ``status.tags`` describes."""
    return TagEvent(
        digest=str(item.get("image") or ""),
        created=moment(item.get("created")),
        reference=str(item.get("dockerImageReference") or ""),
        generation=int(item.get("generation") or 0),
    )


def _streams(namespace: str) -> str:
    return f"/apis/image.openshift.io/v1/namespaces/{quote(namespace)}/imagestreams"


def _tag(namespace: str, name: str, tag: str) -> str:
    return f"/apis/image.openshift.io/v1/namespaces/{quote(namespace)}/imagestreamtags/{quote(f'{name}:{tag}')}"
