# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at the images of one zone: through its ImageStreams, or else through its registry."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Callable, Mapping

from .._errors import AppuioError, ConnectionFailedError, ForbiddenError, TlsVerificationError, UnauthorizedError
from .._image.image_zone import ImageZone
from .._openshift.client import Api
from .._openshift.image_streams import ImageStream, get_stream, list_streams
from .._openshift.quota import allowances
from .._registry.image_reader import ImageDetails, image_details
from .._targets import Target
from .facts import API, REGISTRY, QuotaFacts, RepositoryFacts, TagFacts, ZoneFacts, quota_facts
from .options import Question

# Who answers so will not answer the next question otherwise.
_SHUT = (ForbiddenError, UnauthorizedError, ConnectionFailedError, TlsVerificationError)


@dataclass(frozen=True)
class Look:
    """Looks at a zone; ``open_zone`` gives the way there."""

    question: Question
    open_zone: Callable[[Target], ImageZone]

    def at(self, target: Target) -> ZoneFacts:
        """Return what is known of a zone; what stands against it becomes part of that."""
        facts = ZoneFacts(target.zone.name, str(target.zone.registry), str(target.namespace))
        try:
            zone = self.open_zone(target)
            try:
                return self._facts(zone, facts)
            finally:
                zone.close()
        except AppuioError as error:
            return replace(facts, error=error.at(zone=target.zone.name))

    def _facts(self, zone: ImageZone, facts: ZoneFacts) -> ZoneFacts:
        reasons: tuple[str, ...] = ()
        found = None
        if zone.api is not None:
            try:
                found = self._by_api(zone, zone.api, facts)
            except _SHUT as error:
                if self.question.name is None:
                    raise
                reasons = (f"the API cannot be asked: {error.message}",)
        if found is None:
            found = self._by_registry(zone, replace(facts, known_from=REGISTRY, unknown=reasons))
        return self._detailed(zone, found) if self.question.details else found

    def _by_api(self, zone: ImageZone, api: Api, facts: ZoneFacts) -> ZoneFacts:
        if self.question.name is None:
            repositories = tuple(self._repository(stream) for stream in list_streams(api, zone.namespace))
        else:
            stream = get_stream(api, zone.namespace, self.question.name)
            repositories = (self._repository(stream),) if stream else ()
        quota, unknown = self._quota(zone, api)
        return replace(facts, known_from=API, repositories=repositories, quota=quota, unknown=unknown)

    def _repository(self, stream: ImageStream) -> RepositoryFacts:
        tags = [TagFacts.of_stream(tag) for tag in stream.tags.values() if self.question.asks_for(tag.name)]
        return RepositoryFacts(stream.name, tuple(tags), stream.created)

    def _quota(self, zone: ImageZone, api: Api) -> tuple[Mapping[str, QuotaFacts] | None, tuple[str, ...]]:
        """What the quota does not count is counted here, as there is a limit even where nobody holds it."""
        found = allowances(api, zone.namespace)
        if found is not None and {"imagestreams", "imagestreamtags"} <= {
            one.resource for one in found if one.used is not None
        }:
            return quota_facts(found, {}), ()
        try:
            streams = tags = 0
            for stream in list_streams(api, zone.namespace):
                streams, tags = streams + 1, tags + len(stream.tags)
        except ForbiddenError:
            return None, ("the quota, which the credential may not read",)
        unknown = () if found is not None else ("how much the quota allows, which the credential may not read",)
        return quota_facts(found or [], {"imagestreams": streams, "imagestreamtags": tags}), unknown

    def _by_registry(self, zone: ImageZone, facts: ZoneFacts) -> ZoneFacts:
        name = self.question.name
        if name is None:
            raise ForbiddenError(
                "a registry does not tell which repositories there are, and the zone's API is not known",
                step="list the repositories",
                hint="Give name, or host and a credential with access to the API",
            )
        repository = f"{zone.namespace}/{name}"
        there = zone.registry.tags(repository)
        unknown = (*facts.unknown, "created, history and what a tag follows, which only the API tells", "the quota")
        if there is None:
            return replace(facts, unknown=unknown)
        asked = [tag for tag in there if self.question.asks_for(tag)]
        with ThreadPoolExecutor(self.question.jobs) as pool:
            heads = list(pool.map(lambda tag: zone.registry.head_manifest(repository, tag), asked))
        tags = [TagFacts(tag, head.digest) for tag, head in zip(asked, heads) if head]
        return replace(facts, repositories=(RepositoryFacts(name, tuple(tags)),), unknown=unknown)

    def _detailed(self, zone: ImageZone, facts: ZoneFacts) -> ZoneFacts:
        """Add platforms and sizes, each image asked for once; what cannot be read stays unknown."""
        wanted = {
            tag.digest: (f"{zone.namespace}/{repository.name}", tag.name)
            for repository in facts.repositories
            for tag in repository.tags
            if tag.digest
        }
        known: dict[str | None, ImageDetails] = {}
        missed: list[AppuioError] = []

        def read(digest: str) -> None:
            if missed and isinstance(missed[0], _SHUT):
                return
            try:
                details = image_details(zone.registry, *wanted[digest])
                if details is not None and details.digest == digest:
                    known[digest] = details
            except AppuioError as error:
                missed.append(error)

        with ThreadPoolExecutor(self.question.jobs) as pool:
            list(pool.map(read, wanted))
        repositories = tuple(
            replace(one, tags=tuple(tag.with_details(known.get(tag.digest)) for tag in one.tags))
            for one in facts.repositories
        )
        reason = (f"platforms and sizes of some images: {missed[0].message}",) if missed else ()
        return replace(facts, repositories=repositories, unknown=(*facts.unknown, *reason))
