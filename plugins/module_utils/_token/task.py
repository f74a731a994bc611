# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of service accounts: look, plan, then do what the plan says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, Callable, Mapping

from .._credentials.api_access import ApiAccess
from .._credentials.token import expiry
from .._credentials.zone_access import zone_access
from .._errors import AppuioError, ForbiddenError, NotFoundError
from .._http.retry import SYSTEM_CLOCK, Clock
from .._openshift.access import Right, missing_rights
from .._openshift.account_secrets import AccountSecrets
from .._openshift.client import Api
from .._openshift.objects import named
from .._openshift.quota import allowances, lacking
from .._openshift.tokens import bound_token, token_of_secret
from .options import Wish
from .plan import Plan, TokenPlan, planned_bound, planned_secret, result_of

REQUEST = Right("create", "serviceaccounts", subresource="token")
# A cluster may add a little to what was asked for, and the clocks of two machines differ.
TOLERANCE = 60


@dataclass
class TokenTask:
    """The tokens of one run of the module.

    ``return_secret`` is told of each token that the result holds, since that is what the module is for.
    """

    wishes: list[Wish]
    environment: Mapping[str, str] = field(repr=False)
    register_secret: Callable[[str], None]
    warn: Callable[[str], None]
    return_secret: Callable[[str], None]
    several: bool = False
    clock: Clock = SYSTEM_CLOCK
    _accesses: dict[str, ApiAccess] = field(default_factory=dict, repr=False)
    _apis: dict[str, Api] = field(default_factory=dict, repr=False)

    def plan(self) -> Plan:
        """Return what is to be done; only reads. What a zone says against it becomes part of the plan."""
        plan = Plan(tuple(self._planned(wish) for wish in self.wishes), self.several)
        self._return_secret(plan.tokens)
        return plan

    def apply(self, plan: Plan) -> dict[str, Any]:
        """Do it, zone by zone; raises AppuioError at the end where one failed, with the results of all."""
        done = tuple(self._done(planned) for planned in plan.tokens)
        self._return_secret(done)
        return result_of(done, self.several)

    def close(self) -> None:
        """Give back connections, and tokens that were only got for this task."""
        for access in self._accesses.values():
            access.revoke()
        self._accesses.clear()

    def _planned(self, wish: Wish) -> TokenPlan:
        try:
            api = self._api(wish)
            planned = self._bound(wish) if _is_bound(wish) else self._secret(wish)
            self._check(wish, api, planned)
            return planned
        except AppuioError as error:
            return TokenPlan(wish).failed(error)

    def _bound(self, wish: Wish) -> TokenPlan:
        return planned_bound(wish, self._secrets(wish).service_account(), self.clock.now())

    def _secret(self, wish: Wish) -> TokenPlan:
        secrets = self._secrets(wish)
        if wish.state != "absent":
            secrets.service_account()
        found = secrets.read(wish.secret_name)
        planned = planned_secret(wish, found, self.clock.now())
        if planned.steps.refused:
            raise AppuioError(planned.steps.refused)
        holder = named(found, planned.secret_name) or {}
        return replace(planned, token=token_of_secret(holder) or None)

    def _check(self, wish: Wish, api: Api, planned: TokenPlan) -> None:
        """Tell before anything is changed what right is missing for it, and that a quota would refuse it."""
        if not planned.changed:
            return
        rights = [Right(one["verb"], one["resource"], one["group"]) for one in planned.steps.rights]
        missing = missing_rights(api, wish.namespace, [REQUEST] if planned.renew else rights)
        if missing:
            raise ForbiddenError(
                f"the right to {', '.join(map(str, missing))} in the namespace {wish.namespace} is missing",
                step="check the rights",
                hint="Nothing was changed. An admin or editor of the namespace has it",
            )
        makes = sum(right.verb == "create" for right in rights)
        short = lacking(allowances(api, wish.namespace) or [], {"secrets": makes}) if makes else []
        if short:
            raise AppuioError(short[0], step="check the quota", hint="Nothing was changed. Remove Secrets first")

    def _done(self, planned: TokenPlan) -> TokenPlan:
        """What one zone says against it is told at the end, when the others have been served."""
        if planned.error:
            return planned
        try:
            return self._requested(planned) if planned.renew else self._applied(planned)
        except AppuioError as error:
            return planned.failed(error)

    def _applied(self, planned: TokenPlan) -> TokenPlan:
        """Make the new Secret and wait for its token first, then mark and delete old ones."""
        wish = planned.wish
        secrets = self._secrets(wish)
        there = {one["metadata"]["name"] for one in planned.secrets}
        for definition in planned.steps.put:
            if definition["metadata"]["name"] not in there:
                secrets.make(definition)
        token = planned.token
        if planned.secret_name and not token:
            name = planned.secret_name
            token = secrets.wait(name, wish.wait_timeout) if wish.wait else secrets.token(name) or None
        for definition in planned.steps.put:
            if definition["metadata"]["name"] in there:
                secrets.change(definition)
        for definition in planned.steps.remove:
            secrets.delete(str(definition["metadata"]["name"]))
        return replace(planned, token=token)

    def _requested(self, planned: TokenPlan) -> TokenPlan:
        """Ask for a bound token, and tell when the cluster gave one that ends sooner than was asked for."""
        wish = planned.wish
        try:
            made = bound_token(self._api(wish), wish.namespace, wish.service_account, wish.expiration)
        except NotFoundError:
            self._secrets(wish).service_account()
            raise
        end = expiry(made.token)
        if end is None and made.expires_at:
            end = datetime.strptime(made.expires_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
        if end is not None and end - self.clock.now() < wish.expiration - TOLERANCE:
            given = round(end - self.clock.now())
            self.warn(
                f"zone {planned.zone}: the cluster gives tokens for less time than expiration says: this one ends "
                f"after {given} seconds instead of {wish.expiration}"
            )
        return replace(planned, token=made.token, expires_at=end)

    def _api(self, wish: Wish) -> Api:
        name = wish.target.zone.name
        if name not in self._apis:
            try:
                self._accesses[name] = zone_access(wish.target, self.environment, self.register_secret)
            except AppuioError as error:
                raise error.at(step="credentials") from None
            self._apis[name] = self._accesses[name].api()
        return self._apis[name]

    def _secrets(self, wish: Wish) -> AccountSecrets:
        return AccountSecrets(self._api(wish), wish.namespace, wish.service_account, self.clock.now, self.clock.sleep)

    def _return_secret(self, tokens: tuple[TokenPlan, ...]) -> None:
        for planned in tokens:
            if planned.token and not planned.error:
                self.return_secret(planned.token)


def _is_bound(wish: Wish) -> bool:
    """Bound tokens end by themselves, so that absent is about Secrets whatever the kind."""
    return wish.kind == "bound" and wish.state != "absent"
