# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service accounts, their rights and their tokens, in one or several zones: read, plan, apply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, Callable

from .._credentials.service_account_method import request_bound_token, why_renewed
from .._credentials.token import expiry
from .._errors import AppuioError, NotFoundError
from .._http.retry import SYSTEM_CLOCK, Clock
from .._managed_objects.account_secrets import AccountSecrets, SecretVanishedError
from .._managed_objects.apply_steps import note_changes, preflight
from .._managed_objects.objects import LiveObject, named, normalised
from .._managed_objects.steps import Steps
from .._managed_objects.tokens import token_of_secret
from .._openshift import resources
from .._openshift.access import Right
from .._openshift.client import Api
from .._targets import RunContext
from .._zones.fanout import ZoneSessions
from .._zones.session import ZoneSession
from .._zones.zone_plans import ZonesTask, in_namespace, options_of
from .account import AccountOptions
from .options import zone_accounts
from .plan import AccountState, plan_objects
from .result import AccountPlan, AccountPlans
from .token_file import TokenFile, token_files

REQUEST = Right("create", "serviceaccounts", subresource="token")


def read_state(api: Api, wanted: AccountOptions, secrets: AccountSecrets) -> AccountState:
    """Return the objects that the plan for an account looks at; raises AppuioError."""
    namespace = wanted.namespace
    bindings = api.items(resources.ROLE_BINDING, namespace, step="read the role bindings")
    normal, account, found = _normal(bindings), secrets.possible_account(), secrets.read()
    return AccountState(
        bindings=normal,
        account=account,
        # Where they all go, dead ones may go with them.
        secrets=secrets.marked(found, account) if wanted.state == "present" and wanted.kind == "secret" else found,
        image_streams=_image_streams(api, wanted) if wanted.state == "present" else [],
    )


def _image_streams(api: Api, wanted: AccountOptions) -> list[LiveObject]:
    found = []
    for name in dict.fromkeys(wanted.image_streams):
        try:
            found.append(api.get(resources.IMAGE_STREAM, wanted.namespace, name, step="read the ImageStream"))
        except NotFoundError:
            pass
    return _normal(found)


def _normal(found: Iterable[Any]) -> list[LiveObject]:
    return [one for one in map(normalised, found) if one is not None]


def account_task(options: Mapping[str, Any], context: RunContext) -> ZonesTask[AccountPlans]:
    """Return the task of the module's options; asks no server. Raises InvalidOptionError.

    The files for tokens are read here, so that a file with something else is an error before anything is done.
    """

    def parse(given: Mapping[str, Any]) -> ZonesTask[AccountPlans]:
        zones = zone_accounts(given)
        sessions = ZoneSessions([zone.target for zone in zones], context)
        files = token_files(account for zone in zones for account in zone.accounts)
        for token in files.values():
            context.register_secret(token or "")
        wanted = {zone.target.zone.name: zone.accounts for zone in zones}

        def work(session: ZoneSession) -> AccountWork:
            return AccountWork(
                session,
                wanted[session.name],
                files,
                given["wait_timeout"],
                context.warn,
                check=given["preflight"],
                several=bool(given.get("accounts")),
            )

        empty: dict[str, Any] = {"token": None, "tokens": {}}
        return ZonesTask(sessions, work, context, several=bool(given.get("zones")), empty=empty)

    return options_of(parse, options)


@dataclass(frozen=True)
class AccountWork:
    """The accounts of one zone; ``files`` are the tokens in their files, as they were found.

    With ``check`` missing rights are an error before anything is changed.
    """

    session: ZoneSession
    accounts: Sequence[AccountOptions]
    files: Mapping[str, str | None] = field(repr=False)
    wait_timeout: int
    warn: Callable[[str], None]
    check: bool = True
    several: bool = False
    clock: Clock = SYSTEM_CLOCK

    @property
    def api(self) -> Api:
        """The zone's API; raises AppuioError."""
        return self.session.api()

    def plan(self) -> AccountPlans:
        """Return the plans of the accounts; raises AppuioError."""
        plans = tuple(self._planned(account) for account in self.accounts)
        if self.check:
            for namespace in dict.fromkeys(plan.wanted.namespace for plan in plans):
                self._preflight(namespace, [plan for plan in plans if plan.wanted.namespace == namespace])
        return AccountPlans(plans, self.several)

    def apply(self, plan: AccountPlans) -> AccountPlans:
        """Carry the plans out, one account after the other; raises AppuioError."""
        done: list[AccountPlan] = []
        for one in plan.accounts:
            with note_changes(any(before.changed for before in done)):
                done.append(self._applied(one))
        return AccountPlans(tuple(done), self.several)

    def _planned(self, wanted: AccountOptions) -> AccountPlan:
        try:
            found = read_state(self.api, wanted, self._secrets(wanted))
            now = self.clock.now()
            objects = plan_objects(wanted, found, datetime.fromtimestamp(now, timezone.utc))
            if objects.steps.refused:
                raise AppuioError(objects.steps.refused)
        except AppuioError as error:
            raise self._in_namespace(error, wanted.namespace) from None
        plan = AccountPlan(wanted, objects, found)
        if wanted.state == "present" and wanted.kind == "secret":
            token = token_of_secret(named(found.secrets, objects.secret_name) or {})
            plan = plan.with_token(token or None)
        elif wanted.state == "present":
            current = self.files.get(wanted.token_file)
            reason = (
                "a rotation is asked for"
                if wanted.rotate
                else why_renewed(
                    current, wanted.namespace, wanted.service_account, found.account, wanted.expiration, now
                )
            )
            kept = None if reason else current
            plan = plan.with_token(kept, renew=reason, expires_at=expiry(kept) if kept else None)
        return replace(plan, file=self._file_reason(plan))

    def _file_reason(self, plan: AccountPlan) -> str:
        """Return why the file with the token is written or deleted, empty where it is neither."""
        path = plan.wanted.token_file
        if not path:
            return ""
        if plan.wanted.state == "absent":
            return "the token ends" if TokenFile(path).exists() else ""
        if plan.token is None or self.files.get(path) != plan.token:
            return "it is to hold the token"
        return "nobody but its owner is to read it" if TokenFile(path).wide() else ""

    def _preflight(self, namespace: str, plans: Sequence[AccountPlan]) -> None:
        steps = Steps([step for plan in plans for step in plan.objects.steps.steps])
        more = [REQUEST] if any(plan.renew for plan in plans) else []
        if not steps.steps and not more:
            return
        try:
            preflight(self.api, namespace, steps, more)
        except AppuioError as error:
            raise self._in_namespace(error, namespace) from None

    def _applied(self, plan: AccountPlan) -> AccountPlan:
        try:
            done = self._carried_out(plan)
        except SecretVanishedError:
            # Somebody deletes the service account while its token is awaited: once may be chance.
            with note_changes(plan.changed):
                done = self._once_more(plan)
        except AppuioError as error:
            raise self._in_namespace(error, plan.wanted.namespace) from None
        path = plan.wanted.token_file
        if path and plan.wanted.state == "absent":
            TokenFile(path).remove()
        elif path and done.token and plan.file:
            TokenFile(path).write(done.token)
        return done

    def _once_more(self, plan: AccountPlan) -> AccountPlan:
        wanted = plan.wanted
        try:
            again = self._carried_out(self._planned(wanted))
        except SecretVanishedError:
            error = NotFoundError(
                f"the Secret {plan.objects.secret_name} vanished twice after it was made. OpenShift deletes the Secret "
                "of a token when its service account is not there",
                hint=f"Find out what deletes {wanted.service_account}",
            )
            raise self._in_namespace(error, wanted.namespace) from None
        except AppuioError as error:
            raise self._in_namespace(error, wanted.namespace) from None
        return replace(again, file=plan.file)

    def _carried_out(self, plan: AccountPlan) -> AccountPlan:
        """A bound token is got before the Secrets with other tokens go."""
        wanted, objects = plan.wanted, plan.objects
        secrets = self._secrets(wanted)
        if not plan.renew:
            wait = float(self.wait_timeout)
            name, token = secrets.apply(objects.steps, objects.secret_name, plan.found.secrets, self.warn, wait)
            done = replace(plan, objects=replace(objects, secret_name=name))
            return done if wanted.kind == "bound" else done.with_token(token)
        now = self.clock.now()
        secrets.apply_early(objects.steps, self.warn)
        with note_changes(any(not step.late for step in objects.steps.steps)):
            token, end = request_bound_token(
                self.api, wanted.namespace, wanted.service_account, wanted.expiration, now, self.warn
            )
            secrets.apply_late(objects.steps, self.warn)
        return plan.with_token(token, expires_at=end)

    def _secrets(self, wanted: AccountOptions) -> AccountSecrets:
        return AccountSecrets(self.api, wanted.secrets, self.clock)

    def _in_namespace(self, error: AppuioError, namespace: str) -> AppuioError:
        return in_namespace(error, self.session.name, namespace)
