# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to go and what has gone, as the module returns it; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from .._errors import AppuioError
from .._openshift.image_usage import Children, Usage
from .._openshift.workloads import Unreadable
from .._zones.fanout import joined_result
from .history import HistoryTrim
from .plan import Decision, RepositoryDecision


@dataclass
class ZonePrune:
    """One zone: what was decided, where nobody could look, and what came of it.

    ``kept`` says of tags, by stream and name, why they stay after all, ``kept_repositories`` the same of streams.
    ``usage`` and ``children`` (of the indexes, by stream) are what was decided with.
    """

    zone: str
    namespace: str
    decisions: tuple[Decision, ...] = ()
    trims: tuple[HistoryTrim, ...] = ()
    repositories: tuple[RepositoryDecision, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    skipped: tuple[str, ...] = ()
    error: AppuioError | None = None
    kept: dict[tuple[str, str], str] = field(default_factory=dict)
    kept_repositories: dict[str, str] = field(default_factory=dict)
    untrimmed: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage, repr=False)
    children: Mapping[str, Children] = field(default_factory=dict, repr=False)

    @property
    def going(self) -> list[Decision]:
        """The tags that are to go, streams together."""
        return [one for one in self.decisions if one.goes]

    @property
    def changes(self) -> bool:
        """Whether anything is to go."""
        return bool(self.trims or self.going or any(one.goes for one in self.repositories))

    def result(self) -> dict[str, Any]:
        """Return what the module returns of the zone."""
        deleted, kept = [], []
        for one in self.decisions:
            reason = self.kept.get((one.name, one.tag))
            if one.goes and reason is None:
                deleted.append(_tag(one, one.reason))
            else:
                kept.append(_tag(one, reason or one.reason))
        trimmed = [one for one in self.trims if one.name not in self.untrimmed]
        gone = [one for one in self.repositories if one.goes and one.name not in self.kept_repositories]
        return {
            "zone": self.zone,
            "namespace": self.namespace,
            "changed": bool(deleted or trimmed or gone),
            "deleted": deleted,
            "kept": kept,
            "trimmed": [_trim(one) for one in trimmed],
            "deleted_repositories": [{"name": one.name, "reason": one.reason} for one in gone],
            "kept_repositories": [
                {"name": one.name, "reason": self.kept_repositories.get(one.name, one.reason)}
                for one in self.repositories
                if not one.goes or one.name in self.kept_repositories
            ],
            "unreadable": [{"kind": one.kind, "namespace": one.namespace} for one in self.unreadable],
            "skipped": list(self.skipped),
            "reason": self._reason(len(deleted), len(kept), sum(len(one.events) for one in trimmed), len(gone)),
            "failed": self.error is not None,
            "error": str(self.error) if self.error else None,
        }

    def diff(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """Return the tags of each stream that loses some, before and after, with the length of a trimmed history."""
        names = {one.name for one in self.going} | {one.name for one in self.trims}
        names |= {one.name for one in self.repositories if one.goes}
        trims = {(one.name, one.tag): one for one in self.trims}
        before: dict[str, list[str]] = {name: [] for name in sorted(names)}
        after: dict[str, list[str]] = {name: [] for name in sorted(names)}
        for one in self.decisions:
            if one.name not in names:
                continue
            trim = trims.get((one.name, one.tag))
            before[one.name].append(_line(one.tag, trim, trimmed=False))
            if not one.goes or (one.name, one.tag) in self.kept:
                after[one.name].append(_line(one.tag, trim, trimmed=one.name not in self.untrimmed))
        for gone in self.repositories:
            if gone.goes and gone.name not in self.kept_repositories:
                after.pop(gone.name)
        return before, after

    def _reason(self, deleted: int, kept: int, images: int, repositories: int) -> str:
        if self.error:
            return str(self.error)
        history = f", {images} images of their history" if self.trims else ""
        empty = f", {repositories} empty repositories" if repositories else ""
        return f"{deleted} of {deleted + kept} tags{history}{empty} go"


@dataclass
class PrunePlan:
    """The plan for all zones."""

    zones: Sequence[ZonePrune]

    @property
    def changed(self) -> bool:
        """Whether a tag, a part of its history or an empty repository goes in any zone."""
        return any(zone.changes for zone in self.zones)

    def predict(self) -> dict[str, Any]:
        """Return the result of a prune that goes as planned; raises AppuioError where a zone could not be planned."""
        return self.result()

    def diff(self) -> dict[str, Any]:
        """Return the tags of each repository that loses some, before and after."""
        before: dict[str, list[str]] = {}
        after: dict[str, list[str]] = {}
        for zone in self.zones:
            for whole, part in zip((before, after), zone.diff()):
                whole.update({f"{zone.zone} {zone.namespace}/{name}": tags for name, tags in part.items()})
        return {"before": before, "after": after}

    def result(self) -> dict[str, Any]:
        """Return the module's result; raises AppuioError, with the results of all zones, where one failed."""
        return joined_result([zone.result() for zone in self.zones], [zone.error for zone in self.zones])


def _line(tag: str, trim: HistoryTrim | None, trimmed: bool) -> str:
    return f"{tag} ({trim.kept + (0 if trimmed else len(trim.events))} images)" if trim else tag


def _trim(trim: HistoryTrim) -> dict[str, Any]:
    digests = [event.digest for event in trim.events]
    return {"name": trim.name, "tag": trim.tag, "digests": digests, "reason": trim.reason}


def _tag(decision: Decision, reason: str) -> dict[str, Any]:
    return {"name": decision.name, "tag": decision.tag, "digest": decision.digest, "reason": reason}
