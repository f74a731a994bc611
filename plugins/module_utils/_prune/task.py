# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A prune from its options to its result: read, decide, and remove what nobody has pushed meanwhile."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Callable, Mapping

from .._signals import StoppedError
from .._targets import RunContext, targets_from
from .._zones.fanout import ZoneSessions
from .._zones.session import ZoneSession
from .options import PruneOptions, parse_options
from .removal import Removal, end_removals
from .report import PrunePlan, ZonePrune
from .zone import ZonePlanner


@dataclass
class PruneTask:
    """One prune of one or several zones, each for itself."""

    options: PruneOptions
    sessions: ZoneSessions
    warn: Callable[[str], None] = lambda _text: None
    _stopped: threading.Event = field(default_factory=threading.Event)

    def plan(self) -> PrunePlan:
        """Return what goes and what stays; changes nothing; raises AppuioError where no zone could be read."""
        zones = {one.name: ZonePrune(one.name, one.namespace) for one in self.sessions.sessions}
        outcomes = self.sessions.each(lambda session: self._plan(session, zones[session.name]))
        for outcome in outcomes:
            zones[outcome.zone].error = outcome.error
        plan = PrunePlan(list(zones.values()))
        if all(zone.error for zone in plan.zones):
            plan.result()
        return plan

    def apply(self, plan: PrunePlan) -> dict[str, Any]:
        """Remove what the plan says, and return the result; raises AppuioError with the results of all zones.

        A signal to stop is such a failure: what is removed at that moment ends, and nothing more is begun.
        """
        removals = {zone.zone: Removal(zone, self._stopped) for zone in plan.zones if zone.error is None}

        def remove(session: ZoneSession) -> None:
            if session.name in removals:
                removals[session.name].run(session.api())

        try:
            for outcome in self.sessions.each(remove):
                if outcome.error is not None:
                    removals[outcome.zone].zone.error = outcome.error
        except StoppedError as stopped:
            end_removals(list(removals.values()), stopped)
        for zone in plan.zones:
            for warning in zone.warnings:
                self.warn(f"zone {zone.zone}: {warning}")
        return plan.result()

    def close(self) -> None:
        """Give back connections, and tokens that were only fetched for this task."""
        self.sessions.close()

    def _plan(self, session: ZoneSession, zone: ZonePrune) -> None:
        registry = session.target.zone.registry
        ZonePlanner(self.options, registry, session.api(), zone).plan(datetime.now(timezone.utc))


def prune_task(options: Mapping[str, Any], context: RunContext) -> PruneTask:
    """Return the task that the options describe; raises InvalidOptionError; asks nobody."""
    wanted = parse_options(options)
    return PruneTask(wanted, ZoneSessions(targets_from(options, namespace=True), context), context.warn)
