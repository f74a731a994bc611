# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in and out: look, plan, then do what the plan says."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Mapping

from .._credential import DEFAULT_USERNAME, Credential
from .._credentials.auth_document import basic
from .._credentials.auth_edit import edit
from .._credentials.resolve import masked
from .._credentials.token import timestamp
from .._errors import AppuioError, UnauthorizedError
from .candidate import Candidate, candidate, fetched
from .options import Login
from .place import Place, place_of
from .plan import LoginPlan, Plan, result_of
from .revocation import revoke
from .verification import check_access, check_end, check_login


@dataclass(frozen=True)
class LoginTask:
    """The logins of one run of the module."""

    logins: list[Login]
    environment: Mapping[str, str] = field(repr=False)
    register_secret: Callable[[str], None]
    warn: Callable[[str], None]
    several: bool = False
    dockerconfigjson: bool = False

    def plan(self) -> Plan:
        """Return what is to be done; what a zone says against it becomes part of the plan."""
        return Plan(tuple(self._planned(login) for login in self.logins), self.several)

    def apply(self, plan: Plan) -> dict[str, Any]:
        """Do it, zone by zone; raises AppuioError at the end where one failed, with the results of all."""
        done = [self._done(login, planned) for login, planned in zip(self.logins, plan.logins)]
        result = result_of(tuple(done), self.several)
        if self.dockerconfigjson:
            result["dockerconfigjson"] = _dockerconfigjson(self.logins, done)
        return result

    def close(self) -> None:
        """Nothing is held open."""

    def _planned(self, login: Login) -> LoginPlan:
        zone = login.target.zone.name
        planned = LoginPlan(zone, login.registry, login.auth_file, "file", login.present)
        try:
            place = place_of(login, self.environment)
            stored = place.stored()
            if stored:
                masked(stored, self.register_secret)
            planned = replace(planned, store=place.store, before=stored)
            return self._present(login, place, planned) if login.present else self._absent(login, place, planned)
        except AppuioError as error:
            return planned.failed(error)

    def _present(self, login: Login, place: Place, planned: LoginPlan) -> LoginPlan:
        stored = planned.before
        found = candidate(login, stored, self.environment, self.register_secret)
        access: tuple[str, ...] = ()
        if found.credential is not None:
            try:
                access = self._verified(login, found.credential, may_write=False)
            except UnauthorizedError:
                if not found.kept:
                    raise
                found = Candidate(None)
        wanted = found.credential
        same = wanted is not None and stored is not None and _same(wanted, stored)
        reasons = [] if same else ["the registry was not there" if stored is None else "another credential is stored"]
        reasons += self._reasons_of_file(login, place)
        username = stored.username if stored and same else wanted.username if wanted else _expected_username(login)
        return replace(
            planned,
            credential=stored if same else wanted,
            username=username,
            reasons=tuple(reasons),
            expires_at=found.expires_at,
            access=access,
        )

    def _absent(self, login: Login, place: Place, planned: LoginPlan) -> LoginPlan:
        document = json.loads(json.dumps(place.document))
        place.forget(document)
        stored = planned.before
        reasons = ["a credential was stored"] if stored or document != place.document else []
        if stored and login.revoke:
            reasons.append("its token is revoked")
        return replace(planned, username=stored.username if stored else "", reasons=tuple(reasons))

    def _done(self, login: Login, planned: LoginPlan) -> LoginPlan:
        """What one zone says against it is told at the end, when the others have been served."""
        if planned.error:
            return planned
        try:
            return self._applied(login, planned)
        except AppuioError as error:
            return planned.failed(error)

    def _applied(self, login: Login, planned: LoginPlan) -> LoginPlan:
        if not login.present:
            return self._logged_out(login, planned) if planned.changed else planned
        if planned.credential is not None:
            access = planned.access
            if len(access) < len(login.access):
                access = check_access(login, planned.credential, self.environment, may_write=True)
            return self._logged_in(login, replace(planned, access=access))
        got = fetched(login, self.environment, self.register_secret)
        try:
            access = self._verified(login, got.credential, may_write=True)
            username = got.credential.username
            return self._logged_in(
                login,
                replace(
                    planned, credential=got.credential, username=username, expires_at=got.expires_at, access=access
                ),
            )
        except BaseException:
            got.release()
            raise

    def _logged_in(self, login: Login, planned: LoginPlan) -> LoginPlan:
        credential, before = planned.credential, planned.before
        if planned.expires_at is not None and planned.expires_at - time.time() <= login.min_validity:
            end = timestamp(planned.expires_at)
            self.warn(f"zone {planned.zone}: the token ends at {end}, in less than min_validity seconds")
        if not planned.changed or credential is None:
            return planned
        place = place_of(login, self.environment)
        same = before is not None and _same(credential, before)
        if place.helper and not same:
            place.helper.store(place.key, credential)
        edited = edit(login.auth_file, place.point if same else place.keep(credential), login.attributes, login.backup)
        for warning in edited.warnings:
            self.warn(f"zone {planned.zone}: {warning}")
        reasons = planned.reasons if edited.changed or (place.helper and not same) else ()
        return replace(planned, reasons=reasons, backup_file=edited.backup_file)

    def _logged_out(self, login: Login, planned: LoginPlan) -> LoginPlan:
        place = place_of(login, self.environment)
        stored = place.stored()
        if stored and login.revoke:
            revoke(login, stored, self.warn)
        if place.helper and stored:
            place.helper.erase(place.key)
        if not place.exists:
            return planned
        edited = edit(login.auth_file, place.forget, login.attributes, login.backup)
        for warning in edited.warnings:
            self.warn(f"zone {planned.zone}: {warning}")
        return replace(planned, backup_file=edited.backup_file)

    def _verified(self, login: Login, credential: Credential, *, may_write: bool) -> tuple[str, ...]:
        check_end(credential)
        if not login.verify:
            return ()
        check_login(login, credential)
        return check_access(login, credential, self.environment, may_write=may_write)

    def _reasons_of_file(self, login: Login, place: Place) -> list[str]:
        """What is to change in the file even though the credential is the right one."""
        reasons = []
        document = json.loads(json.dumps(place.document))
        place.point(document)
        if document != place.document:
            reasons.append(f"credentials of this registry are to be kept by {place.store}")
        if not login.attributes.fit_file(login.auth_file):
            reasons.append("the file's owner or mode is not as it is to be")
        return reasons


def _same(wanted: Credential, stored: Credential) -> bool:
    """The registry ignores the user name, so it counts only where one is asked for."""
    named = wanted.username in (stored.username, DEFAULT_USERNAME)
    return named and wanted.secret == stored.secret


def _expected_username(login: Login) -> str:
    if login.target.who.get("service_account"):
        return DEFAULT_USERNAME
    return str(login.target.who.get("username") or DEFAULT_USERNAME)


def _dockerconfigjson(logins: list[Login], done: list[LoginPlan]) -> str:
    """All credentials as the value that a Secret of type kubernetes.io/dockerconfigjson holds under ``data``."""
    auths = {}
    for login, planned in zip(logins, done):
        if planned.credential is not None and login.present:
            auths[login.registry] = {"auth": basic(planned.credential)}
    return b64encode(json.dumps({"auths": auths}).encode()).decode()
