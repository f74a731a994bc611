# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks zones what somebody may do in a namespace, and what its quota leaves; changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Callable

from .._argspec import TARGETS, ArgumentSpec
from .._errors import InvalidOptionError
from .._managed_objects import objects
from .._managed_objects.apply_steps import refused_roles
from .._managed_objects.tokens import account_token
from .._openshift.access import Right, missing_rights
from .._openshift.client import Api
from .._openshift.quota import allowances, lacking
from .._targets import RunContext, Target, targets_from
from .._zones.fanout import ZoneSessions
from .._zones.session import ZoneSession
from .._zones.zone_plans import ZonePlans, ZonesTask

TRIAL = "appuio-registry-dry-run"
# A token that is only asked with is the shortest that there is.
SECONDS = 600
SPEC = TARGETS + ArgumentSpec(
    options={
        "rights": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "verb": {"type": "str", "required": True},
                "resource": {"type": "str", "required": True},
                "group": {"type": "str", "default": ""},
            },
        },
        "roles": {"type": "list", "elements": "str", "default": []},
    },
)


@dataclass(frozen=True)
class AccessInfoOptions:
    """What one zone is asked: for rights, cluster roles to grant, and as which service account, if any."""

    target: Target
    namespace: str
    rights: tuple[Right, ...] = ()
    roles: tuple[str, ...] = ()
    service_account: str = ""

    @property
    def created(self) -> Counter[str]:
        """How many objects of each resource are to be created."""
        return Counter(right.resource for right in self.rights if right.verb == "create" and not right.subresource)


def parse_options(options: Mapping[str, Any]) -> list[AccessInfoOptions]:
    """Return what each zone that the options name is asked; raises InvalidOptionError before any request."""
    rights = tuple(_right(given) for given in options["rights"])
    found = []
    for target in targets_from(options):
        if not target.namespace:
            raise InvalidOptionError("nothing names the namespace", zone=target.zone.name, hint="Give namespace")
        roles = tuple(dict.fromkeys(options["roles"]))
        # Who asks is whoever has the credential; the service account is who is asked about.
        who = {name: value for name, value in target.who.items() if name != "service_account"}
        account = str(target.who.get("service_account") or "").strip()
        found.append(AccessInfoOptions(target._replace(who=who), str(target.namespace), rights, roles, account))
    return found


def _right(given: Mapping[str, Any]) -> Right:
    resource, _slash, subresource = str(given["resource"]).partition("/")
    return Right(str(given["verb"]), resource, str(given.get("group") or ""), subresource)


@dataclass(frozen=True)
class AccessAnswer:
    """What one zone answered, as the module's result has it; nothing changes by asking."""

    answer: Mapping[str, Any]
    changed: bool = False
    secrets: Sequence[str] = ()

    def result(self, _handed_on: bool = True) -> dict[str, Any]:
        """Return what the zone answered."""
        return dict(self.answer)

    def diffs(self, _zone: str) -> list[dict[str, str]]:
        """Return nothing."""
        return []


class AccessAnswers(ZonePlans[AccessAnswer]):
    """What all zones answered."""

    def predict(self) -> dict[str, Any]:
        """Return the module's result; raises AppuioError where a zone could not be asked."""
        result = super().predict()
        if self.several:
            result["sufficient"] = all(zone["sufficient"] for zone in result["zones"])
        return result


class AccessInfoTask(ZonesTask[AccessAnswer]):
    """The zones of one run of the module."""

    def plan(self) -> AccessAnswers:
        """Return what the zones say."""
        return AccessAnswers(super().plan().outcomes, self.several)

    def apply(self, plans: ZonePlans[AccessAnswer]) -> dict[str, Any]:
        """Return the module's result; raises AppuioError where a zone could not be asked."""
        return plans.predict()


def access_info_task(options: Mapping[str, Any], context: RunContext) -> AccessInfoTask:
    """Return the task of the module's options; asks no server. Raises InvalidOptionError."""
    zones = parse_options(options)
    asked = {one.target.zone.name: one for one in zones}
    sessions = ZoneSessions([one.target for one in zones], context)

    def work(session: ZoneSession) -> AccessInfoWork:
        return AccessInfoWork(session, asked[session.name], context.register_secret)

    return AccessInfoTask(sessions, work, context, several=options.get("zones") is not None)


@dataclass(frozen=True)
class AccessInfoWork:
    """One zone that is asked."""

    session: ZoneSession
    asked: AccessInfoOptions
    register_secret: Callable[[str], None]

    def plan(self) -> AccessAnswer:
        """Return what the zone says; raises AppuioError."""
        asked = self.asked
        api = self.session.api()
        if asked.service_account:
            token = account_token(api, asked.namespace, asked.service_account, SECONDS).token
            self.register_secret(token)
            api = self.session.api_as(token)
        return AccessAnswer({"namespace": asked.namespace, **_answers(asked, api)})

    def apply(self, plan: AccessAnswer) -> AccessAnswer:
        """Return the answer."""
        return plan


def _answers(asked: AccessInfoOptions, api: Api) -> dict[str, Any]:
    namespace = asked.namespace
    missing = [str(right) for right in missing_rights(api, namespace, asked.rights)]
    problems = [f"the right to {right} in the namespace {namespace} is missing" for right in missing]
    refused = {} if missing else refused_roles(api, [_trial(namespace, role) for role in asked.roles])
    problems += [f"{role} may not be granted: {words}" for role, words in refused.items()]
    found = allowances(api, namespace)
    problems += lacking(found or [], asked.created)
    # As of one that exists, the API only says no.
    looks = f". Does the namespace {namespace} exist? The API says the same of one that does not" if missing else ""
    return {
        "missing": missing,
        "refused": refused,
        "quota": [{**asdict(one), "left": one.left} for one in found or []],
        "quota_known": found is not None,
        "problems": problems,
        "sufficient": not problems,
        "msg": ("; ".join(problems) + looks) or f"Nothing is missing in the namespace {namespace}",
    }


def _trial(namespace: str, role: str) -> objects.Definition:
    return objects.role_binding(namespace, TRIAL, role, [objects.account_subject(namespace, TRIAL)])
