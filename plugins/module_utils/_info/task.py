# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks zones what images they have; changes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Mapping

from .._errors import (
    AppuioError,
    ConnectionFailedError,
    ForbiddenError,
    MissingLibraryError,
    TlsVerificationError,
    UnauthorizedError,
)
from .._openshift.client import Api
from .._openshift.image_streams import ImageStream, get_stream, list_streams
from .._openshift.quota import allowances
from .._registry.image_reader import ImageDetails, image_details
from .._targets import RunContext, targets_from
from .._zones.fanout import ZoneSessions
from .._zones.session import ZoneSession
from .options import InfoOptions, parse_options
from .result import API, REGISTRY, InfoPlan, QuotaInfo, RepositoryInfo, TagInfo, ZoneInfo, quota_info

# Who answers so will not answer the next request otherwise.
_SHUT = (ForbiddenError, UnauthorizedError, ConnectionFailedError, TlsVerificationError, MissingLibraryError)


@dataclass(frozen=True)
class ZoneReader:
    """Reads one zone."""

    options: InfoOptions
    session: ZoneSession

    def read(self, empty: ZoneInfo) -> ZoneInfo:
        """Return what is known of the zone; raises AppuioError."""
        found = self._by_api_if_open(empty)
        if isinstance(found, str):
            found = self._by_registry(replace(empty, known_from=REGISTRY, unknown=(found,)))
        return self._detailed(found) if self.options.details else found

    def _by_api_if_open(self, empty: ZoneInfo) -> ZoneInfo | str:
        """Return what the API says, or why it cannot be asked where the registry can tell of the image as well."""
        try:
            api = self.session.api()
        except AppuioError as error:
            if self.options.name is None:
                raise ForbiddenError(
                    f"a registry does not list its repositories, and the API cannot be asked: {error.message}",
                    step="list the repositories",
                    hint="Give name, or host and a credential with access to the API",
                ) from None
            return f"the API cannot be asked: {error.message}"
        try:
            return self._by_api(api, empty)
        except _SHUT as error:
            if self.options.name is None:
                raise
            return f"the API cannot be asked: {error.message}"

    def _by_api(self, api: Api, empty: ZoneInfo) -> ZoneInfo:
        skipped: list[str] = []
        if self.options.name is None:
            streams = list(list_streams(api, self.session.namespace, skipped=skipped))
        else:
            stream = get_stream(api, self.session.namespace, self.options.name)
            streams = [stream] if stream else []
        skipped += [sentence for stream in streams for sentence in stream.skipped]
        quota, unknown = self._quota(api)
        repositories = tuple(map(self._repository, streams))
        unknown = (*unknown, *dict.fromkeys(skipped))
        return replace(empty, known_from=API, repositories=repositories, quota=quota, unknown=unknown)

    def _repository(self, stream: ImageStream) -> RepositoryInfo:
        tags = [TagInfo.of_stream(tag) for tag in stream.tags.values() if self.options.asks_for(tag.name)]
        return RepositoryInfo(stream.name, tuple(tags), stream.created)

    def _quota(self, api: Api) -> tuple[Mapping[str, QuotaInfo] | None, tuple[str, ...]]:
        """What the quota does not count is counted here, as there is a limit even where nobody holds it."""
        found = allowances(api, self.session.namespace)
        if found is not None and {"imagestreams", "imagestreamtags"} <= {
            one.resource for one in found if one.used is not None
        }:
            return quota_info(found, {}), ()
        try:
            streams = tags = 0
            for stream in list_streams(api, self.session.namespace):
                streams, tags = streams + 1, tags + len(stream.tags)
        except ForbiddenError:
            return None, ("the quota, which the credential may not read",)
        unknown = () if found is not None else ("how much the quota allows, which the credential may not read",)
        return quota_info(found or [], {"imagestreams": streams, "imagestreamtags": tags}), unknown

    def _by_registry(self, empty: ZoneInfo) -> ZoneInfo:
        name = str(self.options.name)
        registry, repository = self.session.registry, self.session.repository(name)
        tags = registry.tags(repository)
        unknown = (*empty.unknown, "created, history and what a tag follows, which only the API knows", "the quota")
        if tags is None:
            return replace(empty, unknown=unknown)
        asked = [tag for tag in tags if self.options.asks_for(tag)]
        with ThreadPoolExecutor(self.options.jobs) as pool:
            heads = list(pool.map(lambda tag: registry.head_manifest(repository, tag), asked))
        found = tuple(TagInfo(tag, head.digest) for tag, head in zip(asked, heads) if head)
        return replace(empty, repositories=(RepositoryInfo(name, found),), unknown=unknown)

    def _detailed(self, info: ZoneInfo) -> ZoneInfo:
        """Add platforms and sizes, each image asked for once; what cannot be read stays unknown."""
        wanted = {
            tag.digest: (self.session.repository(repository.name), tag.name)
            for repository in info.repositories
            for tag in repository.tags
            if tag.digest
        }
        known: dict[str | None, ImageDetails] = {}
        missed: list[AppuioError] = []

        def read(digest: str) -> None:
            if missed and isinstance(missed[0], _SHUT):
                return
            try:
                details = image_details(self.session.registry, *wanted[digest])
                if details is not None and details.digest == digest:
                    known[digest] = details
            except AppuioError as error:
                missed.append(error)

        with ThreadPoolExecutor(self.options.jobs) as pool:
            list(pool.map(read, wanted))
        repositories = tuple(
            replace(one, tags=tuple(tag.with_details(known.get(tag.digest)) for tag in one.tags))
            for one in info.repositories
        )
        reason = (f"platforms and sizes of some images: {missed[0].message}",) if missed else ()
        return replace(info, repositories=repositories, unknown=(*info.unknown, *reason))


@dataclass(frozen=True)
class InfoTask:
    """What one run of the module asks, and the zones that are asked, all at the same time."""

    options: InfoOptions
    sessions: ZoneSessions
    several: bool = False

    def plan(self) -> InfoPlan:
        """Return what the zones answer."""
        empty = [ZoneInfo(one.name, one.address, one.namespace) for one in self.sessions.sessions]
        nothing = {zone.zone: zone for zone in empty}

        def read(session: ZoneSession) -> ZoneInfo:
            return ZoneReader(self.options, session).read(nothing[session.name])

        outcomes = self.sessions.each(read)
        zones = tuple(one.value or replace(nothing[one.zone], error=one.error) for one in outcomes)
        return InfoPlan(zones, self.several, self.options.query)

    def apply(self, plan: InfoPlan) -> dict[str, Any]:
        """Return the result; raises AppuioError."""
        return plan.predict()

    def close(self) -> None:
        """Give back connections, and tokens that were only fetched for this task."""
        self.sessions.close()


def info_task(options: Mapping[str, Any], context: RunContext) -> InfoTask:
    """Return the task that the options describe; raises InvalidOptionError; asks nobody."""
    asked = parse_options(options)
    targets = targets_from(options, registry=True, namespace=True)
    return InfoTask(asked, ZoneSessions(targets, context), options.get("zones") is not None)
