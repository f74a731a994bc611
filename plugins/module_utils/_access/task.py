# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may pull and push, in one or several zones: read, plan, apply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from .._errors import AppuioError, NotFoundError
from .._managed_objects.apply_steps import apply_steps, preflight
from .._managed_objects.objects import LiveObject, normalised
from .._managed_objects.steps import Steps, difference
from .._openshift import resources
from .._openshift.client import Api
from .._targets import RunContext
from .._zones.fanout import ZoneSessions
from .._zones.session import ZoneSession
from .._zones.zone_plans import ZonesTask, in_namespace, options_of
from .options import passwords_in, zone_accesses
from .plan import AccessOptions, AccessState, plan_access


@dataclass(frozen=True)
class AccessPlan:
    """The steps to the access that is wanted in one namespace of one zone."""

    wanted: AccessOptions
    steps: Steps

    @property
    def changed(self) -> bool:
        """Whether there is something to do."""
        return bool(self.steps.steps)

    @property
    def secrets(self) -> Sequence[str]:
        """Nothing secret is handed on."""
        return ()

    def result(self, _handed_on: bool = True) -> dict[str, Any]:
        """Return what the module tells of the namespace."""
        steps = self.steps.in_order()
        words = [str(step) for step in steps] or ["the access is as it is to be"]
        left = [f"leave {one}" for one in self.steps.left]
        return {
            "namespace": self.wanted.namespace,
            "steps": [{**step.result(), "namespace": self.wanted.namespace} for step in steps],
            "left": list(self.steps.left),
            "changed": self.changed,
            "msg": f"{self.wanted.namespace}: {'; '.join([*words, *left])}",
        }

    def diffs(self, zone: str) -> list[dict[str, str]]:
        """Return the objects before and after, without the contents of Secrets."""
        if not self.changed:
            return []
        header = f"{zone} {self.wanted.namespace}"
        before, after = difference(self.steps.in_order())
        return [{"before_header": header, "after_header": header, "before": before, "after": after}]


def access_task(options: Mapping[str, Any], context: RunContext) -> ZonesTask[AccessPlan]:
    """Return the task of the module's options; asks no server. Raises InvalidOptionError."""
    for secret in passwords_in(options):
        context.register_secret(secret)

    def parse(given: Mapping[str, Any]) -> ZonesTask[AccessPlan]:
        zones = zone_accesses(given)
        sessions = ZoneSessions([zone.target for zone in zones], context)
        wanted = {zone.target.zone.name: zone.access for zone in zones}

        def work(session: ZoneSession) -> AccessWork:
            return AccessWork(session, wanted[session.name], given["preflight"], context.warn)

        return ZonesTask(sessions, work, context, several=bool(given.get("zones")))

    return options_of(parse, options)


@dataclass(frozen=True)
class AccessWork:
    """The access to a namespace of one zone; with ``check`` missing rights are an error before anything is changed."""

    session: ZoneSession
    wanted: AccessOptions
    check: bool
    warn: Callable[[str], None]

    def plan(self) -> AccessPlan:
        """Return what is to be done; raises AppuioError."""
        wanted = self.wanted
        try:
            api = self.session.api()
            steps = plan_access(wanted, _state(api, wanted))
            if steps.refused:
                raise AppuioError(steps.refused)
            if self.check and steps.steps:
                preflight(api, wanted.namespace, steps)
        except AppuioError as error:
            raise in_namespace(error, self.session.name, self.wanted.namespace) from None
        return AccessPlan(wanted, steps)

    def apply(self, plan: AccessPlan) -> AccessPlan:
        """Carry the plan out; raises AppuioError."""
        try:
            apply_steps(self.session.api(), plan.wanted.namespace, plan.steps.in_order(), self.warn)
        except AppuioError as error:
            raise in_namespace(error, self.session.name, self.wanted.namespace) from None
        return plan


def _state(api: Api, wanted: AccessOptions) -> AccessState:
    bindings = api.items(resources.ROLE_BINDING, wanted.namespace, step="read the role bindings")
    accounts: Iterable[Any] = ()
    if wanted.pull_secrets:
        accounts = api.items(resources.SERVICE_ACCOUNT, wanted.namespace, step="read the service accounts")
    return AccessState(_normal(bindings), _normal(_secrets(api, wanted)), _normal(accounts))


def _secrets(api: Api, wanted: AccessOptions) -> list[Any]:
    found = []
    for name in dict.fromkeys(secret.name for secret in wanted.pull_secrets):
        try:
            found.append(api.get(resources.SECRET, wanted.namespace, name, step="read the pull Secret"))
        except NotFoundError:
            pass
    return found


def _normal(found: Iterable[Any]) -> list[LiveObject]:
    return [one for one in map(normalised, found) if one is not None]
