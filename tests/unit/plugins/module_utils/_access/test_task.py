# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What appuio_access_info asks, of several zones, as somebody and as a service account, and what it tells."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._access import task as access_task
from ansible_collections.appuio.registry.plugins.module_utils._access.options import SPEC, questions_from
from ansible_collections.appuio.registry.plugins.module_utils._access.task import AccessTask
from ansible_collections.appuio.registry.plugins.module_utils._credentials.api_access import ApiAccess
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    InvalidOptionError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._openshift.client import Api

from tests.unit.plugins.module_utils.scripted_api import Line, ScriptedApi, answer, refusal

DEFAULTS = {name: option.get("default") for name, option in SPEC.options.items()}
WHO = {"token": "mine", "namespace": "shop"}
QUOTAS = "GET /api/v1/namespaces/shop/resourcequotas"
BINDINGS = "POST /apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings?dryRun=All"
NONE = (QUOTAS, answer(200, {"items": []}))


def allowed(yes: bool) -> Line:
    return ("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", answer(201, {"status": {"allowed": yes}}))


class Scripted(ApiAccess):
    """An access whose API has its lines; ``asked_as`` are the tokens it was asked with."""

    def __init__(self, *lines: Line) -> None:
        super().__init__("https://api", "mine")
        self.http = ScriptedApi(*lines)
        self.asked_as: list[str] = []

    def api(self, token: str | None = None) -> Api:
        self.asked_as.append(token or self.token)
        return self.http.api


def ask(monkeypatch: pytest.MonkeyPatch, access: Scripted | AppuioError, **options: Any) -> dict[str, Any]:
    def zone_access(target: Any, *_rest: Any) -> ApiAccess:
        if isinstance(access, AppuioError) or target.zone.name == "down-1":
            raise access if isinstance(access, AppuioError) else UnauthorizedError("it is wrong")
        return access

    monkeypatch.setattr(access_task, "zone_access", zone_access)
    where = {} if "zones" in options else {"zone": "lpg-2"}
    given = {**DEFAULTS, **WHO, **where, **options}
    task = AccessTask(questions_from(given, {}), {}, lambda _value: None, "zones" in options)
    plan = task.plan()
    assert (plan.changed, plan.diff()) == (False, None)
    return task.apply(plan)


def test_everything_that_is_missing_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    full = {"metadata": {"name": "q"}, "status": {"hard": {"secrets": "3"}, "used": {"secrets": "2"}}}
    secrets = {"verb": "create", "resource": "secrets", "group": ""}
    token = {"verb": "create", "resource": "serviceaccounts/token"}
    access = Scripted(allowed(True), allowed(False), (QUOTAS, answer(200, {"items": [full]})))
    told = ask(monkeypatch, access, rights=[secrets, secrets, token], roles=["view"])
    assert told["problems"] == [
        "the right to create serviceaccounts/token in the namespace shop is missing",
        "the quota q leaves 1 of 3 secrets, and 2 are needed",
    ]
    assert (told["sufficient"], told["missing"]) == (False, ["create serviceaccounts/token"])
    assert told["quota"] == [{"quota": "q", "resource": "secrets", "hard": 3, "used": 2, "left": 1}]
    assert access.http.lines == [], "a role is not asked for while a right is missing"


def test_a_role_that_may_not_be_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [(BINDINGS, answer(201, {})), (BINDINGS, refusal(403, "not currently held: secrets")), NONE]
    told = ask(monkeypatch, Scripted(*lines), roles=["view", "admin", "view"])
    assert told["refused"] == {"admin": "not currently held: secrets"}
    assert told["msg"] == "admin may not be granted: not currently held: secrets"


def test_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    told = ask(monkeypatch, Scripted((QUOTAS, refusal(403, "forbidden"))))
    assert (told["sufficient"], told["quota_known"], told["problems"]) == (True, False, [])


def test_as_a_service_account(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = {
        "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "t", "annotations": {"kubernetes.io/service-account.name": "pusher"}},
        "data": {"token": base64.b64encode(b"its-own").decode()},
    }
    access = Scripted(("GET /api/v1/namespaces/shop/secrets?", answer(200, {"items": [secret]})), NONE)
    ask(monkeypatch, access, service_account="pusher")
    assert access.asked_as == ["mine", "its-own"]


def test_a_zone_that_cannot_be_asked_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AppuioError) as caught:
        ask(monkeypatch, Scripted(NONE), zones=["down-1", "lpg-2"])
    assert str(caught.value) == "zone down-1: it is wrong"
    assert [zone.get("sufficient", zone.get("error")) for zone in caught.value.result["zones"]] == [
        "zone down-1: it is wrong",
        True,
    ]
    assert ask(monkeypatch, Scripted(NONE, NONE), zones=["a-1", "b-1"])["sufficient"]


def test_a_namespace_is_needed() -> None:
    with pytest.raises(InvalidOptionError, match="nothing names the namespace"):
        questions_from({**DEFAULTS, **WHO, "zone": "lpg-2", "namespace": None}, {})
