# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of service accounts and users, and rights, as single requests to an API."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    ForbiddenError,
    NotFoundError,
    ServerError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._openshift import access, objects, tokens
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
        "type": tokens.SECRET_TYPE,
        "metadata": {
            "name": name,
            "creationTimestamp": made,
            "annotations": {tokens.ACCOUNT_ANNOTATION: account},
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


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        (refusal(401, "Unauthorized"), UnauthorizedError, "wrong, expired or revoked"),
        (refusal(403, "because of this"), ForbiddenError, "because of this"),
        (refusal(404, "no such thing"), NotFoundError, "no such thing"),
        (refusal(500, "etcd is away"), ServerError, "status 500.*etcd is away"),
        (answer(200, ["a", "list"]), ServerError, "no Kubernetes API"),
        (answer(502), ServerError, "status 502"),
    ],
)
def test_refusals_in_the_apis_words(given: Any, kind: type[AppuioError], said: str) -> None:
    client, _http = api(("GET /apis/user.openshift.io/v1/users/~", given))
    with pytest.raises(kind, match=said):
        tokens.user_name(client)


def test_who_a_token_is_of() -> None:
    client, _http = api(("GET /apis/user.openshift.io/v1/users/~", answer(200, {"metadata": {"name": "jane"}})))
    assert tokens.user_name(client) == "jane"


def test_the_name_of_a_token_is_its_digest() -> None:
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"marker").digest()).rstrip(b"=").decode()
    path = f"/apis/oauth.openshift.io/v1/useroauthaccesstokens/sha256~{digest}"
    client, _http = api((f"DELETE {path}", answer(200, {})))
    tokens.revoke_oauth_token(client, "sha256~marker")
    metadata = {"name": f"sha256~{digest}", "creationTimestamp": "2026-11-23T09:30:00Z"}
    found = {"metadata": metadata, "expiresIn": 86400}
    client, _http = api((f"GET {path}", answer(200, found)), (f"GET {path}", refusal(404, "gone")))
    assert tokens.oauth_token_end(client, "sha256~marker") == 1795512600
    assert tokens.oauth_token_end(client, "sha256~marker") is None


def test_the_right_that_decides() -> None:
    path = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    yes, no = answer(201, {"status": {"allowed": True}}), answer(201, {"status": {"allowed": False}})
    client, http = api((path, yes), (path, no))
    assert access.may(client, "shop", "pull")
    assert not access.may(client, "shop", "push")
    asked = {"namespace": "shop", "group": "image.openshift.io", "resource": "imagestreams", "subresource": "layers"}
    assert http.document(0)["spec"]["resourceAttributes"] == {**asked, "verb": "get"}
    assert http.document(1)["spec"]["resourceAttributes"] == {**asked, "verb": "update"}


def test_a_prefix_of_the_api_is_kept() -> None:
    line = ("GET /k8s/clusters/c-1/apis/user", answer(200, {"metadata": {"name": "jane"}}))
    assert tokens.user_name(ScriptedApi(line, url="https://proxy.example/k8s/clusters/c-1").api) == "jane"


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
