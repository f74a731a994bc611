# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A push from its options to its result: look, plan, stage, commit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Callable, Mapping

from .._cache.cache import Cache, cache_from
from .._credentials.resolve import Resolved, check_credentials, resolve_credential
from .._errors import AppuioError, CancelledError
from .._http.client import HttpClient
from .._registry.client import RegistryClient
from .._source.base import ArchiveSource
from .._source.location import open_source, parse_location
from .._targets import Target, targets_from
from .blob_places import BlobPlaces
from .commit import Commit
from .content import Content
from .gauge import Gauge
from .plan import ZonePlan, plan_zone
from .progress import Progress, progress_from
from .report import Outcome, PushPlan, failure
from .shipment import KnownShipment, Shipment, settled
from .stage import Stage, Work
from .wish import Wish, check_targets, wish_from
from .zone_push import ZonePush

if TYPE_CHECKING:
    from .zone_api import ZoneApi


@dataclass
class PushTask:
    """One push to one or several zones."""

    wish: Wish
    targets: list[Target]
    shipment: Shipment
    notes: Cache
    environment: Mapping[str, str] = field(repr=False)
    register_secret: Callable[[str], None]
    progress: Progress
    _pushes: dict[str, ZonePush] = field(default_factory=dict)
    _resolved: dict[str, Resolved] = field(default_factory=dict, repr=False)
    _content: Content | None = None

    def plan(self) -> PushPlan:
        """Return what is to be done; reads no layer; raises AppuioError, with the results of all zones."""
        subject = self.shipment.open()
        with ThreadPoolExecutor(len(self.targets)) as pool:
            zones = tuple(pool.map(self._planned, self.targets))
        if any(zone.changed for zone in zones):
            subject = self.shipment.check()
        plan = PushPlan(subject, zones)
        failed = [zone for zone in zones if zone.error]
        if failed and (self.wish.atomic or len(failed) == len(zones)):
            raise failure(plan, [Outcome(error=zone.error) for zone in zones])
        return plan

    def apply(self, plan: PushPlan) -> dict[str, Any]:
        """Push, and return the result; raises AppuioError, with the results of all zones, where one failed."""
        outcomes = self._applied(plan)
        if any(outcome.error for outcome in outcomes):
            raise failure(plan, outcomes)
        return plan.result(outcomes)

    def close(self) -> None:
        """Give back connections, files and tokens that were only fetched for this task."""
        self.progress.close()
        if self._content is not None:
            self._content.close()
        self.shipment.close()
        for push in self._pushes.values():
            push.client.close()
        for resolved in self._resolved.values():
            resolved.release()
        self._resolved.clear()

    def _applied(self, plan: PushPlan) -> list[Outcome]:
        outcomes = {zone.zone: Outcome(error=zone.error) for zone in plan.zones}
        works = [
            Work(zone, self._pushes[zone.zone], Gauge(self.progress, zone.zone)) for zone in plan.zones if zone.changed
        ]
        if works:
            self._content = self.shipment.content()
            stage = Stage(self._content, self.wish.jobs, self.wish.atomic)
            stage.run(works)
            ready = [work for work in works if work.push.outcome.error is None]
            if ready and (len(ready) == len(works) or not self.wish.atomic):
                plan.subject = settled(plan.subject, self._content.image())
                Commit(stage, self.wish.atomic, self._remove_tag).run(ready)
            outcomes.update({work.plan.zone: work.push.outcome for work in works})
            self._note_abandoned(works)
        return [outcomes[zone.zone] for zone in plan.zones]

    def _note_abandoned(self, works: list[Work]) -> None:
        """Say of a zone that was ready that it was left as it was because of another one."""
        if not self.wish.atomic or not any(work.push.outcome.error for work in works):
            return
        for work in works:
            if work.push.outcome.error is None:
                work.push.outcome.error = CancelledError("left as it was, as another zone failed", zone=work.plan.zone)

    def _planned(self, target: Target) -> ZonePlan:
        zone, registry = target.zone.name, str(target.zone.registry)
        place = ZonePlan(zone, registry, f"{target.namespace}/{self.wish.name}")
        try:
            push = self._push(target, place)
            return self._within_quota(target, plan_zone(place, self.wish, self.shipment.look(push)))
        except AppuioError as error:
            return ZonePlan(zone, registry, place.repository, error=error.at(zone=zone))

    def _push(self, target: Target, place: ZonePlan) -> ZonePush:
        resolved = resolve_credential(target, self.environment, self.register_secret)
        self._resolved[place.zone] = resolved
        connection = target.connection
        authorities = connection.registry_ca_cert or connection.ca_cert
        http = HttpClient(f"https://{place.registry}", connection, authorities, resolved.credential)
        push = ZonePush(RegistryClient(place.zone, place.registry, http), place.repository, BlobPlaces(self.notes))
        self._pushes[place.zone] = push
        return push

    def _remove_tag(self, zone: str, tag: str) -> None:
        self._api(next(target for target in self.targets if target.zone.name == zone)).remove_tag(self.wish.name, tag)

    def _within_quota(self, target: Target, plan: ZonePlan) -> ZonePlan:
        if self.wish.check_quota == "ignore" or not plan.changed:
            return plan
        short = self._api(target).lacking(plan)
        if not short:
            return plan
        if self.wish.check_quota == "warn":
            return replace(plan, warnings=tuple(f"zone {plan.zone}: {sentence}" for sentence in short))
        hint = "Remove tags that nobody needs, or ask for a larger quota"
        return replace(plan, error=AppuioError("; ".join(short), zone=plan.zone, step="check the quota", hint=hint))

    def _api(self, target: Target) -> ZoneApi:
        from .zone_api import ZoneApi

        return ZoneApi(target, self._resolved[target.zone.name].credential.secret)


def push_task(
    options: Mapping[str, Any],
    environment: Mapping[str, str],
    directory: str,
    register_secret: Callable[[str], None],
) -> PushTask:
    """Return the task that the options describe; raises InvalidOptionError; asks nobody."""
    source = open_source(parse_location(str(options["source"])), options, environment, register_secret, directory)
    wish = wish_from(options, source.name, source.tag)
    targets = targets_from(options)
    check_targets(targets)
    check_credentials(targets, environment)
    notes = cache_from(environment)
    shipment: Shipment
    if isinstance(source, ArchiveSource):
        from .._compression.compressors import GZIP, choose_compressor
        from .draft_shipment import DraftShipment

        compressor = choose_compressor(options.get("compression") or GZIP, options.get("compression_level"))
        shipment = DraftShipment(source, wish, compressor, notes, directory)
    else:
        shipment = KnownShipment(source, wish)
    return PushTask(wish, targets, shipment, notes, environment, register_secret, progress_from(environment, False))
