# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of service accounts, in one or several zones: read, plan, apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Callable

from .._credentials.service_account_method import request_bound_token
from .._errors import AppuioError, NotFoundError
from .._http.retry import SYSTEM_CLOCK, Clock
from .._managed_objects.account_secrets import AccountSecrets
from .._managed_objects.apply_steps import preflight
from .._managed_objects.objects import LiveObject, named
from .._managed_objects.tokens import token_of_secret
from .._openshift.access import Right
from .._targets import RunContext
from .._zones.fanout import ZoneSessions
from .._zones.session import ZoneSession
from .._zones.zone_plans import ZonesTask
from .options import TokenOptions, current_tokens, parse_options
from .plan import TokenPlan, plan_of_bound, plan_of_secret

REQUEST = Right("create", "serviceaccounts", subresource="token")


def token_task(options: Mapping[str, Any], context: RunContext) -> ZonesTask[TokenPlan]:
    """Return the task of the module's options; asks no server. Raises InvalidOptionError."""
    for token in current_tokens(options):
        context.register_secret(token)
    zones = parse_options(options)
    wanted = {one.target.zone.name: one for one in zones}
    sessions = ZoneSessions([one.target for one in zones], context)

    def work(session: ZoneSession) -> TokenWork:
        return TokenWork(session, wanted[session.name], context.warn)

    return ZonesTask(sessions, work, context, several=options.get("zones") is not None, empty={"token": None})


@dataclass(frozen=True)
class TokenWork:
    """One token in one zone."""

    session: ZoneSession
    wanted: TokenOptions
    warn: Callable[[str], None]
    clock: Clock = SYSTEM_CLOCK

    def plan(self) -> TokenPlan:
        """Return what is to be done; raises AppuioError, also for what would keep it from being done."""
        plan = self._bound() if self.wanted.bound else self._secret()
        if plan.changed:
            more = [REQUEST] if plan.renew else []
            preflight(self.session.api(), self.wanted.namespace, plan.steps, more)
        return plan

    def apply(self, plan: TokenPlan) -> TokenPlan:
        """Do it: the new Secret and its token first, then old ones are marked and deleted. Raises AppuioError."""
        if plan.renew:
            return self._requested(plan)
        return plan if self.wanted.bound else self._applied(plan)

    def _bound(self) -> TokenPlan:
        return plan_of_bound(self.wanted, self._secrets().service_account(), self.clock.now())

    def _secret(self) -> TokenPlan:
        secrets = self._secrets()
        account = self._account(secrets)
        found = secrets.read()
        if self.wanted.state != "absent":
            found = secrets.marked(found, account)
        plan = plan_of_secret(self.wanted, account, found, self.clock.now())
        if plan.steps.refused:
            raise AppuioError(plan.steps.refused)
        token = token_of_secret(named(found, plan.secret_name) or {}) if plan.secret_name else ""
        return replace(plan, token=token or None)

    def _account(self, secrets: AccountSecrets) -> LiveObject | None:
        """Tokens may end of an account that is gone already, but none is made for it."""
        try:
            return secrets.service_account()
        except NotFoundError:
            if self.wanted.state == "absent":
                return None
            raise

    def _applied(self, plan: TokenPlan) -> TokenPlan:
        wait = float(self.wanted.wait_timeout) if self.wanted.wait else None
        name, token = self._secrets().apply(plan.steps, plan.secret_name, plan.found, self.warn, wait)
        return replace(plan, secret_name=name, token=token)

    def _requested(self, plan: TokenPlan) -> TokenPlan:
        wanted, api = self.wanted, self.session.api()
        try:
            token, end = request_bound_token(
                api, wanted.namespace, wanted.service_account, wanted.expiration, self.clock.now(), self._warn
            )
        except NotFoundError:
            self._secrets().service_account()
            raise
        return replace(plan, token=token, expires_at=end)

    def _warn(self, text: str) -> None:
        self.warn(f"zone {self.session.name}: {text}")

    def _secrets(self) -> AccountSecrets:
        return AccountSecrets(self.session.api(), self.wanted.secrets, self.clock)
