# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many ImageStreams and tags, and how large an image, a namespace takes: ResourceQuota and LimitRange."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from ..settings import Settings
from .image_streams import tag_names
from .kinds import IMAGE
from .manifest import Manifest
from .store import Object, Store

_STREAMS = ("openshift.io/imagestreams", "count/imagestreams.image.openshift.io")
_TAGS = "openshift.io/imagestreamtags"
_COUNTED = (
    {"secrets": ("", "secrets"), "count/secrets": ("", "secrets")}
    | dict.fromkeys(_STREAMS, (IMAGE, "imagestreams"))
    | {_TAGS: (IMAGE, "imagestreamtags")}
)
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def amount(text: Any) -> int:
    """Return a Kubernetes quantity as a whole number; raises ValueError for another form."""
    found = re.fullmatch(r"(\d+)(k|M|G|Ki|Mi|Gi)?", str(text))
    if found is None:
        raise ValueError(f"{text!r} is no quantity")
    return int(found[1]) * _UNITS[found[2] or ""]


class Quota:
    """Says what is used up."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._settings, self._clock = store, settings, clock
        self._limits: dict[str, tuple[float, list[Object]]] = {}

    def with_usage(self, quota: Object) -> Object:
        """Return a ResourceQuota with its status."""
        hard = (quota.get("spec") or {}).get("hard") or {}
        namespace = quota["metadata"]["namespace"]
        used = {name: str(self._count(name, namespace)) for name in hard if self._counts(name)}
        return {**quota, "status": {"hard": hard, "used": used}}

    def exceeded(self, namespace: str, group: str, plural: str) -> str | None:
        """Return why one more object of a kind is refused, or None."""
        for quota in self._store.items("", "resourcequotas", namespace):
            for name, hard in ((quota.get("spec") or {}).get("hard") or {}).items():
                if _COUNTED.get(name) != (group, plural):
                    continue
                if name == _TAGS and self._settings.tag_quota != "enforced":
                    continue
                used = self._count(name, namespace)
                if used + 1 > amount(hard):
                    title = quota["metadata"]["name"]
                    return f"exceeded quota: {title}, requested: {name}=1, used: {name}={used}, limited: {name}={hard}"
        return None

    def image_too_large(self, namespace: str, manifest: Manifest) -> bool:
        """Tell whether a LimitRange refuses an image for its size."""
        limit = self._limit(namespace, "openshift.io/Image", "storage")
        parts = [*([manifest.config] if manifest.config else []), *manifest.layers]
        sizes = {part["digest"]: int(part.get("size", 0)) for part in parts}
        return limit is not None and sum(sizes.values()) > limit

    def stream_full(self, namespace: str, tags: set[str], images: set[str]) -> bool:
        """Tell whether a LimitRange refuses an ImageStream with these tags and images."""
        most_tags = self._limit(namespace, "openshift.io/ImageStream", "openshift.io/image-tags")
        most_images = self._limit(namespace, "openshift.io/ImageStream", "openshift.io/images")
        return (most_tags is not None and len(tags) > most_tags) or (
            most_images is not None and len(images) > most_images
        )

    def _counts(self, name: str) -> bool:
        return name in _COUNTED and (name != _TAGS or self._settings.tag_quota != "ignored")

    def _count(self, name: str, namespace: str) -> int:
        group, plural = _COUNTED[name]
        if name == _TAGS:
            return sum(len(tag_names(stream)) for stream in self._store.items(IMAGE, "imagestreams", namespace))
        return len(self._store.items(group, plural, namespace))

    def _limit_ranges(self, namespace: str) -> list[Object]:
        """Return the LimitRanges of a namespace as the registry knows them: for a while as they were."""
        read, ranges = self._limits.get(namespace, (0.0, []))
        if namespace not in self._limits or self._clock() - read >= self._settings.limit_cache:
            read, ranges = self._clock(), self._store.items("", "limitranges", namespace)
            self._limits[namespace] = (read, ranges)
        return ranges

    def _limit(self, namespace: str, kind: str, name: str) -> int | None:
        found = [
            amount(limit["max"][name])
            for limits in self._limit_ranges(namespace)
            for limit in (limits.get("spec") or {}).get("limits") or []
            if limit.get("type") == kind and name in (limit.get("max") or {})
        ]
        return min(found) if found else None
