# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ImageStreams of a namespace: what each tag points to, what it pointed to before, and what it follows.

Names that are none (of streams, of tags) never get into a path: what has one is left aside and listed in ``skipped``.

Source: OpenShift API reference (image.openshift.io/v1); Kubernetes API concepts, "Retrieving large results sets".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .._errors import ForbiddenError, NotFoundError
from .._reference import is_digest, is_repository, is_tag
from . import resources
from .client import Api
from .documents import NEVER, mapping, mappings, moment, number, text

PAGE = 50


@dataclass(frozen=True)
class TagEvent:
    """An image that a tag points or pointed to: its digest, since when (UTC), its reference, the spec's generation.

    ``digest`` is empty where the cluster does not know it, as a tag made with ``oc tag --reference`` leaves it, and
    ``created`` is NEVER where it does not say.
    """

    digest: str
    created: datetime
    reference: str = ""
    generation: int = 0


@dataclass(frozen=True)
class StreamTag:
    """A tag: what it has pointed to, newest first, its entry of ``spec.tags``, and the conditions of its import.

    A push makes no entry in the specification. A tag that only has one (an import that failed, a reference)
    has no history.
    """

    name: str
    history: tuple[TagEvent, ...] = ()
    spec: Mapping[str, Any] | None = field(default=None, compare=False)
    conditions: tuple[Mapping[str, Any], ...] = field(default=(), compare=False)

    @property
    def current(self) -> TagEvent | None:
        """What the tag points to now; None where it points to nothing."""
        return self.history[0] if self.history else None

    @property
    def digest(self) -> str | None:
        """The digest of what the tag points to now; None where that is no image of this cluster."""
        return self.history[0].digest or None if self.history else None

    @property
    def source(self) -> Mapping[str, Any]:
        """What the entry of ``spec.tags`` takes the image from: kind, name and namespace; empty without one."""
        return mapping((self.spec or {}).get("from"))

    @property
    def is_reference(self) -> bool:
        """Whether the tag stands for an image elsewhere that this cluster does not hold (``oc tag --reference``)."""
        return bool((self.spec or {}).get("reference")) or not self.digest

    @property
    def named_source(self) -> str | None:
        """The tag, or the image elsewhere, that the entry of ``spec.tags`` names; None for one image or no entry."""
        named = self.source.get("kind") in ("ImageStreamTag", "DockerImage")
        return text(self.source.get("name")) if named else None

    @property
    def follows(self) -> str | None:
        """What the tag follows by itself: another tag, or an image elsewhere; None where pushes alone move it.

        An entry that names one image by its digest, or one that was imported once, moves nothing.
        """
        scheduled = bool(mapping((self.spec or {}).get("importPolicy")).get("scheduled"))
        return self.named_source if scheduled or self.source.get("kind") == "ImageStreamTag" else None


@dataclass(frozen=True)
class ImageStream:
    """A repository of a namespace, as the API tells it; ``repository`` is its address inside the cluster.

    ``skipped`` says what of it was left aside, a sentence each.
    """

    name: str
    namespace: str
    tags: Mapping[str, StreamTag] = field(default_factory=dict)
    repository: str = ""
    public_repository: str = ""
    created: datetime = NEVER
    resource_version: str = ""
    uid: str = ""
    skipped: tuple[str, ...] = ()


def list_streams(api: Api, namespace: str, page: int = PAGE, skipped: list[str] | None = None) -> Iterator[ImageStream]:
    """Yield the streams of a namespace, each once, read ``page`` at a time as they are wanted; raises AppuioError.

    ``skipped`` gets a sentence for each object that is left aside, as its name is none.
    """
    for document in stream_documents(api, namespace, page):
        stream = parse_stream(document)
        if stream.name:
            yield stream
        elif skipped is not None:
            skipped.extend(stream.skipped)


def stream_documents(api: Api, namespace: str, page: int = PAGE) -> Iterator[Mapping[str, Any]]:
    """Yield the ImageStream objects of a namespace as they are; raises AppuioError."""
    try:
        yield from api.items(resources.IMAGE_STREAM, namespace, step="list the ImageStreams", page=page)
    except ForbiddenError as error:
        raise _with_namespace(error, namespace) from None


def get_stream(api: Api, namespace: str, name: str) -> ImageStream | None:
    """Return one stream, or None where there is none; raises AppuioError."""
    document = get_document(api, namespace, name)
    return None if document is None else parse_stream(document)


def get_document(api: Api, namespace: str, name: str) -> dict[str, Any] | None:
    """Return an ImageStream object as it is, or None where there is none; raises AppuioError."""
    try:
        return api.get(resources.IMAGE_STREAM, namespace, name, step=f"read the ImageStream {name}")
    except NotFoundError:
        return None
    except ForbiddenError as error:
        raise _with_namespace(error, namespace) from None


def delete_tag(api: Api, namespace: str, name: str, tag: str, read: ImageStream | None = None) -> bool:
    """Delete a tag with its history; return whether it was there; raises AppuioError.

    With ``read``, only if its stream is as it was read: raises ConflictError. A cluster may look at the UID alone.
    This is the only way there is: the registry refuses it to everyone but pruners.
    """
    return _delete(api, resources.IMAGE_STREAM_TAG, namespace, f"{name}:{tag}", f"remove the tag {tag}", read)


def delete_stream(api: Api, namespace: str, read: ImageStream) -> bool:
    """Delete a stream with its tags, if it is as it was read; return whether it was there; raises AppuioError."""
    return _delete(api, resources.IMAGE_STREAM, namespace, read.name, f"remove the ImageStream {read.name}", read)


def _with_namespace(error: ForbiddenError, namespace: str) -> ForbiddenError:
    """The API says no more of a namespace that is not there than of one that somebody may not see."""
    error.hint = f"The namespace {namespace} may not exist, or the credential has no right to it"
    return error


def _delete(
    api: Api, resource: resources.ResourceType, namespace: str, name: str, step: str, read: ImageStream | None
) -> bool:
    try:
        if read is None:
            api.delete(resource, namespace, name, step=step)
        else:
            version = read.resource_version
            api.delete(resource, namespace, name, step=step, uid=read.uid, resource_version=version)
    except NotFoundError:
        return False
    return True


def parse_stream(document: Mapping[str, Any]) -> ImageStream:
    """Return the stream that a document of the API describes; one without a proper name has the name ``""``."""
    metadata, status = mapping(document.get("metadata")), mapping(document.get("status"))
    name = text(metadata.get("name"))
    if not is_repository(name):
        shown = str(metadata.get("name"))[:100]
        return ImageStream("", "", skipped=(f"an ImageStream has the name {shown!r}, which is none",))
    skipped: list[str] = []
    specified = _by_name(mapping(document.get("spec")).get("tags"), "name", name, skipped)
    tags = {}
    for tag, one in _by_name(status.get("tags"), "tag", name, skipped).items():
        history = tuple(parse_event(item) for item in mappings(one.get("items")))
        tags[tag] = StreamTag(tag, history, specified.get(tag), tuple(mappings(one.get("conditions"))))
    for tag, spec in specified.items():
        tags.setdefault(tag, StreamTag(tag, spec=spec))
    return ImageStream(
        name=name,
        namespace=text(metadata.get("namespace")),
        tags={tag: tags[tag] for tag in sorted(tags)},
        repository=text(status.get("dockerImageRepository")),
        public_repository=text(status.get("publicDockerImageRepository")),
        created=moment(metadata.get("creationTimestamp")),
        resource_version=text(metadata.get("resourceVersion")),
        uid=text(metadata.get("uid")),
        skipped=tuple(dict.fromkeys(skipped)),
    )


def _by_name(entries: Any, member: str, stream: str, skipped: list[str]) -> dict[str, Mapping[str, Any]]:
    """Return the entries by the tag that they are of; what is none of a proper tag is left aside."""
    if entries is not None and not isinstance(entries, list):
        skipped.append(f"the tags of {stream} are no list")
    named = {}
    for one in entries if isinstance(entries, list) else ():
        name = mapping(one).get(member)
        if isinstance(name, str) and is_tag(name):
            named[name] = one
        else:
            skipped.append(f"a tag of {stream} has the name {str(name)[:100]!r}, which is none")
    return named


def parse_event(item: Mapping[str, Any]) -> TagEvent:
    """Return the event that an item of ``status.tags`` describes."""
    digest = text(item.get("image"))
    return TagEvent(
        digest=digest if is_digest(digest) else "",
        created=moment(item.get("created")),
        reference=text(item.get("dockerImageReference")),
        generation=number(item.get("generation")),
    )
