# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of an ImageStream in each zone, as the module returns it; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._errors import AppuioError
from .._zones.fanout import joined_result
from .plan import NONE, StreamPlan


@dataclass
class ZoneStream:
    """One zone: the plan for it, and what stands against it."""

    zone: str
    registry: str | None
    namespace: str
    name: str
    plan: StreamPlan = field(default_factory=lambda: StreamPlan(NONE, "nothing is known of it"))
    error: AppuioError | None = None

    def result(self) -> dict[str, Any]:
        """Return what the module returns of the zone."""
        good = self.error is None
        return {
            "zone": self.zone,
            "registry": self.registry,
            "namespace": self.namespace,
            "name": self.name,
            "reference": f"{self.registry}/{self.namespace}/{self.name}" if self.registry else None,
            "changed": good and self.plan.changes,
            "exists": self.plan.after is not None if good else None,
            "reason": self.plan.reason if good else str(self.error),
            "failed": not good,
            "error": None if good else str(self.error),
        }


@dataclass
class StreamsPlan:
    """The plan for all zones."""

    zones: list[ZoneStream]

    @property
    def changed(self) -> bool:
        """Whether anything changes in any zone."""
        return any(zone.plan.changes for zone in self.zones if zone.error is None)

    def predict(self) -> dict[str, Any]:
        """Return the result; raises AppuioError, with the results of all zones, where one failed."""
        return joined_result([zone.result() for zone in self.zones], [zone.error for zone in self.zones])

    def diff(self) -> dict[str, Any]:
        """Return the ImageStream of each zone, as far as this module sets it, before and after."""
        zones = [zone for zone in self.zones if zone.plan.changes and zone.error is None]
        names = {zone.zone: f"{zone.zone} {zone.namespace}/{zone.name}" for zone in zones}
        return {
            "before": {names[zone.zone]: zone.plan.before for zone in zones if zone.plan.before is not None},
            "after": {names[zone.zone]: zone.plan.after for zone in zones if zone.plan.after is not None},
        }
