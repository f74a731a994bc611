# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a token is, when it ends and what it may do, as single requests to an API."""

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
from ansible_collections.appuio.registry.plugins.module_utils._openshift import access, oauth
from ansible_collections.appuio.registry.plugins.module_utils._openshift.client import Api

from tests.unit.plugins.module_utils.scripted_api import Line, ScriptedApi, answer, refusal


def api(*lines: Line) -> tuple[Api, ScriptedApi]:
    http = ScriptedApi(*lines, token="my-token")
    return http.api, http


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
        oauth.user_name(client)


def test_who_a_token_is_of() -> None:
    client, _http = api(("GET /apis/user.openshift.io/v1/users/~", answer(200, {"metadata": {"name": "jane"}})))
    assert oauth.user_name(client) == "jane"


def test_the_name_of_a_token_is_its_digest() -> None:
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"marker").digest()).rstrip(b"=").decode()
    path = f"/apis/oauth.openshift.io/v1/useroauthaccesstokens/sha256~{digest}"
    client, _http = api((f"DELETE {path}", answer(200, {})))
    oauth.revoke_oauth_token(client, "sha256~marker")
    metadata = {"name": f"sha256~{digest}", "creationTimestamp": "2026-11-23T09:30:00Z"}
    found = {"metadata": metadata, "expiresIn": 86400}
    client, _http = api((f"GET {path}", answer(200, found)), (f"GET {path}", refusal(404, "gone")))
    assert oauth.oauth_token_end(client, "sha256~marker") == 1795512600
    assert oauth.oauth_token_end(client, "sha256~marker") is None


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
    assert oauth.user_name(ScriptedApi(line, url="https://proxy.example/k8s/clusters/c-1").api) == "jane"
