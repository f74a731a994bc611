# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module that does the same in each zone through its API: the plans of all zones, then what came of them.

A zone that cannot be planned or served does not hold the others up; the task fails in the end, and names them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Generic, Protocol, TypeVar

from .._errors import AppuioError, InvalidOptionError, MissingLibraryError
from .._targets import RunContext
from .fanout import ZoneOutcome, ZoneSessions, joined_error
from .session import ZoneSession


class ZonePlan(Protocol):
    """What there is to do in one zone, or what was done."""

    @property
    def changed(self) -> bool:
        """Whether there is something to do."""

    @property
    def secrets(self) -> Sequence[str]:
        """The secrets that the result hands on."""

    def result(self, handed_on: bool = True) -> dict[str, Any]:
        """Return the zone's part of the result, with the secrets or without."""

    def diffs(self, zone: str) -> list[dict[str, str]]:
        """Return Ansible's diff structure for each thing that changes."""


_Plan = TypeVar("_Plan", bound=ZonePlan)
_Parsed = TypeVar("_Parsed")


class ZoneWork(Protocol[_Plan]):
    """The work in one zone."""

    def plan(self) -> _Plan:
        """Return what is to be done; only reads. Raises AppuioError."""

    def apply(self, plan: _Plan) -> _Plan:
        """Do it, and return what came of it; raises AppuioError."""


@dataclass(frozen=True)
class ZonePlans(Generic[_Plan]):
    """The plans of all zones, in the order given; ``several`` says that the task has named ``zones``.

    ``empty`` is what the result has of a zone that could not be planned.
    """

    outcomes: Sequence[ZoneOutcome[_Plan]]
    several: bool = False
    empty: Mapping[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether there is something to do in one of the zones."""
        return any(plan.changed for plan in self._plans())

    def predict(self) -> dict[str, Any]:
        """Return the module's result; raises AppuioError where a zone failed, with what holds for the others.

        A failure hands no secret on: Ansible prints failures in full.
        """
        errors = [outcome.error for outcome in self.outcomes]
        failed = any(errors)
        zones = [self._zone_result(outcome, handed_on=not failed) for outcome in self.outcomes]
        changed = self.changed or any(error.result.get("changed") for error in errors if error)
        missing = [error for error in errors if isinstance(error, MissingLibraryError)]
        if missing:
            raise missing[0]
        if failed:
            raise joined_error(errors, {"zones": zones, "changed": changed} if self.several else {})
        if not self.several:
            return {name: value for name, value in zones[0].items() if name != "zone"}
        return {"changed": changed, "zones": zones, "msg": "; ".join(str(zone.get("msg", "")) for zone in zones)}

    def diff(self) -> Any:
        """Return the difference of everything that changes, None where nothing does."""
        found = [diff for outcome in self.outcomes if outcome.value for diff in outcome.value.diffs(outcome.zone)]
        return found if len(found) > 1 or (found and self.several) else found[0] if found else None

    def secrets(self) -> list[str]:
        """Return the secrets that the result hands on."""
        if any(outcome.error for outcome in self.outcomes):
            return []
        return [secret for plan in self._plans() for secret in plan.secrets]

    def _zone_result(self, outcome: ZoneOutcome[_Plan], handed_on: bool) -> dict[str, Any]:
        if outcome.error is None and outcome.value is not None:
            return {"zone": outcome.zone, **outcome.value.result(handed_on)}
        failed = {**self.empty, "changed": bool(outcome.error and outcome.error.result.get("changed"))}
        return {"zone": outcome.zone, **failed, "failed": True, "error": str(outcome.error)}

    def _plans(self) -> list[_Plan]:
        return [outcome.value for outcome in self.outcomes if outcome.value is not None and not outcome.error]


@dataclass(frozen=True)
class ZonesTask(Generic[_Plan]):
    """One run of such a module: ``work`` makes the work in a zone from its session."""

    sessions: ZoneSessions
    work: Callable[[ZoneSession], ZoneWork[_Plan]]
    context: RunContext = field(repr=False)
    several: bool = False
    empty: Mapping[str, Any] = field(default_factory=dict)

    def plan(self) -> ZonePlans[_Plan]:
        """Return what is to be done in all zones; what one says against it becomes part of the plan."""
        return self._plans(self.sessions.each(lambda session: self.work(session).plan()))

    def apply(self, plans: ZonePlans[_Plan]) -> dict[str, Any]:
        """Do it in all zones at once; raises AppuioError in the end where one failed, or was stopped by a signal."""
        planned = {outcome.zone: outcome for outcome in plans.outcomes}

        def applied(session: ZoneSession) -> _Plan:
            outcome = planned[session.name]
            if outcome.error or outcome.value is None:
                raise outcome.error or AppuioError("nothing was planned", zone=session.name)
            return self.work(session).apply(outcome.value)

        return self._plans(self.sessions.change_each(applied)).predict()

    def close(self) -> None:
        """Give back connections, and tokens that were only got for this task."""
        self.sessions.close()

    def _plans(self, outcomes: Sequence[ZoneOutcome[_Plan]]) -> ZonePlans[_Plan]:
        plans = ZonePlans(outcomes, self.several, self.empty)
        for secret in plans.secrets():
            self.context.return_secret(secret)
        return plans


def in_namespace(error: AppuioError, zone: str, namespace: str) -> AppuioError:
    """Return an error that tells the namespace besides the zone, since one task may be about several."""
    if error.zone in (None, zone):
        error.zone = f"{zone}, namespace {namespace}" if namespace else zone
    return error


def options_of(parse: Callable[[Mapping[str, Any]], _Parsed], options: Mapping[str, Any]) -> _Parsed:
    """Return what the options come to; an InvalidOptionError tells zone and namespace as later errors do."""
    try:
        return parse(options)
    except InvalidOptionError as error:
        zone = str(options.get("zone") or options.get("host") or "")
        if zone and not options.get("zones"):
            in_namespace(error, zone, str(options.get("namespace") or ""))
        raise
