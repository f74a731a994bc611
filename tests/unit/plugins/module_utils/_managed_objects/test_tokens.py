# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of service accounts, as single requests to an API."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    ForbiddenError,
    NotFoundError,
)
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects import objects, tokens
from ansible_collections.appuio.registry.plugins.module_utils._openshift.client import Api

from tests.unit.plugins.module_utils.scripted_api import Line, ScriptedApi, answer, refusal

SECRETS = "GET /api/v1/namespaces/shop/secrets?fieldSelector=type%3Dkubernetes.io/service-account-token"
REQUEST = "POST /api/v1/namespaces/shop/serviceaccounts/image-pusher/token"
FORBIDDEN = refusal(403, 'secrets is forbidden: User "jane" cannot list resource "secrets"')


def api(*lines: Line) -> tuple[Api, ScriptedApi]:
    http = ScriptedApi(*lines, token="my-token")
    return http.api, http


def secret(name: str, token: str | None, made: str, account: str = "image-pusher", **metadata: Any) -> dict[str, Any]:
    return {
        "type": objects.TOKEN_SECRET,
        "metadata": {
            "name": name,
            "creationTimestamp": made,
            "annotations": {objects.SECRET_ACCOUNT: account},
            **metadata,
        },
        "data": {"token": base64.b64encode(token.encode()).decode()} if token else {},
    }


def test_the_newest_filled_secret_of_the_account() -> None:
    items = [
        secret("old", "old-token", "2026-01-01T00:00:00Z"),
        secret("new", "new-token", "2026-03-01T00:00:00Z"),
        secret("empty", None, "2026-04-01T00:00:00Z"),
        secret("going", "gone-token", "2026-05-01T00:00:00Z", deletionTimestamp="2026-05-02T00:00:00Z"),
        secret("other", "other-token", "2026-06-01T00:00:00Z", account="builder"),
        {**secret("opaque", "x", "2026-07-01T00:00:00Z"), "type": "Opaque"},
    ]
    client, http = api((SECRETS, answer(200, {"items": items})))
    assert tokens.account_token(client, "shop", "image-pusher", 3600) == tokens.AccountToken("new-token", "new")
    assert http.headers[0]["Authorization"] == "Bearer my-token"


def of_account(made: dict[str, Any], uid: str) -> dict[str, Any]:
    """Return a Secret that the token controller has filled for the account of this UID."""
    made["metadata"]["annotations"][objects.SECRET_ACCOUNT_UID] = uid
    return made


ACCOUNT = "GET /api/v1/namespaces/shop/serviceaccounts/image-pusher"


def test_a_token_of_an_account_that_was_made_anew_is_dead() -> None:
    items = [
        of_account(secret("now", "now-token", "2026-01-01T00:00:00Z"), "u2"),
        of_account(secret("dead", "dead-token", "2026-03-01T00:00:00Z"), "u1"),
    ]
    account = answer(200, {"metadata": {"name": "image-pusher", "uid": "u2"}})
    client, _http = api((SECRETS, answer(200, {"items": items})), (ACCOUNT, account))
    assert tokens.token_in_secret(client, "shop", "image-pusher") == tokens.AccountToken("now-token", "now")
    client, _http = api((SECRETS, answer(200, {"items": items[1:]})), (ACCOUNT, account))
    assert tokens.token_in_secret(client, "shop", "image-pusher") is None
    client, _http = api((SECRETS, answer(200, {"items": items})), (ACCOUNT, refusal(404, "not found")))
    assert tokens.token_in_secret(client, "shop", "image-pusher") is None


def test_whether_a_token_is_dead_is_not_known_where_the_account_may_not_be_read() -> None:
    items = [of_account(secret("token", "the-token", "2026-03-01T00:00:00Z"), "u1")]
    client, _http = api((SECRETS, answer(200, {"items": items})), (ACCOUNT, refusal(403, "cannot get")))
    assert tokens.token_in_secret(client, "shop", "image-pusher") == tokens.AccountToken("the-token", "token")


@pytest.mark.parametrize("first", [answer(200, {"items": []}), FORBIDDEN])
def test_a_bound_token_where_no_secret_can_be_read(first: Any) -> None:
    client, http = api((SECRETS, first), (REQUEST, answer(201, {"status": {"token": "bound"}})))
    assert tokens.account_token(client, "shop", "image-pusher", 3600) == tokens.AccountToken("bound")
    assert http.document()["spec"] == {"expirationSeconds": 3600}


@pytest.mark.parametrize(
    ("first", "said"),
    [(answer(200, {"items": []}), "does not exist in the namespace shop"), (FORBIDDEN, "may not be read")],
)
def test_neither_secret_nor_bound_token(first: Any, said: str) -> None:
    client, _http = api((SECRETS, first), (REQUEST, refusal(403, "cannot create")))
    with pytest.raises(ForbiddenError, match=f"{said}.*admin of the namespace"):
        tokens.account_token(client, "shop", "image-pusher", 3600)


def test_a_service_account_that_does_not_exist() -> None:
    client, _http = api((SECRETS, answer(200, {"items": []})), (REQUEST, refusal(404, "not found")))
    with pytest.raises(NotFoundError, match="no service account image-pusher in the namespace shop"):
        tokens.account_token(client, "shop", "image-pusher", 3600)


@pytest.mark.parametrize("data", [None, [], "x", {"token": 5}, {"token": "%"}, {"token": ["x"]}, {"token": "/w=="}])
def test_a_secret_with_anything_else_holds_no_token(data: Any) -> None:
    assert tokens.token_of_secret({"metadata": {"name": "t"}, "data": data}) == ""


def test_a_token_is_read_without_its_line_end() -> None:
    assert tokens.token_of_secret({"data": {"token": base64.b64encode(b"a-token\n").decode()}}) == "a-token"


@pytest.mark.parametrize("odd", [None, {}, {"metadata": []}, {"metadata": {"name": "t", "annotations": []}}, []])
def test_an_odd_secret_among_others_is_left_aside(odd: Any) -> None:
    other = {"metadata": {"name": "other"}}
    listed = ("GET /api/v1/namespaces/shop/secrets?", answer(200, {"items": [odd, other]}))
    asked, _script = api(listed)
    assert tokens.token_in_secret(asked, "shop", "pusher") is None


@pytest.mark.parametrize("status", [None, [], "x", {"token": None}, {"token": {}}])
def test_an_odd_answer_to_a_token_request_is_no_token(status: Any) -> None:
    asked, _script = api(("POST /api/v1/namespaces/shop/serviceaccounts/pusher/token", answer(201, {"status": status})))
    with pytest.raises(AppuioError, match="the API gave no token"):
        tokens.bound_token(asked, "shop", "pusher", 600)
