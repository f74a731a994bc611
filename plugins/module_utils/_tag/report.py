# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened, or would happen, to the tag in each zone, as the module returns it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Sequence

from .._errors import AppuioError, CancelledError
from .plan import ZonePlan, diff_of


@dataclass
class Outcome:
    """What happened in one zone."""

    changed: bool = False
    mounted: int = 0
    rolled_back: bool = False
    error: AppuioError | None = None


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
        outcomes = [Outcome(changed=zone.changed, error=zone.error) for zone in self.zones]
        if any(outcome.error for outcome in outcomes):
            raise failure(self, outcomes)
        return self.result(outcomes)

    def diff(self) -> dict[str, Any]:
        """Return what the tag of each zone names before and after."""
        return diff_of(self.zones)

    def result(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """Return the module's result from what happened in each zone, in the order of the zones."""
        zones = [_told(zone, outcome) for zone, outcome in zip(self.zones, outcomes)]
        changed = sum(zone["changed"] for zone in zones)
        digests = {zone["digest"] for zone in zones}
        reason = zones[0]["reason"] if len(zones) == 1 else f"{changed} of {len(zones)} zones changed"
        return {
            "changed": bool(changed),
            "reason": reason,
            "name": self.zones[0].name,
            "tag": self.zones[0].tag,
            "digest": digests.pop() if len(digests) == 1 else None,
            "zones": zones,
            **({"warnings": list(self.warnings)} if self.warnings else {}),
        }


def failure(plan: TagPlan, outcomes: Sequence[Outcome]) -> AppuioError:
    """Return the one problem that tells of all zones that failed, with the result of all zones."""
    failed = [outcome.error for outcome in outcomes if outcome.error]
    causes = [error for error in failed if not isinstance(error, CancelledError)] or failed
    told = list(dict.fromkeys(str(error) for error in causes))
    text = told[0] if len(told) == 1 else f"{len(causes)} of {len(outcomes)} zones failed: {' | '.join(told)}"
    return AppuioError(text, result={**causes[0].result, **plan.result(outcomes)})


def _told(zone: ZonePlan, outcome: Outcome) -> dict[str, Any]:
    address = f"{zone.registry}/{zone.repository}"
    error = outcome.error
    digest = zone.after if outcome.changed else zone.before
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
        "changed": outcome.changed,
        "reason": str(error) if error else zone.reason,
        "mounted": outcome.mounted,
        "rolled_back": outcome.rolled_back,
        "failed": error is not None,
        "error": str(error) if error else None,
    }
