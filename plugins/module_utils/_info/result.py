# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the images of zones, as the module returns it, and in what the zones differ; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from .._errors import AppuioError
from .._openshift.documents import NEVER
from .._openshift.image_streams import StreamTag, TagEvent
from .._openshift.quota import Allowance
from .._registry.image_reader import ImageDetails
from .._zones.fanout import joined_error
from .options import Query

API, REGISTRY = "api", "registry"
COUNTED = ("imagestreams", "imagestreamtags")


@dataclass(frozen=True)
class TagInfo:
    """A tag. ``history`` is None where only the registry was asked, which has none."""

    name: str
    digest: str | None
    created: datetime = NEVER
    reference: str | None = None
    history: tuple[TagEvent, ...] | None = None
    follows: str | None = None
    details: ImageDetails | None = None

    @classmethod
    def of_stream(cls, tag: StreamTag) -> TagInfo:
        """Return what an ImageStream tells of a tag."""
        current = tag.current
        return cls(
            name=tag.name,
            digest=tag.digest,
            created=current.created if current else NEVER,
            reference=current.reference or None if current else None,
            history=tag.history,
            follows=tag.named_source,
        )

    def with_details(self, details: ImageDetails | None) -> TagInfo:
        """Return the same with what its image consists of."""
        return replace(self, details=details) if details else self


@dataclass(frozen=True)
class RepositoryInfo:
    """A repository with the tags that were asked for."""

    name: str
    tags: tuple[TagInfo, ...] = ()
    created: datetime = NEVER


@dataclass(frozen=True)
class QuotaInfo:
    """How many there are (None: not known) and may be (None: no limit); ``quota`` names the ResourceQuota."""

    used: int | None
    allowed: int | None
    quota: str | None = None

    def result(self) -> dict[str, Any]:
        """Return it as the module does."""
        left = None if self.used is None or self.allowed is None else max(0, self.allowed - self.used)
        return {"used": self.used, "allowed": self.allowed, "left": left, "quota": self.quota}


@dataclass(frozen=True)
class ZoneInfo:
    """What is known of one zone, from where, and in words what is not known."""

    zone: str
    registry: str
    namespace: str
    known_from: str | None = None
    repositories: tuple[RepositoryInfo, ...] = ()
    quota: Mapping[str, QuotaInfo] | None = None
    unknown: tuple[str, ...] = ()
    error: AppuioError | None = None

    @property
    def digests(self) -> dict[tuple[str, str], str | None]:
        """What each tag points to, by repository and tag."""
        return {(one.name, tag.name): tag.digest for one in self.repositories for tag in one.tags}

    def result(self) -> dict[str, Any]:
        """Return it as the module does; ``tags`` are those of all repositories."""
        tags = [self._tag(one, tag) for one in self.repositories for tag in one.tags]
        return {
            "zone": self.zone,
            "registry": self.registry,
            "namespace": self.namespace,
            "known_from": self.known_from,
            "exists": bool(self.repositories) if self.error is None else None,
            "images": [self._repository(one) for one in self.repositories],
            "tags": tags,
            "quota": {name: one.result() for name, one in self.quota.items()} if self.quota else None,
            "unknown": list(self.unknown),
            "failed": self.error is not None,
            "error": str(self.error) if self.error else None,
        }

    def _repository(self, one: RepositoryInfo) -> dict[str, Any]:
        return {
            "name": one.name,
            "reference": f"{self.registry}/{self.namespace}/{one.name}",
            "created": _written(one.created),
            "tags": [tag.name for tag in one.tags],
        }

    def _tag(self, one: RepositoryInfo, tag: TagInfo) -> dict[str, Any]:
        address = f"{self.registry}/{self.namespace}/{one.name}"
        details = tag.details
        history = None if tag.history is None else [_event(*numbered) for numbered in enumerate(tag.history)]
        return {
            "name": one.name,
            "tag": tag.name,
            "reference": f"{address}:{tag.name}",
            "reference_digest": f"{address}@{tag.digest}" if tag.digest else None,
            "digest": tag.digest,
            "created": _written(tag.created),
            "size": details.size if details else None,
            "platforms": list(details.platforms) if details else None,
            "media_type": details.media_type if details else None,
            "image_id": details.image_id if details else None,
            "docker_image_reference": tag.reference,
            "follows": tag.follows,
            "history": history,
        }


@dataclass(frozen=True)
class InfoPlan:
    """What all zones answered, as the result of a module that changes nothing."""

    zones: tuple[ZoneInfo, ...]
    several: bool
    query: Query | None = None
    changed: bool = False

    def predict(self) -> dict[str, Any]:
        """Return the result; raises AppuioError where a zone could not be asked, with what the others answered."""
        result: dict[str, Any] = {"zones": [zone.result() for zone in self.zones]}
        if self.several:
            result.update(compared(self.zones))
        errors = [zone.error for zone in self.zones]
        if any(errors):
            raise joined_error(errors, result)
        if self.query is not None:
            try:
                result["queried"] = self.query.search(result)
            except AppuioError as error:
                error.result = result
                raise
        return result

    def diff(self) -> None:
        """Nothing changes."""


def compared(zones: Sequence[ZoneInfo]) -> dict[str, Any]:
    """Return whether the zones that could be asked have the same images under the same tags, and where not.

    Of a zone that could not be asked nothing is known, so that ``in_sync`` is None unless the others differ.
    """
    asked = [zone for zone in zones if zone.error is None]
    digests = {zone.zone: zone.digests for zone in asked}
    drift = []
    for name, tag in sorted({key for found in digests.values() for key in found}):
        named = {zone: found.get((name, tag)) for zone, found in digests.items()}
        if len(set(named.values())) > 1:
            drift.append({"name": name, "tag": tag, "digests": named})
    in_sync = False if drift else True if len(asked) == len(zones) else None
    return {"in_sync": in_sync, "drift": drift}


def quota_info(found: Sequence[Allowance], counted: Mapping[str, int]) -> dict[str, QuotaInfo]:
    """Return the tightest limit for each kind, with what the zone counts or else what was counted."""
    facts = {}
    for resource in COUNTED:
        limits = sorted((one for one in found if one.resource == resource), key=lambda one: one.hard)
        tightest = limits[0] if limits else None
        used = next((one.used for one in limits if one.used is not None), counted.get(resource))
        facts[resource] = QuotaInfo(used, tightest.hard if tightest else None, tightest.quota if tightest else None)
    return facts


def _event(revision: int, event: TagEvent) -> dict[str, Any]:
    return {
        "revision": revision,
        "digest": event.digest or None,
        "created": _written(event.created),
        "docker_image_reference": event.reference or None,
    }


def _written(when: datetime) -> str | None:
    """Return a time as the API writes it, None for one that is not known."""
    return None if when == NEVER else when.strftime("%Y-%m-%dT%H:%M:%SZ")
