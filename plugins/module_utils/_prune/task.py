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
from .._errors import AppuioError
from .._openshift.client import Api
from .._targets import Target, targets_from
from .options import PruneOptions, check_targets, parse_options
from .removal import Removal
from .report import PrunePlan, ZonePrune
from .zone import ZonePlanner


@dataclass
class PruneTask:
    """One prune of one or several zones, each for itself."""

    options: PruneOptions
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
        zone = ZonePrune(target.zone.name, str(target.namespace))
        try:
            ZonePlanner(self.options, target.zone.registry, self._api(target), zone).plan(datetime.now(timezone.utc))
        except AppuioError as error:
            zone.error = error.at(zone=zone.zone)
        return zone

    def _pruned(self, target: Target, zone: ZonePrune) -> None:
        if zone.error is None:
            Removal(self._api(target), zone).run()

    def _api(self, target: Target) -> Api:
        name = target.zone.name
        if name not in self._apis:
            self._accesses[name] = zone_access(target, self.environment, self.register_secret)
            self._apis[name] = self._accesses[name].api()
        return self._apis[name]


def prune_task(
    options: Mapping[str, Any], environment: Mapping[str, str], register_secret: Callable[[str], None]
) -> PruneTask:
    """Return the task that the options describe; raises InvalidOptionError; asks nobody."""
    wanted = parse_options(options)
    targets = targets_from(options)
    check_targets(targets)
    check_credentials(targets, environment)
    return PruneTask(wanted, targets, environment, register_secret)
