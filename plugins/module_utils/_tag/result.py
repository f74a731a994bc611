# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened, or would happen, to the tag in each zone, as the module returns it; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Sequence

from .._errors import AppuioError
from .._zones.fanout import joined_error
from .plan import ZonePlan, diff_of


@dataclass
class ZoneResult:
    """What happened in one zone."""

    changed: bool = False
    mounted: int = 0
    rolled_back: bool = False
    error: AppuioError | None = None
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TagPlan:
    """The plan for all zones."""

    zones: tuple[ZonePlan, ...]
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether something is to be done in any zone."""
        return any(zone.changed for zone in self.zones)

    def predict(self) -> dict[str, Any]:
        """Return the result of a run that goes as planned; raises AppuioError where a zone stands against it."""
        results = [ZoneResult(changed=zone.changed, error=zone.error) for zone in self.zones]
        if any(result.error for result in results):
            raise failure(self, results)
        return self.result(results)

    def diff(self) -> dict[str, Any]:
        """Return what the tag of each zone points to before and after."""
        return diff_of(self.zones)

    def result(self, results: Sequence[ZoneResult]) -> dict[str, Any]:
        """Return the module's result from what happened in each zone, in the order of the zones."""
        zones = [_zone(zone, result) for zone, result in zip(self.zones, results)]
        changed = sum(zone["changed"] for zone in zones)
        digests = {zone["digest"] for zone in zones}
        reasons = list(dict.fromkeys(zone["reason"] for zone in zones))
        reason = reasons[0] if len(zones) == 1 else f"{changed} of {len(zones)} zones changed"
        if len(zones) > 1 and not changed:
            reason += f": {'; '.join(reasons)}"
        warnings = list(dict.fromkeys([*self.warnings, *(text for result in results for text in result.warnings)]))
        return {
            "changed": bool(changed),
            "reason": reason,
            "name": self.zones[0].name,
            "tag": self.zones[0].tag,
            "digest": digests.pop() if len(digests) == 1 else None,
            "zones": zones,
            **({"warnings": warnings} if warnings else {}),
        }


def failure(plan: TagPlan, results: Sequence[ZoneResult]) -> AppuioError:
    """Return the one error for all zones that failed, with the result of all zones."""
    return joined_error([result.error for result in results], plan.result(results))


def _zone(zone: ZonePlan, result: ZoneResult) -> dict[str, Any]:
    address = f"{zone.registry}/{zone.repository}"
    error = result.error
    digest = zone.after if result.changed else zone.before
    return {
        "zone": zone.zone,
        "registry": zone.registry,
        "namespace": zone.namespace,
        "name": zone.name,
        "tag": zone.tag,
        "reference": f"{address}:{zone.tag}",
        "reference_digest": f"{address}@{digest}" if digest else None,
        "digest": digest,
        "previous_digest": zone.before,
        "changed": result.changed,
        "reason": str(error) if error else zone.reason,
        "mounted": result.mounted,
        "rolled_back": result.rolled_back,
        "failed": error is not None,
        "error": str(error) if error else None,
    }
