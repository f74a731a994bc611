# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks zones what somebody may do in a namespace, and what its quota leaves; changes nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Callable, Mapping

from .._credentials.zone_access import zone_access
from .._errors import AppuioError
from .._openshift import objects
from .._openshift.access import missing_rights, why_not_granted
from .._openshift.client import Api
from .._openshift.quota import allowances, lacking
from .._openshift.tokens import account_token
from .options import Question

TRIAL = "appuio-registry-dry-run"
# A token that is only asked with is the shortest that there is.
SECONDS = 600


@dataclass(frozen=True)
class Answers:
    """What the zones said, ready for the module's result."""

    zones: list[dict[str, Any]]
    several: bool
    changed: bool = False

    def predict(self) -> dict[str, Any]:
        """Return the result; raises AppuioError where a zone could not be asked, with what the others said."""
        failed = [zone["problem"] for zone in self.zones if "problem" in zone]
        told = [{name: value for name, value in zone.items() if name != "problem"} for zone in self.zones]
        if failed:
            error: AppuioError = failed[0]
            if self.several:
                error.result.update(zones=told)
            raise error
        if self.several:
            return {"zones": told, "sufficient": all(zone["sufficient"] for zone in told)}
        return {name: value for name, value in told[0].items() if name != "zone"}

    def diff(self) -> Any:
        """Return None, since nothing changes."""
        return None


@dataclass(frozen=True)
class AccessTask:
    """The questions of one run of the module."""

    questions: list[Question]
    environment: Mapping[str, str] = field(repr=False)
    register_secret: Callable[[str], None]
    several: bool = False

    def plan(self) -> Answers:
        """Return what the zones answer."""
        return Answers([self._answer(question) for question in self.questions], self.several)

    def apply(self, answers: Answers) -> dict[str, Any]:
        """Return the result; raises AppuioError."""
        return answers.predict()

    def close(self) -> None:
        """Nothing is held open."""

    def _answer(self, question: Question) -> dict[str, Any]:
        zone = question.target.zone.name
        try:
            access = zone_access(question.target, self.environment, self.register_secret)
            try:
                token = self._token_of_account(question, access.api())
                return {"zone": zone, "namespace": question.namespace, **_asked(question, access.api(token))}
            finally:
                access.revoke()
        except AppuioError as error:
            error.at(zone=zone)
            return {"zone": zone, "failed": True, "error": str(error), "problem": error}

    def _token_of_account(self, question: Question, api: Api) -> str | None:
        """Return the token of the service account that is to be asked as, None for whoever has the credential."""
        account = question.target.who.get("service_account")
        if not account:
            return None
        token = account_token(api, question.namespace, str(account), SECONDS).token
        self.register_secret(token)
        return token


def _asked(question: Question, api: Api) -> dict[str, Any]:
    namespace = question.namespace
    missing = [str(right) for right in missing_rights(api, namespace, question.rights)]
    errors = [f"the right to {right} in the namespace {namespace} is missing" for right in missing]
    refused = {}
    if not missing:
        for role in question.roles:
            server_message = why_not_granted(api, _trial(namespace, role))
            if server_message:
                refused[role] = server_message
                errors.append(f"{role} may not be granted: {server_message}")
    found = allowances(api, namespace)
    errors += lacking(found or [], question.made)
    return {
        "missing": missing,
        "refused": refused,
        "quota": [{**asdict(one), "left": one.left} for one in found or []],
        "quota_known": found is not None,
        "problems": errors,
        "sufficient": not errors,
        "msg": "; ".join(errors) or f"Nothing is missing in the namespace {namespace}",
    }


def _trial(namespace: str, role: str) -> objects.Definition:
    return objects.role_binding(namespace, TRIAL, role, [objects.account_subject(namespace, TRIAL)])
