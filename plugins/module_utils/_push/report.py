# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened, or would happen, as a module returns it; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Sequence

from .._errors import AppuioError, CancelledError
from .plan import Move, ZonePlan


@dataclass
class Outcome:
    """What happened in one zone; ``duration`` in seconds."""

    uploaded: int = 0
    mounted: int = 0
    existing: int = 0
    bytes_uploaded: int = 0
    duration: float = 0.0
    changed: bool = False
    rolled_back: bool = False
    error: AppuioError | None = None
    previous: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """What is to be pushed, as far as it is known: an archive's digest is not, before its layers are compressed.

    ``size`` are the bytes of all blobs; it is None where they were not looked at, or are not compressed yet.
    ``left`` tells what is attached to the image and cannot travel.
    """

    source: str
    digest: str | None
    media_type: str | None
    image_id: str | None = None
    platforms: tuple[str, ...] = ()
    size: int | None = None
    left: tuple[str, ...] = ()


@dataclass
class PushPlan:
    """The plan for all zones; ``subject`` is replaced when more of it is known."""

    subject: Subject
    zones: tuple[ZonePlan, ...]

    @property
    def changed(self) -> bool:
        """Whether something is to be done in any zone."""
        return any(zone.changed for zone in self.zones)

    def predict(self) -> dict[str, Any]:
        """Return the result of a push that goes as planned; nothing has been uploaded."""
        outcomes = [Outcome(changed=zone.changed, error=zone.error) for zone in self.zones]
        return self.result(outcomes)

    def diff(self) -> dict[str, Any]:
        """Return what each tag of each zone names before and after."""
        before: dict[str, Any] = {}
        after: dict[str, Any] = {}
        for zone in self.zones:
            where = f"{zone.registry}/{zone.repository}"
            before[where] = {move.tag: move.before for move in zone.moves}
            after[where] = {
                move.tag: self._after(move) if move.needed and not zone.error else move.before for move in zone.moves
            }
        return {"before": before, "after": after}

    def result(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """Return the module's result from what happened in each zone, in the order of the zones."""
        zones = [self._zone(zone, outcome) for zone, outcome in zip(self.zones, outcomes)]
        changed = any(zone["changed"] for zone in zones)
        digest = self.subject.digest or next((zone["digest"] for zone in zones if zone["digest"]), None)
        warnings = [warning for zone in self.zones for warning in zone.warnings]
        reason = zones[0]["reason"]
        if len(zones) > 1:
            reason = f"{sum(zone['changed'] for zone in zones)} of {len(zones)} zones changed"
        return {
            "changed": changed,
            "reason": reason,
            "digest": digest,
            "media_type": self.subject.media_type,
            "platforms": list(self.subject.platforms),
            "source": self.subject.source,
            "image_id": self.subject.image_id,
            "referrers_left": list(self.subject.left),
            "zones": zones,
            **({"warnings": warnings} if warnings else {}),
        }

    def _after(self, move: Move) -> str:
        if move.attached is not None:
            return move.attached.digest
        return self.subject.digest or f"the image with the ID {self.subject.image_id}"

    def _zone(self, zone: ZonePlan, outcome: Outcome) -> dict[str, Any]:
        address = f"{zone.registry}/{zone.repository}"
        error = outcome.error
        digest = self.subject.digest if zone.changed or not zone.held else zone.held
        by_digest = f"{address}@{digest}" if digest else None
        return {
            "zone": zone.zone,
            "registry": zone.registry,
            "reference": f"{address}:{zone.wished[0].tag}" if zone.wished else by_digest,
            "reference_digest": by_digest,
            "digest": digest,
            "previous_digest": {move.tag: outcome.previous.get(move.tag, move.before) for move in zone.wished},
            "tags": [move.tag for move in zone.wished],
            "referrers": [move.tag for move in zone.moves if move.attached],
            "changed": outcome.changed,
            "reason": str(error) if error else zone.reason,
            "blobs": {"uploaded": outcome.uploaded, "mounted": outcome.mounted, "existing": outcome.existing},
            "bytes": {"total": self.subject.size, "uploaded": outcome.bytes_uploaded},
            "duration": round(outcome.duration, 3),
            "rolled_back": outcome.rolled_back,
            "failed": error is not None,
            "error": str(error) if error else None,
        }


def failure(plan: PushPlan, outcomes: Sequence[Outcome]) -> AppuioError:
    """Return the one problem that tells of all zones that failed, with the result of all zones."""
    failed = [outcome.error for outcome in outcomes if outcome.error]
    causes = [error for error in failed if not isinstance(error, CancelledError)] or failed
    first = causes[0]
    told = list(dict.fromkeys(str(error) for error in causes))
    error = AppuioError(
        told[0] if len(told) == 1 else f"{len(causes)} of {len(outcomes)} zones failed: {' | '.join(told)}"
    )
    error.result = {**first.result, **plan.result(outcomes)}
    return error
