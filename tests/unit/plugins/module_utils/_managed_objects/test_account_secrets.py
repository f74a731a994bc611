# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets with tokens over a scripted API: made, waited for with a deadline, vanished, in somebody else's hands."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, ForbiddenError, NotFoundError
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Clock
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects import objects
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.account_secrets import (
    AccountSecrets,
    SecretVanishedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.steps import Steps
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.tokens import SecretOptions

from tests.unit.plugins.module_utils.scripted_api import Line, ScriptedApi, answer, refusal

SECRETS = "/api/v1/namespaces/shop/secrets"
ACCOUNT = "GET /api/v1/namespaces/shop/serviceaccounts/pusher"
EMPTY = objects.token_secret("shop", "token", "pusher")
FILLED = {**EMPTY, "data": {"token": base64.b64encode(b"the-token").decode()}}


class Time:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds


def secrets(*lines: Line, first: str = "token") -> tuple[AccountSecrets, ScriptedApi, Time]:
    http, time = ScriptedApi(*lines), Time()
    clock = Clock(time.now, time.sleep, lambda: 0.5)
    return AccountSecrets(http.api, SecretOptions("shop", "pusher", first), clock), http, time


def test_a_token_that_comes_after_a_while() -> None:
    there = (f"GET {SECRETS}/token", answer(200, EMPTY))
    made, _http, time = secrets(there, there, (f"GET {SECRETS}/token", answer(200, FILLED)))
    assert made.wait("token", 60) == "the-token"
    assert time.passed == pytest.approx(0.3)


def test_a_token_that_does_not_come_has_a_deadline() -> None:
    made, http, time = secrets(*[(f"GET {SECRETS}/token", answer(200, EMPTY))] * 20)
    with pytest.raises(
        AppuioError,
        match=r"wait for the token in the Secret token: the Secret token has no token after 5 seconds.*longer",
    ):
        made.wait("token", 5)
    assert time.passed == pytest.approx(5)
    assert len(http.lines) > 10, "asks less and less often"


def test_a_secret_that_vanishes_says_that_the_service_account_is_missing() -> None:
    gone = refusal(404, 'secrets "token" not found')
    made, _http, _time = secrets((f"GET {SECRETS}/token", gone), (ACCOUNT, refusal(404, "not found")))
    with pytest.raises(
        SecretVanishedError,
        match=r"no service account pusher in the namespace shop.*appuio_registry_account creates one",
    ):
        made.wait("token", 60)
    made, _http, _time = secrets(
        (f"GET {SECRETS}/token", gone), (ACCOUNT, answer(200, {"metadata": {"name": "pusher"}}))
    )
    with pytest.raises(
        NotFoundError, match=r"vanished.*somebody has deleted pusher, and made it again.*Run this again"
    ):
        made.wait("token", 60)


def test_a_service_account_that_may_not_be_read_is_not_known() -> None:
    made, _http, _time = secrets((ACCOUNT, refusal(403, "forbidden")))
    assert made.service_account() is None


def test_the_first_secret_is_found_whatever_its_type() -> None:
    opaque = {"type": "Opaque", "metadata": {"name": "token"}}
    listed = (f"GET {SECRETS}?fieldSelector=", answer(200, {"items": [objects.token_secret("shop", "x", "other")]}))
    made, _http, _time = secrets(listed, (f"GET {SECRETS}/token", answer(200, opaque)))
    assert [one["metadata"]["name"] for one in made.read()] == ["x", "token"]
    made, _http, _time = secrets(listed, first="x")
    assert len(made.read()) == 1
    made, _http, _time = secrets((f"GET {SECRETS}?", refusal(403, "cannot list")))
    with pytest.raises(ForbiddenError, match=r"cannot list.*admin or editor of the namespace"):
        made.read()


def created(made: AccountSecrets) -> str:
    plan = Steps()
    plan.create(EMPTY, "it holds the token")
    return made.apply(plan, "token", [], lambda _text: None, None)[0]


def test_what_an_earlier_attempt_has_created_is_as_good() -> None:
    taken = (f"POST {SECRETS}", refusal(409, "already exists"))
    there = (f"GET {SECRETS}/token", answer(200, FILLED))
    made, _http, _time = secrets(taken, there, there)
    assert created(made) == "token"
    other: dict[str, Any] = {**EMPTY, "type": "Opaque"}
    made, _http, _time = secrets(taken, (f"GET {SECRETS}/token", answer(200, other)))
    with pytest.raises(AppuioError, match=r"is no token of the service account pusher.*another secret_name"):
        created(made)
    made, _http, _time = secrets((f"POST {SECRETS}", refusal(422, "invalid")))
    with pytest.raises(AppuioError, match=r"invalid"):
        created(made)


def test_a_secret_of_the_account_that_somebody_else_has_made_is_passed_over() -> None:
    foreign = objects.token_secret("shop", "token", "pusher")
    foreign["metadata"]["labels"] = {}
    made, http, _time = secrets(
        (f"POST {SECRETS}", refusal(409, "already exists")),
        (f"GET {SECRETS}/token", answer(200, foreign)),
        (f"POST {SECRETS}", answer(201, {})),
        (f"GET {SECRETS}/token-2", answer(200, {**FILLED, "metadata": {"name": "token-2"}})),
    )
    assert created(made) == "token-2"
    assert http.document(2)["metadata"]["name"] == "token-2"


def test_a_change_is_merged_and_a_deletion_may_come_late() -> None:
    made, http, _time = secrets(
        (f"PATCH {SECRETS}/token", answer(200, {})), (f"DELETE {SECRETS}/token", refusal(404, "gone"))
    )
    plan = Steps()
    live = {**EMPTY, "metadata": {**EMPTY["metadata"], "uid": "u1"}}
    change = {"kind": "Secret", "metadata": {"name": "token", "annotations": {"a": "b"}}}
    plan.change(live, change, "retire", "it is old")
    plan.delete(live, EMPTY, "it is old", late=True)
    made.apply(plan, "", [], lambda _text: None, None)
    assert http.headers[0]["Content-Type"] == "application/merge-patch+json"
    assert http.document(0) == change
    assert http.document(1)["preconditions"] == {"uid": "u1"}, "not another Secret of the same name"


def test_an_error_after_a_change_tells_that_something_was_changed() -> None:
    made, _http, _time = secrets(
        (f"PATCH {SECRETS}/token", answer(200, {})), (f"DELETE {SECRETS}/token", refusal(500, "x"))
    )
    plan = Steps()
    plan.change(EMPTY, EMPTY, "label", "other labels")
    plan.delete(EMPTY, EMPTY, "it is old")
    with pytest.raises(AppuioError) as caught:
        made.apply(plan, "", [], lambda _text: None, None)
    assert caught.value.result == {"changed": True}


def test_odd_objects_are_read_as_if_their_odd_parts_were_not_there() -> None:
    odd: list[Any] = [{}, {"metadata": None}, {"metadata": {"name": 5}}, {"metadata": {"name": "a", "labels": [1]}}]
    made, _http, _time = secrets((f"GET {SECRETS}?", answer(200, {"items": odd})), first="a")
    assert [one["metadata"]["labels"] for one in made.read()] == [{}]


def of_account(uid: str) -> dict[str, Any]:
    annotations = {**FILLED["metadata"]["annotations"], objects.SECRET_ACCOUNT_UID: uid}
    return {**FILLED, "metadata": {**FILLED["metadata"], "annotations": annotations}}


ANEW = (ACCOUNT, answer(200, {"metadata": {"name": "pusher", "uid": "u2"}}))


def test_a_token_that_comes_for_an_account_that_was_made_anew_is_not_handed_on() -> None:
    made, _http, _time = secrets((f"GET {SECRETS}/token", answer(200, of_account("u1"))), ANEW, ANEW)
    with pytest.raises(SecretVanishedError, match=r"deleted pusher, and made it again.*Run this again"):
        made.wait("token", 60)
    made, _http, _time = secrets((f"GET {SECRETS}/token", answer(200, of_account("u2"))), ANEW)
    assert made.wait("token", 60) == "the-token"


def test_the_name_of_a_dead_token_is_passed_over() -> None:
    made, http, _time = secrets(
        (f"POST {SECRETS}", refusal(409, "already exists")),
        (f"GET {SECRETS}/token", answer(200, of_account("u1"))),
        ANEW,
        (f"POST {SECRETS}", answer(201, {})),
        (f"GET {SECRETS}/token-2", answer(200, {**FILLED, "metadata": {"name": "token-2"}})),
    )
    assert created(made) == "token-2"
    assert http.lines == []
