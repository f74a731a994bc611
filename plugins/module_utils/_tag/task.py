# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tag from the module's options to its result: look, plan, mount, move."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping

from .._errors import AppuioError, CancelledError
from .._image.image_zone import ImageZone, image_targets, open_zone
from .._registry.client import ManifestResponse
from .._targets import Target
from .look import look_at
from .mount import mount_image
from .move import Work, move
from .options import Wish, wish_from
from .plan import ZonePlan
from .report import Outcome, TagPlan, failure


@dataclass
class TagTask:
    """What one run of the module does to a tag of one or several zones."""

    wish: Wish
    targets: list[Target]
    environment: Mapping[str, str] = field(repr=False)
    register_secret: Callable[[str], None]
    _zones: dict[str, ImageZone] = field(default_factory=dict, repr=False)
    _manifests: dict[str, ManifestResponse | None] = field(default_factory=dict, repr=False)

    def plan(self) -> TagPlan:
        """Return what is to be done; only reads; raises AppuioError, with the results of all zones."""
        with ThreadPoolExecutor(len(self.targets)) as pool:
            zones = tuple(pool.map(self._planned, self.targets))
        plan = TagPlan(zones, self._warnings(zones))
        failed = [zone for zone in zones if zone.error]
        if failed and (self.wish.atomic or len(failed) == len(zones)):
            raise failure(plan, [Outcome(error=zone.error) for zone in zones])
        return plan

    def apply(self, plan: TagPlan) -> dict[str, Any]:
        """Do it and return the result; raises AppuioError, with the results of all zones, where one failed."""
        works = [Work(zone, self._zones[zone.zone], self._manifests[zone.zone]) for zone in plan.zones if zone.changed]
        if works:
            with ThreadPoolExecutor(len(works)) as pool:
                list(pool.map(self._mount, works))
            ready = [work for work in works if work.outcome.error is None]
            if len(ready) == len(works) or not self.wish.atomic:
                move(ready, self.wish.atomic)
            self._note_abandoned(works)
        outcomes = {zone.zone: Outcome(error=zone.error) for zone in plan.zones}
        outcomes.update({work.plan.zone: work.outcome for work in works})
        told = [outcomes[zone.zone] for zone in plan.zones]
        if any(outcome.error for outcome in told):
            raise failure(plan, told)
        return plan.result(told)

    def close(self) -> None:
        """Give back connections, and tokens that were only fetched for this task."""
        for zone in self._zones.values():
            zone.close()
        self._zones.clear()

    def _planned(self, target: Target) -> ZonePlan:
        name = target.zone.name
        try:
            zone = open_zone(target, self.environment, self.register_secret)
            self._zones[name] = zone
            planned, self._manifests[name] = look_at(zone, self.wish)
            return planned
        except AppuioError as error:
            place = ZonePlan(name, str(target.zone.registry), str(target.namespace), self.wish.name, self.wish.tag)
            return place.failed(error)

    def _mount(self, work: Work) -> None:
        plan = work.plan
        if not plan.mounts or work.manifest is None:
            return
        try:
            work.outcome.mounted = mount_image(work.zone.registry, plan.origin, plan.repository, work.manifest)
        except AppuioError as error:
            work.outcome.error = error.at(zone=plan.zone)

    def _note_abandoned(self, works: list[Work]) -> None:
        """Say of a zone that was ready that it was left as it was because of another one."""
        if not self.wish.atomic or not any(work.outcome.error for work in works):
            return
        for work in works:
            if work.outcome.error is None:
                work.outcome.error = CancelledError("left as it was, as another zone failed", zone=work.plan.zone)

    def _warnings(self, zones: tuple[ZonePlan, ...]) -> tuple[str, ...]:
        digests = {zone.after for zone in zones if zone.error is None}
        if self.wish.origin is None or len(digests) < 2:
            return ()
        return (f"the zones do not have the same image as {self.wish.origin.reference}: the tag will differ, too",)


def tag_task(
    options: Mapping[str, Any], environment: Mapping[str, str], register_secret: Callable[[str], None]
) -> TagTask:
    """Return the task that the options describe; raises InvalidOptionError; asks nobody."""
    return TagTask(wish_from(options), image_targets(options, environment), environment, register_secret)
