# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What appuio_access_info asks, of several zones, as somebody and as a service account, and what it tells."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._access.info import (
    SPEC,
    AccessInfoTask,
    AccessInfoWork,
    parse_options,
)
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    InvalidOptionError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext

from tests.unit.plugins.module_utils.scripted_api import Line, ScriptedApi, answer, refusal
from tests.unit.plugins.module_utils.stub_session import StubSessions

DEFAULTS = {name: option.get("default") for name, option in SPEC.options.items()}
WHO = {"token": "mine", "namespace": "shop"}
QUOTAS = "GET /api/v1/namespaces/shop/resourcequotas"
BINDINGS = "POST /apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings?dryRun=All"
NONE = (QUOTAS, answer(200, {"items": []}))


def allowed(yes: bool) -> Line:
    return ("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", answer(201, {"status": {"allowed": yes}}))


class Zones:
    """Zones that answer from a script, or cannot be asked where they are called down."""

    def __init__(self, *lines: Line) -> None:
        self.script = ScriptedApi(*lines)
        self.asked_as: list[str] = []

    def ask(self, **options: Any) -> dict[str, Any]:
        where = {} if "zones" in options else {"zone": "lpg-2"}
        asked = {one.target.zone.name: one for one in parse_options({**DEFAULTS, **WHO, **where, **options})}
        down = UnauthorizedError("it is wrong")
        sessions: Any = StubSessions({name: down if "down" in name else self.script for name in asked})

        def work(session: Any) -> AccessInfoWork:
            return AccessInfoWork(session, asked[session.name], lambda _value: None)

        task = AccessInfoTask(sessions, work, RunContext({}), several="zones" in options)
        plan = task.plan()
        assert (plan.changed, plan.diff()) == (False, None)
        result = task.apply(plan)
        self.asked_as = [token for session in sessions.sessions for token in session.asked_as]
        return result


def test_everything_that_is_missing_is_told_at_once() -> None:
    full = {"metadata": {"name": "q"}, "status": {"hard": {"secrets": "3"}, "used": {"secrets": "2"}}}
    secrets = {"verb": "create", "resource": "secrets", "group": ""}
    token = {"verb": "create", "resource": "serviceaccounts/token"}
    access = Zones(allowed(True), allowed(False), (QUOTAS, answer(200, {"items": [full]})))
    told = access.ask(rights=[secrets, secrets, token], roles=["view"])
    assert told["problems"] == [
        "the right to create serviceaccounts/token in the namespace shop is missing",
        "the quota q leaves 1 of 3 secrets, and 2 are needed",
    ]
    assert (told["sufficient"], told["missing"]) == (False, ["create serviceaccounts/token"])
    assert told["msg"].endswith("Does the namespace shop exist? The API says the same of one that does not")
    assert told["quota"] == [{"quota": "q", "resource": "secrets", "hard": 3, "used": 2, "left": 1}]
    assert access.script.lines == [], "a role is not asked for while a right is missing"


def test_a_role_that_may_not_be_granted() -> None:
    lines = [(BINDINGS, answer(201, {})), (BINDINGS, refusal(403, "not currently held: secrets")), NONE]
    told = Zones(*lines).ask(roles=["view", "admin", "view"])
    assert told["refused"] == {"admin": "not currently held: secrets"}
    assert told["msg"] == "admin may not be granted: not currently held: secrets"


def test_nothing_is_missing() -> None:
    told = Zones((QUOTAS, refusal(403, "forbidden"))).ask()
    assert (told["sufficient"], told["quota_known"], told["problems"]) == (True, False, [])


def test_as_a_service_account() -> None:
    secret = {
        "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "t", "annotations": {"kubernetes.io/service-account.name": "pusher"}},
        "data": {"token": base64.b64encode(b"its-own").decode()},
    }
    access = Zones(("GET /api/v1/namespaces/shop/secrets?", answer(200, {"items": [secret]})), NONE)
    access.ask(service_account="pusher")
    assert access.asked_as == ["its-own"]


def test_a_zone_that_cannot_be_asked_does_not_hide_the_others() -> None:
    with pytest.raises(AppuioError) as caught:
        Zones(NONE).ask(zones=["down-1", "lpg-2"])
    assert str(caught.value) == "zone down-1: it is wrong"
    assert [zone.get("sufficient", zone.get("error")) for zone in caught.value.result["zones"]] == [
        "zone down-1: it is wrong",
        True,
    ]
    assert Zones(NONE, NONE).ask(zones=["a-1", "b-1"])["sufficient"]


def test_a_namespace_is_needed() -> None:
    with pytest.raises(InvalidOptionError, match="nothing names the namespace"):
        parse_options({**DEFAULTS, **WHO, "zone": "lpg-2", "namespace": None})
