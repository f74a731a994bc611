# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task over a scripted API: in which order it changes things, and what stops it before it has changed any."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credentials.api_access import ApiAccess
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, ForbiddenError, NotFoundError
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Clock
from ansible_collections.appuio.registry.plugins.module_utils._openshift import objects
from ansible_collections.appuio.registry.plugins.module_utils._targets import Target
from ansible_collections.appuio.registry.plugins.module_utils._token import task as token_task
from ansible_collections.appuio.registry.plugins.module_utils._token.options import Wish
from ansible_collections.appuio.registry.plugins.module_utils._token.task import TokenTask
from ansible_collections.appuio.registry.plugins.module_utils._zone import Zone

from tests.unit.plugins.module_utils.scripted_api import Line, ScriptedApi, answer, refusal

NOW = 1_795_000_000.0
WISH = Wish(Target(Zone("lpg-2", None, "https://api"), "shop", {}), "shop", "pusher", "token")
BASE = "/api/v1/namespaces/shop"
ACCOUNT = (f"GET {BASE}/serviceaccounts/pusher", answer(200, {"metadata": {"uid": "u1"}}))
MISSING = refusal(404, "not found")
QUOTA = f"GET {BASE}/resourcequotas"
REQUEST = f"POST {BASE}/serviceaccounts/pusher/token"


def allowed(yes: bool = True) -> Line:
    return ("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", answer(201, {"status": {"allowed": yes}}))


def secret(name: str, token: str = "") -> dict[str, Any]:
    made = objects.token_secret("shop", name, "pusher")
    return {**made, "data": {"token": base64.b64encode(token.encode()).decode()}} if token else made


def listed(*items: dict[str, Any]) -> Line:
    return (f"GET {BASE}/secrets?fieldSelector", answer(200, {"items": list(items)}))


def jwt(ends: float) -> str:
    held = json.dumps({"sub": "system:serviceaccount:shop:pusher", "iat": NOW, "exp": ends})
    return f"e30.{base64.urlsafe_b64encode(held.encode()).rstrip(b'=').decode()}.sig"


class Stage:
    """A task on a scripted API, and what it told its surroundings."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, wish: Wish, *lines: Line) -> None:
        self.http = ScriptedApi(*lines)
        self.warned: list[str] = []
        self.handed_on: list[str] = []
        access = ApiAccess("https://api", "mine")
        monkeypatch.setattr(access, "api", lambda: self.http.api)
        monkeypatch.setattr(token_task, "zone_access", lambda *_given: access)
        clock = Clock(lambda: NOW, lambda _seconds: None, lambda: 0.5)
        self.task = TokenTask([wish], {}, lambda _value: None, self.warned.append, self.handed_on.append, clock=clock)

    def run(self) -> dict[str, Any]:
        result = self.task.apply(self.task.plan())
        assert self.http.lines == [], "everything in the script was asked"
        return result


def test_the_new_token_is_there_before_the_old_one_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(
        monkeypatch,
        replace(WISH, state="rotated"),
        ACCOUNT,
        listed(secret("token", "old")),
        allowed(),
        allowed(),
        (QUOTA, answer(200, {"items": []})),
        (f"POST {BASE}/secrets", answer(201, secret("token-2"))),
        (f"GET {BASE}/secrets/token-2", answer(200, secret("token-2", "new"))),
        (f"PATCH {BASE}/secrets/token", answer(200, {})),
    )
    result = stage.run()
    assert (result["token"], result["secret_name"]) == ("new", "token-2")
    assert stage.handed_on == ["new"]


def test_nothing_is_changed_where_a_right_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    first = (f"GET {BASE}/secrets/token", MISSING)
    stage = Stage(monkeypatch, WISH, ACCOUNT, listed(), first, allowed(False))
    with pytest.raises(ForbiddenError) as caught:
        stage.task.apply(stage.task.plan())
    assert str(caught.value).startswith(
        "zone lpg-2: check the rights: the right to create secrets in the namespace shop is missing. Nothing was"
    )
    bound = Stage(monkeypatch, replace(WISH, kind="bound"), ACCOUNT, allowed(False))
    with pytest.raises(ForbiddenError, match=r"the right to create serviceaccounts/token in the namespace shop"):
        bound.run()


def test_nothing_is_changed_where_the_quota_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    full = {"metadata": {"name": "objects"}, "status": {"hard": {"secrets": "150"}, "used": {"secrets": "150"}}}
    first = (f"GET {BASE}/secrets/token", MISSING)
    stage = Stage(monkeypatch, WISH, ACCOUNT, listed(), first, allowed(), (QUOTA, answer(200, {"items": [full]})))
    with pytest.raises(AppuioError, match=r"the quota objects leaves 0 of 150 secrets, and 1 are needed"):
        stage.run()


def test_a_service_account_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("secret", "bound"):
        stage = Stage(monkeypatch, replace(WISH, kind=kind), (ACCOUNT[0], MISSING))
        with pytest.raises(
            NotFoundError, match=r"no service account pusher in the namespace shop.*image_pusher makes one"
        ):
            stage.run()


def test_a_secret_of_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    opaque = answer(200, {"type": "Opaque", "metadata": {"name": "token"}})
    stage = Stage(monkeypatch, WISH, ACCOUNT, listed(), (f"GET {BASE}/secrets/token", opaque))
    with pytest.raises(AppuioError, match=r"is no token of the service account pusher. Choose another secret_name"):
        stage.run()


@pytest.mark.parametrize(("seconds", "warned"), [(86400, False), (86350, False), (3600, True)])
def test_the_cap_of_the_cluster_is_reported(monkeypatch: pytest.MonkeyPatch, seconds: int, warned: bool) -> None:
    given = answer(201, {"status": {"token": jwt(NOW + seconds)}})
    stage = Stage(monkeypatch, replace(WISH, kind="bound"), ACCOUNT, allowed(), (REQUEST, given))
    result = stage.run()
    assert result["token"] == jwt(NOW + seconds)
    assert bool(stage.warned) == warned
    if warned:
        assert "this one ends after 3600 seconds instead of 86400" in stage.warned[0]
        assert result["expires_at"] == "2026-11-18T12:06:40Z"


def test_without_waiting_the_token_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(
        monkeypatch,
        replace(WISH, wait=False),
        ACCOUNT,
        listed(secret("token")),
        (f"GET {BASE}/secrets/token", answer(200, secret("token"))),
    )
    result = stage.run()
    assert (result["token"], result["changed"]) == (None, False)
    assert stage.handed_on == []


def test_the_plan_of_a_token_that_would_have_to_be_requested_requests_none(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch, replace(WISH, kind="bound"), ACCOUNT, allowed())
    foreseen = stage.task.plan().predict()
    assert (foreseen["changed"], foreseen["token"]) == (True, None)
    assert "a new bound token: none is at hand" in foreseen["msg"]
