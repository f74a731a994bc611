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

from .._errors import NotFoundError
from . import resources
from .client import Api

PAGE = 50
NEVER = datetime(1970, 1, 1, tzinfo=timezone.utc)


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


def list_streams(api: Api, namespace: str, page: int = PAGE) -> Iterator[ImageStream]:
    """Yield the streams of a namespace, each once, read ``page`` at a time as they are wanted; raises AppuioError."""
    for document in api.items(resources.IMAGE_STREAM, namespace, step="list the ImageStreams", page=page):
        yield parse_stream(document)


def get_stream(api: Api, namespace: str, name: str) -> ImageStream | None:
    """Return one stream, or None where there is none; raises AppuioError."""
    try:
        found = api.get(resources.IMAGE_STREAM, namespace, name, step=f"read the ImageStream {name}")
    except NotFoundError:
        return None
    return parse_stream(found)


def get_stream_tag(api: Api, namespace: str, name: str, tag: str) -> Mapping[str, Any] | None:
    """Return an ImageStreamTag with the image it points to, or None where there is none; raises AppuioError."""
    try:
        return api.get(resources.IMAGE_STREAM_TAG, namespace, f"{name}:{tag}", step=f"read the tag {name}:{tag}")
    except NotFoundError:
        return None


def delete_tag(api: Api, namespace: str, name: str, tag: str) -> bool:
    """Delete a tag with its history; return whether it was there; raises AppuioError.

    This is the only way there is: the registry refuses it to everyone but pruners.
    """
    try:
        api.delete(resources.IMAGE_STREAM_TAG, namespace, f"{name}:{tag}", step=f"remove the tag {tag}")
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
