# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks zones what images they have; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Mapping

from .._targets import RunContext, targets_from
from .._zones.fanout import ZoneSessions
from .._zones.session import ZoneSession
from .options import InfoOptions, parse_options
from .reader import ZoneReader
from .result import InfoPlan, ZoneInfo


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
