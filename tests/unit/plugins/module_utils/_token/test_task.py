# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task over a scripted API: in which order it changes things, and what stops it before it has changed any."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Clock
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects import objects
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext, Target
from ansible_collections.appuio.registry.plugins.module_utils._token.options import TokenOptions
from ansible_collections.appuio.registry.plugins.module_utils._token.task import TokenWork
from ansible_collections.appuio.registry.plugins.module_utils._zone import Zone
from ansible_collections.appuio.registry.plugins.module_utils._zones.zone_plans import ZonesTask

from tests.unit.plugins.module_utils.scripted_api import Line, ScriptedApi, answer, refusal
from tests.unit.plugins.module_utils.stub_session import StubSessions

NOW = 1_795_000_000.0
WANTED = TokenOptions(Target(Zone("lpg-2", None, "https://api"), "shop", {}), "shop", "pusher", "token")
BASE = "/api/v1/namespaces/shop"
ACCOUNT = (f"GET {BASE}/serviceaccounts/pusher", answer(200, {"metadata": {"name": "pusher", "uid": "u1"}}))
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

    def __init__(self, wanted: TokenOptions, *lines: Line) -> None:
        self.http = ScriptedApi(*lines)
        self.warned: list[str] = []
        self.handed_on: list[str] = []
        clock = Clock(lambda: NOW, lambda _seconds: None, lambda: 0.5)
        context = RunContext({}, warn=self.warned.append, return_secret=self.handed_on.append)
        sessions: Any = StubSessions({"lpg-2": self.http})
        self.task = ZonesTask(sessions, lambda session: TokenWork(session, wanted, self.warned.append, clock), context)

    def run(self) -> dict[str, Any]:
        result = self.task.apply(self.task.plan())
        assert self.http.lines == [], "everything in the script was asked"
        return result


def test_the_new_token_is_there_before_the_old_one_is_marked() -> None:
    stage = Stage(
        replace(WANTED, state="rotated"),
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


def test_nothing_is_changed_where_a_right_is_missing() -> None:
    first = (f"GET {BASE}/secrets/token", MISSING)
    stage = Stage(WANTED, ACCOUNT, listed(), first, allowed(False), (QUOTA, answer(200, {"items": []})))
    with pytest.raises(AppuioError) as caught:
        stage.task.apply(stage.task.plan())
    assert str(caught.value).startswith(
        "zone lpg-2: check the rights and the quota: the right to create secrets in the namespace shop is missing. "
        "Nothing was"
    )
    bound = Stage(replace(WANTED, kind="bound"), ACCOUNT, allowed(False))
    with pytest.raises(AppuioError, match=r"the right to create serviceaccounts/token in the namespace shop"):
        bound.run()


def test_nothing_is_changed_where_the_quota_is_used_up() -> None:
    full = {"metadata": {"name": "objects"}, "status": {"hard": {"secrets": "150"}, "used": {"secrets": "150"}}}
    first = (f"GET {BASE}/secrets/token", MISSING)
    stage = Stage(WANTED, ACCOUNT, listed(), first, allowed(), (QUOTA, answer(200, {"items": [full]})))
    with pytest.raises(AppuioError, match=r"the quota objects leaves 0 of 150 secrets, and 1 are needed"):
        stage.run()


def test_a_service_account_that_is_not_there() -> None:
    for kind in ("secret", "bound"):
        stage = Stage(replace(WANTED, kind=kind), (ACCOUNT[0], MISSING))
        with pytest.raises(
            AppuioError, match=r"no service account pusher in the namespace shop.*appuio_registry_account creates one"
        ):
            stage.run()


def test_a_dead_token_is_neither_handed_on_nor_retired() -> None:
    dead = secret("token", "dead")
    dead["metadata"]["annotations"][objects.SECRET_ACCOUNT_UID] = "u0"
    stage = Stage(
        WANTED,
        ACCOUNT,
        listed(dead),
        ACCOUNT,
        allowed(),
        (QUOTA, answer(200, {"items": []})),
        (f"POST {BASE}/secrets", answer(201, {})),
        (f"GET {BASE}/secrets/token-2", answer(200, secret("token-2", "new"))),
    )
    result = stage.run()
    assert (result["token"], result["secret_name"], result["retired"]) == ("new", "token-2", [])
    dead["metadata"]["annotations"][objects.SECRET_ACCOUNT_UID] = "u1"
    assert Stage(WANTED, ACCOUNT, listed(dead)).run()["token"] == "dead"


def test_a_secret_of_something_else_is_refused() -> None:
    opaque = answer(200, {"type": "Opaque", "metadata": {"name": "token"}})
    stage = Stage(WANTED, ACCOUNT, listed(), (f"GET {BASE}/secrets/token", opaque))
    with pytest.raises(AppuioError, match=r"is no token of the service account pusher. Choose another secret_name"):
        stage.run()


@pytest.mark.parametrize(("seconds", "warned"), [(86400, False), (86350, False), (3600, True)])
def test_the_cap_of_the_cluster_is_reported(seconds: int, warned: bool) -> None:
    given = answer(201, {"status": {"token": jwt(NOW + seconds)}})
    stage = Stage(replace(WANTED, kind="bound"), ACCOUNT, allowed(), (REQUEST, given))
    result = stage.run()
    assert result["token"] == jwt(NOW + seconds)
    assert bool(stage.warned) == warned
    if warned:
        assert "that of shop/pusher ends after 3600 seconds instead of 86400" in stage.warned[0]
        assert result["expires_at"] == "2026-11-18T12:06:40Z"


def test_without_waiting_the_token_may_be_missing() -> None:
    stage = Stage(
        replace(WANTED, wait=False),
        ACCOUNT,
        listed(secret("token")),
        (f"GET {BASE}/secrets/token", answer(200, secret("token"))),
    )
    result = stage.run()
    assert (result["token"], result["changed"]) == (None, False)
    assert stage.handed_on == []


def test_the_plan_of_a_token_that_would_have_to_be_requested_requests_none() -> None:
    stage = Stage(replace(WANTED, kind="bound"), ACCOUNT, allowed())
    foreseen = stage.task.plan().predict()
    assert (foreseen["changed"], foreseen["token"]) == (True, None)
    assert "a new bound token: none is at hand" in foreseen["msg"]


def test_a_secret_of_another_account_is_never_merged_into() -> None:
    """It came between the plan and its execution: the next number is taken, and theirs stays as it is."""
    others = objects.token_secret("shop", "token-2", "other")
    stage = Stage(
        replace(WANTED, state="rotated"),
        ACCOUNT,
        listed(secret("token", "old")),
        allowed(),
        allowed(),
        (QUOTA, answer(200, {"items": []})),
        (f"POST {BASE}/secrets", refusal(409, "already exists")),
        (f"GET {BASE}/secrets/token-2", answer(200, others)),
        (f"POST {BASE}/secrets", answer(201, secret("token-3"))),
        (f"GET {BASE}/secrets/token-3", answer(200, secret("token-3", "new"))),
        (f"PATCH {BASE}/secrets/token", answer(200, {})),
    )
    result = stage.run()
    assert (result["token"], result["secret_name"]) == ("new", "token-3")


def test_what_an_earlier_attempt_of_the_same_request_has_created_is_as_good() -> None:
    stage = Stage(
        WANTED,
        ACCOUNT,
        listed(),
        (f"GET {BASE}/secrets/token", MISSING),
        allowed(),
        (QUOTA, answer(200, {"items": []})),
        (f"POST {BASE}/secrets", refusal(409, "already exists")),
        (f"GET {BASE}/secrets/token", answer(200, secret("token"))),
        (f"GET {BASE}/secrets/token", answer(200, secret("token", "new"))),
    )
    assert stage.run()["token"] == "new"
