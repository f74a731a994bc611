# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A prune from its options to its result: look, decide, and remove what nobody has pushed meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Callable, Mapping

from .._credentials.api_access import ApiAccess
from .._credentials.kinds import check_credentials
from .._credentials.zone_access import zone_access
from .._errors import AppuioError, ForbiddenError
from .._openshift.access import missing_rights
from .._openshift.client import Api
from .._openshift.image_streams import ImageStream, delete_tag, get_stream, list_streams
from .._openshift.stream_history import RIGHT, cut_history
from .._targets import Target, targets_from
from .history import cuts
from .plan import Decision, decide, limited
from .report import PrunePlan, ZonePrune
from .usage import Usage
from .wish import PruneWish, check_targets, prune_wish
from .workloads import Unreadable, read_usage, visible_namespaces


@dataclass
class PruneTask:
    """One prune of one or several zones, each for itself."""

    wish: PruneWish
    targets: list[Target]
    environment: Mapping[str, str] = field(repr=False)
    register_secret: Callable[[str], None]
    _accesses: dict[str, ApiAccess] = field(default_factory=dict, repr=False)
    _apis: dict[str, Api] = field(default_factory=dict, repr=False)

    def plan(self) -> PrunePlan:
        """Return what goes and what stays; changes nothing; raises AppuioError where no zone could be read."""
        with ThreadPoolExecutor(len(self.targets)) as pool:
            plan = PrunePlan(list(pool.map(self._planned, self.targets)))
        if all(zone.error for zone in plan.zones):
            plan.result()
        return plan

    def apply(self, plan: PrunePlan) -> dict[str, Any]:
        """Remove the tags, and return the result; raises AppuioError with the results of all zones."""
        with ThreadPoolExecutor(len(self.targets)) as pool:
            list(pool.map(self._pruned, self.targets, plan.zones))
        return plan.result()

    def close(self) -> None:
        """Give back connections, and tokens that were only fetched for this task."""
        for access in self._accesses.values():
            access.revoke()

    def _planned(self, target: Target) -> ZonePrune:
        planned = ZonePrune(target.zone.name, str(target.namespace))
        try:
            api = self._api(target)
            streams = self._streams(api, planned.namespace)
            usage, unreadable = self._usage(api, target, streams)
            planned.unreadable = tuple(unreadable)
            now = datetime.now(timezone.utc)
            decisions = [one for stream in streams for one in decide(stream, self.wish, usage, now)]
            planned.decisions = tuple(limited(decisions, self.wish.max_delete))
            planned.cuts = tuple(cuts(streams, planned.decisions, self.wish, usage, now))
            if planned.cuts:
                _check_right(api, planned.namespace)
        except AppuioError as error:
            planned.error = error.at(zone=planned.zone)
        return planned

    def _streams(self, api: Api, namespace: str) -> list[ImageStream]:
        if self.wish.name is None:
            return list(list_streams(api, namespace))
        stream = get_stream(api, namespace, self.wish.name)
        return [stream] if stream else []

    def _usage(self, api: Api, target: Target, streams: list[ImageStream]) -> tuple[Usage, list[Unreadable]]:
        public = {stream.public_repository.partition("/")[0] for stream in streams}
        usage = Usage(frozenset({*public, str(target.zone.registry)} - {"", "None"}))
        if not self.wish.protect_in_use:
            return usage, []
        wanted = [str(target.namespace), *self.wish.workload_namespaces]
        unreadable = read_usage(api, usage, wanted, visible_namespaces(api))
        hidden = [one for one in unreadable if one.required and not one.ignored(self.wish.ignore_unreadable)]
        if hidden:
            told = ", ".join(f"{one.kind} in {one.namespace or 'some namespaces'}" for one in hidden)
            raise ForbiddenError(
                f"nobody can tell which images are in use, as these may not be read: {told}",
                step="look for images in use",
                hint="Use a credential that may (the role view is enough), or name them in ignore_unreadable",
            )
        return usage, unreadable

    def _pruned(self, target: Target, zone: ZonePrune) -> None:
        for decision in zone.going:
            where = (decision.name, decision.tag)
            if zone.error is not None:
                zone.spared[where] = "it was to go, but the prune failed before"
                continue
            try:
                spared = _spared(self._api(target), zone.namespace, decision)
                if spared:
                    zone.spared[where] = spared
                else:
                    delete_tag(self._api(target), zone.namespace, decision.name, decision.tag)
            except AppuioError as error:
                zone.error = error.at(zone=zone.zone)
                zone.spared[where] = "it could not be removed"
        self._shortened(target, zone)

    def _shortened(self, target: Target, zone: ZonePrune) -> None:
        for name in dict.fromkeys(cut.name for cut in zone.cuts):
            events = {cut.tag: cut.events for cut in zone.cuts if cut.name == name}
            try:
                if zone.error is None:
                    cut_history(self._api(target), zone.namespace, name, events)
                    continue
            except AppuioError as error:
                zone.error = error.at(zone=zone.zone)
            zone.uncut.add(name)

    def _api(self, target: Target) -> Api:
        name = target.zone.name
        if name not in self._apis:
            self._accesses[name] = zone_access(target, self.environment, self.register_secret)
            self._apis[name] = self._accesses[name].api()
        return self._apis[name]


def _spared(api: Api, namespace: str, decision: Decision) -> str:
    """Return why a tag stays after all: it was pushed since it was looked at."""
    stream = get_stream(api, namespace, decision.name)
    tag = stream.tags.get(decision.tag) if stream else None
    if tag is None:
        return "somebody else has removed it"
    pushed = tag.current.created if tag.current else None
    if (tag.digest, pushed) != (decision.digest, decision.pushed):
        return "it was pushed while this ran"
    return "it follows another image now" if tag.follows else ""


def _check_right(api: Api, namespace: str) -> None:
    if missing_rights(api, namespace, [RIGHT]):
        raise ForbiddenError(
            f"the history of tags may not be cut in {namespace}: the right to {RIGHT} is missing",
            step="look at the history",
            hint="Use a credential that has the cluster role system:image-pruner, or leave revisions away: an APPUiO "
            "Cloud zone shortens each history itself, to three images, every night",
        )


def prune_task(
    options: Mapping[str, Any], environment: Mapping[str, str], register_secret: Callable[[str], None]
) -> PruneTask:
    """Return the task that the options describe; raises InvalidOptionError; asks nobody."""
    wish = prune_wish(options)
    targets = targets_from(options)
    check_targets(targets)
    check_credentials(targets, environment)
    return PruneTask(wish, targets, environment, register_secret)
