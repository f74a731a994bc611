# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ImageStreams: the repositories of a namespace, their tags, and what each tag has named.

Source: OpenShift API reference, ImageStream and ImageStreamTag (image.openshift.io/v1). One-off requests
without a library, as pushes and prunes have to run where nothing is installed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Iterator, Mapping
from urllib.parse import quote

from .._errors import NotFound
from .json_api import JsonApi

PAGE = 100
_GROUP = "/apis/image.openshift.io/v1"
_NEVER = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class TagEvent:
    """One image that a tag has named, since ``created``; ``reference`` has the address within the cluster."""

    digest: str
    created: datetime
    reference: str = ""
    generation: int = 0


@dataclass(frozen=True)
class StreamTag:
    """A tag: its ``history`` with the newest first, and ``spec`` where somebody has told what it is to follow."""

    name: str
    history: tuple[TagEvent, ...] = ()
    spec: Mapping[str, Any] | None = field(default=None, compare=False)
    conditions: tuple[Mapping[str, Any], ...] = field(default=(), compare=False)

    @property
    def digest(self) -> str | None:
        """What the tag names now, None where its image was never imported."""
        return self.history[0].digest if self.history else None

    @property
    def follows(self) -> str | None:
        """What the tag follows by itself: another tag, or an image elsewhere; None where pushes alone move it."""
        origin = (self.spec or {}).get("from") or {}
        imported = bool(((self.spec or {}).get("importPolicy") or {}).get("scheduled"))
        if origin.get("kind") == "ImageStreamTag" or (origin.get("kind") == "DockerImage" and imported):
            return str(origin.get("name") or "")
        return None


@dataclass(frozen=True)
class ImageStream:
    """A repository; ``public_repository`` is its address from outside, where the cluster has told it."""

    namespace: str
    name: str
    tags: Mapping[str, StreamTag]
    created: datetime = _NEVER
    repository: str = ""
    public_repository: str = ""
    resource_version: str = ""


def list_streams(api: JsonApi, namespace: str) -> Iterator[ImageStream]:
    """Yield the ImageStreams of a namespace, fetched page by page; raises Problem."""
    path = f"{_GROUP}/namespaces/{quote(namespace)}/imagestreams?limit={PAGE}"
    following = ""
    while True:
        answer = api.get(path + (f"&continue={quote(following)}" if following else ""), "list the image streams")
        for item in answer.get("items") or ():
            yield parse_stream(item)
        following = str((answer.get("metadata") or {}).get("continue") or "")
        if not following:
            return


def get_stream(api: JsonApi, namespace: str, name: str) -> ImageStream | None:
    """Return an ImageStream, or None where there is none; raises Problem."""
    path = f"{_GROUP}/namespaces/{quote(namespace)}/imagestreams/{quote(name)}"
    try:
        return parse_stream(api.get(path, f"read the image stream {name}"))
    except NotFound:
        return None


def delete_tag(api: JsonApi, namespace: str, name: str, tag: str) -> bool:
    """Remove a tag with its history; return whether it was there; raises Problem."""
    path = f"{_GROUP}/namespaces/{quote(namespace)}/imagestreamtags/{quote(f'{name}:{tag}')}"
    try:
        api.delete(path, f"remove the tag {tag}")
    except NotFound:
        return False
    return True


def parse_stream(document: Mapping[str, Any]) -> ImageStream:
    """Return what an ImageStream object says."""
    metadata = document.get("metadata") or {}
    status = document.get("status") or {}
    specs = {str(tag.get("name")): tag for tag in (document.get("spec") or {}).get("tags") or ()}
    found = {str(tag.get("tag")): tag for tag in status.get("tags") or ()}
    return ImageStream(
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
        tags={name: _tag(name, found.get(name) or {}, specs.get(name)) for name in sorted({*specs, *found})},
        created=moment(metadata.get("creationTimestamp")),
        repository=str(status.get("dockerImageRepository") or ""),
        public_repository=str(status.get("publicDockerImageRepository") or ""),
        resource_version=str(metadata.get("resourceVersion") or ""),
    )


def moment(text: Any) -> datetime:
    """Return the time that an API object tells (RFC 3339, in UTC), the epoch for none."""
    try:
        return datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return _NEVER


def _tag(name: str, status: Mapping[str, Any], spec: Mapping[str, Any] | None) -> StreamTag:
    events = [
        TagEvent(
            digest=str(item.get("image") or ""),
            created=moment(item.get("created")),
            reference=str(item.get("dockerImageReference") or ""),
            generation=int(item.get("generation") or 0),
        )
        for item in status.get("items") or ()
    ]
    return StreamTag(name, tuple(events), spec, tuple(status.get("conditions") or ()))
