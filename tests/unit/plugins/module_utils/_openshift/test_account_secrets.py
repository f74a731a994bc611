# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets with tokens over a scripted API: made, waited for with a deadline, vanished, in somebody else's hands."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, ForbiddenError, NotFoundError
from ansible_collections.appuio.registry.plugins.module_utils._openshift import objects
from ansible_collections.appuio.registry.plugins.module_utils._openshift.account_secrets import AccountSecrets

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


def secrets(*lines: Line) -> tuple[AccountSecrets, ScriptedApi, Time]:
    http, time = ScriptedApi(*lines), Time()
    return AccountSecrets(http.api, "shop", "pusher", time.now, time.sleep), http, time


def test_a_token_that_comes_after_a_while() -> None:
    there = (f"GET {SECRETS}/token", answer(200, EMPTY))
    made, _http, time = secrets(there, there, (f"GET {SECRETS}/token", answer(200, FILLED)))
    assert made.wait("token", 60) == "the-token"
    assert time.passed == pytest.approx(0.3)


def test_a_token_that_does_not_come_has_a_deadline() -> None:
    made, http, time = secrets(*[(f"GET {SECRETS}/token", answer(200, EMPTY))] * 20)
    with pytest.raises(
        AppuioError, match=r"wait for the token in the Secret token: there is none after 5 seconds.*longer"
    ):
        made.wait("token", 5)
    assert time.passed == pytest.approx(5)
    assert len(http.lines) > 10, "asks less and less often"


def test_a_secret_that_vanishes_says_that_the_service_account_is_missing() -> None:
    gone = refusal(404, 'secrets "token" not found')
    made, _http, _time = secrets((f"GET {SECRETS}/token", gone), (ACCOUNT, refusal(404, "not found")))
    with pytest.raises(NotFoundError, match=r"no service account pusher in the namespace shop.*image_pusher makes one"):
        made.wait("token", 60)
    made, _http, _time = secrets((f"GET {SECRETS}/token", gone), (ACCOUNT, answer(200, {})))
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
    assert [one["metadata"]["name"] for one in made.read("token")] == ["x", "token"]
    made, _http, _time = secrets(listed)
    assert len(made.read("x")) == 1
    made, _http, _time = secrets((f"GET {SECRETS}?", refusal(403, "cannot list")))
    with pytest.raises(ForbiddenError, match=r"cannot list.*admin or editor of the namespace"):
        made.read("token")


def test_what_an_earlier_attempt_has_made_is_as_good() -> None:
    taken = (f"POST {SECRETS}", refusal(409, "already exists"))
    made, _http, _time = secrets(taken, (f"GET {SECRETS}/token", answer(200, FILLED)))
    made.make(EMPTY)
    other: dict[str, Any] = {**EMPTY, "type": "Opaque"}
    made, _http, _time = secrets(taken, (f"GET {SECRETS}/token", answer(200, other)))
    with pytest.raises(AppuioError, match=r"is no token of the service account pusher.*another secret_name"):
        made.make(EMPTY)
    made, _http, _time = secrets((f"POST {SECRETS}", refusal(422, "invalid")))
    with pytest.raises(AppuioError, match=r"invalid"):
        made.make(EMPTY)


def test_a_change_is_merged_and_a_deletion_may_come_late() -> None:
    made, http, _time = secrets(
        (f"PATCH {SECRETS}/token", answer(200, {})), (f"DELETE {SECRETS}/token", refusal(404, "gone"))
    )
    made.change({"metadata": {"name": "token", "annotations": {"a": "b"}}})
    made.delete("token")
    assert http.headers[0]["Content-Type"] == "application/merge-patch+json"
    assert http.document(0) == {"metadata": {"name": "token", "annotations": {"a": "b"}}}
