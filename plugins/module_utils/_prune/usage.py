# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images workloads use, as their API objects say it: by digest, by tag, by what triggers follow; pure.

Sources: Kubernetes API reference (PodSpec, PodStatus); OpenShift API reference (DeploymentConfig and
BuildConfig triggers, the annotation ``image.openshift.io/triggers``).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping

INTERNAL_HOST = re.compile(r"image-registry\.openshift-image-registry\.svc(\.cluster\.local)?(:5000)?")
_TRIGGERS = "image.openshift.io/triggers"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_IMAGE_MEMBERS = ("image", "imageID", "lastTriggeredImage")
_STREAM_KINDS = ("ImageStreamTag", "ImageStreamImage", "ImageStream")


@dataclass
class Usage:
    """What is in use: who uses a digest, and who uses a tag (namespace, name, tag)."""

    registries: frozenset[str] = frozenset()
    digests: dict[str, str] = field(default_factory=dict)
    tags: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def learn(self, document: Mapping[str, Any], kind: str) -> None:
        """Take in all that an object uses; an image without a host may be an image stream of its namespace."""
        metadata = document.get("metadata") or {}
        namespace = str(metadata.get("namespace") or "")
        user = f"{kind} {namespace}/{metadata.get('name')}"
        for text in _images(document):
            self._image(text, user, namespace)
        for origin in [*_origins(document), *_annotated(metadata)]:
            self._origin(origin, namespace, user)

    def _image(self, text: str, user: str, namespace: str) -> None:
        text = text.rpartition("://")[2]
        for digest in _DIGEST.findall(text):
            self.digests.setdefault(digest, user)
        host, _slash, rest = text.partition("/")
        if "@" in text:
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
        kind, text = str(origin.get("kind") or ""), str(origin.get("name") or "")
        if kind == "DockerImage":
            self._image(text, user, namespace)
        elif kind in _STREAM_KINDS:
            if "@" in text:
                self.digests.setdefault(text.partition("@")[2], user)
                return
            name, _colon, tag = text.partition(":")
            self.tags.setdefault((str(origin.get("namespace") or namespace), name, tag or "latest"), user)


def _images(value: Any) -> Iterator[str]:
    """Yield the images of all containers, wherever in the object, and what the nodes have pulled for them."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in _IMAGE_MEMBERS and isinstance(inner, str):
                yield inner
            else:
                yield from _images(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _images(inner)


def _origins(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield what builds and triggers refer to, wherever in the object."""
    if isinstance(value, Mapping):
        if str(value.get("kind") or "") in (*_STREAM_KINDS, "DockerImage") and isinstance(value.get("name"), str):
            yield value
        for inner in value.values():
            yield from _origins(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _origins(inner)


def _annotated(metadata: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    try:
        triggers = json.loads((metadata.get("annotations") or {}).get(_TRIGGERS) or "[]")
    except (ValueError, TypeError):
        return
    for trigger in triggers if isinstance(triggers, list) else ():
        if isinstance(trigger, Mapping) and isinstance(trigger.get("from"), Mapping):
            yield trigger["from"]
