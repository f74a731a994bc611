# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to go and what has gone, as the module returns it; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Sequence

from .._errors import AppuioError
from .history import Cut
from .plan import Decision
from .workloads import Unreadable


@dataclass
class ZonePrune:
    """One zone: what was decided, where nobody could look, and what came of it."""

    zone: str
    namespace: str
    decisions: tuple[Decision, ...] = ()
    cuts: tuple[Cut, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    error: AppuioError | None = None
    spared: dict[tuple[str, str], str] = field(default_factory=dict)
    uncut: set[str] = field(default_factory=set)

    @property
    def going(self) -> list[Decision]:
        """The tags that go, streams together."""
        return [one for one in self.decisions if one.goes]

    def result(self) -> dict[str, Any]:
        """Return what the module tells of the zone."""
        deleted = [one for one in self.going if (one.name, one.tag) not in self.spared]
        kept = [one for one in self.decisions if one not in deleted]
        trimmed = [cut for cut in self.cuts if cut.name not in self.uncut]
        return {
            "zone": self.zone,
            "namespace": self.namespace,
            "changed": bool(deleted or trimmed),
            "deleted": [_told(one, one.reason) for one in deleted],
            "kept": [_told(one, self.spared.get((one.name, one.tag), one.reason)) for one in kept],
            "trimmed": [_cut(one) for one in trimmed],
            "unreadable": [{"kind": one.kind, "namespace": one.namespace} for one in self.unreadable],
            "reason": self._reason(len(deleted), len(kept), sum(len(cut.events) for cut in trimmed)),
            "failed": self.error is not None,
            "error": str(self.error) if self.error else None,
        }

    def lines(self, name: str, after: bool) -> list[str]:
        """Return the tags of a stream before or after, with the length of a history that is cut."""
        cut = {one.tag: one for one in self.cuts if one.name == name}
        gone = {one.tag for one in self.going if (name, one.tag) not in self.spared and one.name == name}
        done = after and name not in self.uncut
        return [
            f"{tag} ({cut[tag].left + (0 if done else len(cut[tag].events))} images)" if tag in cut else tag
            for tag in (one.tag for one in self.decisions if one.name == name)
            if not (after and tag in gone)
        ]

    def _reason(self, deleted: int, kept: int, images: int) -> str:
        history = f", {images} images of their history" if self.cuts else ""
        return str(self.error) if self.error else f"{deleted} of {deleted + kept} tags{history} go"


@dataclass
class PrunePlan:
    """The plan for all zones."""

    zones: Sequence[ZonePrune]

    @property
    def changed(self) -> bool:
        """Whether a tag, or a part of its history, goes in any zone."""
        return any(zone.going or zone.cuts for zone in self.zones)

    def predict(self) -> dict[str, Any]:
        """Return the result of a prune that goes as planned; raises AppuioError where a zone could not be planned."""
        return self.result()

    def diff(self) -> dict[str, Any]:
        """Return the tags of each repository that lose some, before and after."""
        before: dict[str, list[str]] = {}
        after: dict[str, list[str]] = {}
        for zone in self.zones:
            for name in sorted({one.name for one in zone.going} | {cut.name for cut in zone.cuts}):
                where = f"{zone.zone} {zone.namespace}/{name}"
                before[where], after[where] = zone.lines(name, after=False), zone.lines(name, after=True)
        return {"before": before, "after": after}

    def result(self) -> dict[str, Any]:
        """Return the module's result; raises AppuioError, with what all zones said, where one failed."""
        zones = [zone.result() for zone in self.zones]
        reason = zones[0]["reason"]
        if len(zones) > 1:
            reason = f"{sum(zone['changed'] for zone in zones)} of {len(zones)} zones changed"
        result = {"changed": any(zone["changed"] for zone in zones), "reason": reason, "zones": zones}
        errors = [zone.error for zone in self.zones if zone.error]
        if errors:
            told = " | ".join(dict.fromkeys(str(error) for error in errors))
            several = f"{len(errors)} of {len(zones)} zones failed: " if len(zones) > 1 else ""
            raise AppuioError(f"{several}{told}", result={**errors[0].result, **result})
        return result


def _cut(cut: Cut) -> dict[str, Any]:
    digests = [event.digest for event in cut.events]
    return {"name": cut.name, "tag": cut.tag, "digests": digests, "reason": cut.reason}


def _told(decision: Decision, reason: str) -> dict[str, Any]:
    return {"name": decision.name, "tag": decision.tag, "digest": decision.digest, "reason": reason}
