# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images are used, as API objects say it: by digest, by tag, by what triggers, other tags and indexes follow.

Sources: Kubernetes API reference (PodSpec with its image volumes, PodStatus, ControllerRevision); OpenShift API
reference (DeploymentConfig and BuildConfig triggers, the annotation ``image.openshift.io/triggers``, ImageStream,
``imagestreams/layers`` with the manifests of indexes).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterator

from . import resources
from .documents import mapping, mappings, text

if TYPE_CHECKING:
    from .client import Api
    from .image_streams import StreamTag

INTERNAL_HOST = re.compile(r"image-registry\.openshift-image-registry\.svc(\.cluster\.local)?(:5000)?")
_TRIGGERS = "image.openshift.io/triggers"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_IMAGE_MEMBERS = ("image", "imageID", "lastTriggeredImage")
_STREAM_KINDS = ("ImageStreamTag", "ImageStreamImage", "ImageStream")
Children = Mapping[str, frozenset[str]]


@dataclass
class Usage:
    """What is in use: who uses a digest, who uses a tag, and which tag follows a tag (namespace, name, tag)."""

    registries: frozenset[str] = frozenset()
    digests: dict[str, str] = field(default_factory=dict)
    tags: dict[tuple[str, str, str], str] = field(default_factory=dict)
    followed: dict[tuple[str, str, str], tuple[str, str, str]] = field(default_factory=dict)

    def learn(self, document: Any, kind: str) -> None:
        """Take in all that an object uses; an image without a host may be an image stream of its namespace."""
        metadata = mapping(mapping(document).get("metadata"))
        namespace = text(metadata.get("namespace"))
        user = f"{kind} {namespace}/{text(metadata.get('name'))}"
        for image in _images(document):
            self._image(image, user, namespace)
        for origin in [*_origins(document), *_annotated(metadata)]:
            self._origin(origin, namespace, user)

    def learn_stream(self, document: Any) -> None:
        """Take in what the tags of an ImageStream follow, and the images of other repositories that they point to.

        A tag that was made of another repository's image keeps that repository's address: pulls go there.
        """
        metadata = mapping(mapping(document).get("metadata"))
        namespace, stream = text(metadata.get("namespace")), text(metadata.get("name"))
        for entry in mappings(mapping(mapping(document).get("spec")).get("tags")):
            self._followed((namespace, stream, text(entry.get("name"))), mapping(entry.get("from")))
        for entry in mappings(mapping(mapping(document).get("status")).get("tags")):
            for item in mappings(entry.get("items")):
                self._pulled((namespace, stream, text(entry.get("tag"))), text(item.get("dockerImageReference")))

    def stream_user(self, namespace: str, name: str) -> str | None:
        """Return who uses any tag of a stream, or which tag of another stream follows one."""
        for key, user in self.tags.items():
            if key[:2] == (namespace, name):
                return user
        for key, follower in self.followed.items():
            if key[:2] == (namespace, name) != follower[:2]:
                return _written(follower)
        return None

    def _followed(self, follower: tuple[str, str, str], origin: Mapping[str, Any]) -> None:
        kind, name = origin.get("kind"), text(origin.get("name"))
        namespace = text(origin.get("namespace")) or follower[0]
        if kind == "ImageStreamTag":
            stream, colon, tag = name.partition(":")
            # Without a colon it is a tag of the same stream.
            key = (namespace, stream, tag) if colon else (namespace, follower[1], name)
            if key != follower:
                self.followed.setdefault(key, follower)
        elif kind == "ImageStreamImage" and (namespace, name.partition("@")[0]) != follower[:2]:
            self._origin(origin, follower[0], _written(follower))
        elif kind == "DockerImage":
            self._pulled(follower, name)

    def _pulled(self, tag: tuple[str, str, str], reference: str) -> None:
        """Take in an image of this registry, unless it is of the tag's own repository."""
        host, _slash, rest = reference.partition("/")
        if self._is_ours(host) and rest.partition("@")[0].partition(":")[0] != "/".join(tag[:2]):
            self._image(reference, _written(tag), tag[0])

    def _image(self, image: str, user: str, namespace: str) -> None:
        image = image.rpartition("://")[2]
        for digest in _DIGEST.findall(image):
            self.digests.setdefault(digest, user)
        host, _slash, rest = image.partition("/")
        if "@" in image:
            return
        if rest.count("/") == 1 and self._is_ours(host):
            namespace, _slash, rest = rest.partition("/")
        elif rest:
            return
        name, _colon, tag = (rest or host).partition(":")
        self.tags.setdefault((namespace, name, tag or "latest"), user)

    def _is_ours(self, host: str) -> bool:
        return host in self.registries or bool(INTERNAL_HOST.fullmatch(host))

    def _origin(self, origin: Mapping[str, Any], namespace: str, user: str) -> None:
        kind, name = text(origin.get("kind")), text(origin.get("name"))
        if kind == "DockerImage":
            self._image(name, user, namespace)
        elif kind in _STREAM_KINDS:
            if "@" in name:
                self.digests.setdefault(name.partition("@")[2], user)
                return
            name, _colon, tag = name.partition(":")
            self.tags.setdefault((text(origin.get("namespace")) or namespace, name, tag or "latest"), user)


def _written(tag: tuple[str, str, str]) -> str:
    return "ImageStreamTag {}/{}:{}".format(*tag)


def _inside(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every JSON object in a document, the outermost first, however deep it is."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _images(document: Any) -> Iterator[str]:
    """Yield the images of all containers and volumes, wherever in the object, and what the nodes have pulled."""
    for inner in _inside(document):
        for name in _IMAGE_MEMBERS:
            found = inner.get(name)
            # An image volume has {"reference": ...} where a container has a string.
            image = text(found) or text(mapping(found).get("reference"))
            if image:
                yield image


def _origins(document: Any) -> Iterator[Mapping[str, Any]]:
    """Yield what builds and triggers refer to, wherever in the object."""
    for inner in _inside(document):
        if inner.get("kind") in (*_STREAM_KINDS, "DockerImage") and isinstance(inner.get("name"), str):
            yield inner


def _annotated(metadata: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    try:
        triggers = json.loads(text(mapping(metadata.get("annotations")).get(_TRIGGERS)) or "[]")
    except (ValueError, RecursionError):
        return
    for trigger in mappings(triggers):
        yield mapping(trigger.get("from"))


def image_children(api: Api, namespace: str, name: str) -> dict[str, frozenset[str]]:
    """Return the manifests of each index under the tags of a stream, in one request; raises AppuioError."""
    step = f"read the images of {name}"
    return parse_children(api.get(resources.IMAGE_STREAM, namespace, name, step=step, subresource="layers"))


def parse_children(document: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return the manifests of each index that an ``ImageStreamLayers`` object tells of."""
    listed = {digest: mapping(one).get("manifests") for digest, one in mapping(document.get("images")).items()}
    return {
        digest: frozenset(child for child in children if isinstance(child, str))
        for digest, children in listed.items()
        if isinstance(children, list) and children
    }


def held_images(tag: StreamTag, children: Children) -> dict[str, None]:
    """Return the digests that can be pulled as long as there is the tag: of its history, and their children."""
    digests = dict.fromkeys(event.digest for event in tag.history if event.digest)
    return {**digests, **{child: None for digest in digests for child in children.get(digest, ())}}
