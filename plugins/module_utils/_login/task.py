# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in and out: all zones are asked at the same time, then the files are written, one after the other."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Sequence

from .._credentials.auth_edit import Edited
from .._credentials.token import timestamp
from .._errors import AppuioError, CancelledError, UnauthorizedError
from .._signals import GOES_ON, check_stop
from .._targets import Credential, RunContext, basic
from .._zones.fanout import ZoneOutcome, at_once, change_each_zone, each_zone, finishing
from .._zones.session import ZoneSession
from .credential import ReusableCredential, reusable_credential, revoke, unrevocable
from .options import Login
from .plan import LoginPlan, Plan, result_of
from .store import CredentialStore, after, open_store
from .verification import check_access, check_end, check_login

_Step = Callable[["_ZoneLogin", LoginPlan], LoginPlan]
_Each = Callable[..., list[ZoneOutcome[LoginPlan]]]


class LoginTask:
    """The logins of one run of the module."""

    def __init__(
        self, logins: Sequence[Login], context: RunContext, *, several: bool = False, dockerconfigjson: bool = False
    ) -> None:
        self.several = several
        self.dockerconfigjson = dockerconfigjson
        self.zones = [_ZoneLogin(login, context) for login in logins]

    def plan(self) -> Plan:
        """Return what is to be done; what a zone says against it becomes part of the plan."""
        initial = [zone.initial_plan() for zone in self.zones]
        return Plan(self._in_each_zone(_ZoneLogin.plan, initial), self.several)

    def apply(self, plan: Plan) -> dict[str, Any]:
        """Do it; raises AppuioError at the end where a zone failed, with the results of all."""
        ready = self._in_each_zone(_ZoneLogin.prepare, plan.logins, change_each_zone)
        done = [
            planned if planned.error else planned.failed(CancelledError("stopped before it was stored", hint=GOES_ON))
            for planned in ready
        ]
        with finishing():
            for number, (zone, planned) in enumerate(zip(self.zones, ready)):
                done[number] = _attempt(_ZoneLogin.store, zone, planned)
        result = result_of(tuple(done), self.several)
        if self.dockerconfigjson:
            result["dockerconfigjson"] = _dockerconfigjson(done)
        return result

    def close(self) -> None:
        """Let tokens end that were got and are stored nowhere, because something failed or the task was stopped."""
        at_once(_ZoneLogin.close, self.zones)

    def _in_each_zone(
        self, step: _Step, planned: Sequence[LoginPlan], each: _Each = each_zone
    ) -> tuple[LoginPlan, ...]:
        outcomes = each(lambda pair: _attempt(step, *pair), list(zip(self.zones, planned)), lambda pair: pair[1].zone)
        return tuple(
            outcome.value or before.failed(outcome.error or AppuioError("nothing is known of it"))
            for outcome, before in zip(outcomes, planned)
        )


def _attempt(step: _Step, zone: _ZoneLogin, planned: LoginPlan) -> LoginPlan:
    """What one zone says against it is reported at the end, when the others have been served."""
    if planned.error:
        return planned
    try:
        return step(zone, planned)
    except AppuioError as error:
        return planned.failed(error)


@dataclass
class _ZoneLogin:
    """The login of one zone."""

    login: Login
    context: RunContext = field(repr=False)
    session: ZoneSession | None = None

    def __post_init__(self) -> None:
        if self.login.present:
            self.session = ZoneSession(self.login.target, self.login.credential_context(self.context))

    def initial_plan(self) -> LoginPlan:
        """Return a plan that says nothing yet but which login it is."""
        login = self.login
        return LoginPlan(login.target.zone.name, login.registry, login.auth_file, "file", login.present)

    def plan(self, planned: LoginPlan) -> LoginPlan:
        """Return what is to be done; nothing is changed anywhere. Raises AppuioError."""
        store = self._open_store()
        stored = store.stored()
        if stored:
            for secret in (stored.secret, basic(stored)):
                self.context.register_secret(secret)
        planned = replace(planned, store=store.name, before=stored)
        if self.session is None:
            return self._plan_logout(store, planned)
        return self._plan_login(self.session, store, planned)

    def prepare(self, planned: LoginPlan) -> LoginPlan:
        """Get the credential where it is still to be got, and try it; raises AppuioError."""
        session = self.session
        if session is None:
            if planned.revoked and planned.before:
                check_stop("revoke the token")
                revoke(self.login, planned.before)
            return planned
        if planned.credential is None:
            check_stop("get a token")
            fetched = session.credential
            access = self._verified(session, fetched.credential, may_write=True)
            return replace(
                planned,
                credential=fetched.credential,
                username=fetched.credential.username,
                expires_at=fetched.expires_at,
                access=access,
            )
        if len(planned.access) == len(self.login.access):
            return planned
        access = check_access(self.login, planned.credential, session.method, may_write=True)
        return replace(planned, access=access)

    def store(self, planned: LoginPlan) -> LoginPlan:
        """Write what is to be written; raises AppuioError, which says what of it is done already."""
        try:
            return self._store(planned)
        except AppuioError as error:
            raise after("the token is revoked already", error) if planned.revoked else error from None

    def _store(self, planned: LoginPlan) -> LoginPlan:
        credential = planned.credential
        if self.login.present:
            self._warn_of_end(planned)
        if not planned.changed or (self.login.present and credential is None):
            return planned
        if not planned.revoked:  # what is revoked is of no use where it is stored
            check_stop("store the credential" if self.login.present else "remove the credential")
        store = self._open_store()
        stored = store.stored()
        if not self.login.present or credential is None:
            return self._written(planned, store.remove(stored))
        current = stored is not None and store.is_current(credential, stored)
        edited = store.keep(None if current else credential, self._keep_token)
        wrote = edited.changed or (store.helper is not None and not current)
        return self._written(planned if wrote else replace(planned, reasons=()), edited)

    def _keep_token(self) -> None:
        """Let a token that was got for this login live on, as it is stored now."""
        if self.session is not None:
            self.session.method.keep()

    def close(self) -> None:
        """Give back what the login holds."""
        if self.session is not None:
            self.session.close()

    def _open_store(self) -> CredentialStore:
        return open_store(self.login, self.context.environment)

    def _plan_login(self, session: ZoneSession, store: CredentialStore, planned: LoginPlan) -> LoginPlan:
        stored = planned.before
        found = reusable_credential(self.login, session.method, stored)
        access: tuple[str, ...] = ()
        if found.credential is not None:
            try:
                access = self._verified(session, found.credential, may_write=False)
            except UnauthorizedError:
                if not found.kept:
                    raise
                found = ReusableCredential(None)
        wanted = found.credential
        current = wanted is not None and stored is not None and store.is_current(wanted, stored)
        reasons = [] if current else ["no credential was stored" if stored is None else "another credential is stored"]
        if wanted and stored and not current and wanted.secret == stored.secret:
            reasons = ["it was stored in another form, or with another user name"]
        shown = stored if stored and current else wanted
        return replace(
            planned,
            credential=shown,
            username=shown.username if shown else self.login.expected_username(),
            reasons=tuple(reasons + store.file_reasons()),
            expires_at=found.expires_at,
            access=access,
        )

    def _plan_logout(self, store: CredentialStore, planned: LoginPlan) -> LoginPlan:
        stored = planned.before
        if not stored:
            return replace(planned, reasons=("an entry was stored",) * store.holds_entry())
        reasons, remarks = ["a credential was stored"], []
        if self.login.revoke:
            against = unrevocable(self.login, stored)
            if against:
                remarks.append(against)
            else:
                reasons.append("its token is revoked")
        return replace(
            planned,
            username=stored.username,
            reasons=tuple(reasons),
            remarks=tuple(remarks),
            revoked=self.login.revoke and not remarks,
        )

    def _verified(self, session: ZoneSession, credential: Credential, *, may_write: bool) -> tuple[str, ...]:
        check_end(credential)
        if not self.login.verify:
            return ()
        check_login(self.login, credential)
        return check_access(self.login, credential, session.method, may_write=may_write)

    def _written(self, planned: LoginPlan, edited: Edited) -> LoginPlan:
        for text in (*planned.remarks, *edited.warnings):
            self.context.warn(f"zone {planned.zone}: {text}")
        return replace(planned, backup_file=edited.backup_file)

    def _warn_of_end(self, planned: LoginPlan) -> None:
        if planned.expires_at is not None and planned.expires_at - time.time() <= self.login.min_validity:
            end = timestamp(planned.expires_at)
            self.context.warn(f"zone {planned.zone}: the token ends at {end}, in less than min_validity seconds")


def _dockerconfigjson(done: Sequence[LoginPlan]) -> str:
    """All credentials as the value that a Secret of type kubernetes.io/dockerconfigjson holds under ``data``."""
    auths = {
        planned.registry: {"auth": basic(planned.credential)}
        for planned in done
        if planned.credential is not None and planned.present
    }
    return b64encode(json.dumps({"auths": auths}).encode()).decode()
