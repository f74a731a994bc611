# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The password flow of OpenShift's OAuth server, and everything it may answer instead of a token."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, ServerError, UnauthorizedError
from ansible_collections.appuio.registry.plugins.module_utils._openshift.oauth import (
    Endpoints,
    discover,
    password_token,
)

from tests.unit.plugins.module_utils.scripted_http import Line, ScriptedHttp, answer

ISSUER = "https://oauth-openshift.cloudscale-lpg-2.appuio.cloud"
ENDPOINTS = Endpoints(f"{ISSUER}/oauth/authorize", f"{ISSUER}/oauth/token", f"{ISSUER}/oauth/token/display")
DISCOVERY = "GET /.well-known/oauth-authorization-server"
AUTHORIZE = "GET /oauth/authorize?response_type=code&client_id=openshift-challenging-client&"
PAGE = f"{ISSUER}/oauth/token/display"


class Recorder(ScriptedHttp):
    """Also keeps the targets."""

    def __init__(self, *lines: Line) -> None:
        super().__init__(*lines)
        self.targets: list[str] = []

    def request(self, method: str, target: str, *rest: Any, **more: Any) -> Any:
        self.targets.append(target)
        return super().request(method, target, *rest, **more)


def logged_in(*lines: Line) -> tuple[Any, Recorder]:
    http = Recorder(*lines)

    def connect(origin: str) -> Any:
        assert origin == ISSUER
        return http

    return password_token(ENDPOINTS, connect, "jane", "a-password"), http


def test_a_code_and_then_a_token() -> None:
    found, http = logged_in(
        (AUTHORIZE, answer(302, headers={"Location": f"{ISSUER}/oauth/token/implicit?code=the-code&state=1"})),
        ("POST /oauth/token", answer(200, {"access_token": "sha256~marker", "expires_in": 86400})),
    )
    assert (found.token, found.seconds) == ("sha256~marker", 86400)
    assert "marker" not in repr(found)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(http.targets[0]).query).items()}
    form = http.form()
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert asked["code_challenge_method"] == "S256"
    assert (form["grant_type"], form["code"]) == ("authorization_code", "the-code")
    assert http.headers[0]["X-CSRF-Token"]
    assert http.headers[0]["Authorization"] == "Basic " + base64.b64encode(b"jane:a-password").decode()
    assert "a-password" not in http.targets[0]
    assert http.closed


BASIC = {"WWW-Authenticate": 'Basic realm="openshift"'}


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        (answer(401, headers=BASIC), UnauthorizedError, f"refuses the password of user jane.*{PAGE}"),
        (answer(401, headers={"Link": "<x>"}), UnauthorizedError, f"takes no passwords.*single sign-on.*{PAGE}"),
        (answer(302, headers={"Location": f"{ISSUER}/login?then=x"}), UnauthorizedError, f"page in a browser.*{PAGE}"),
        (
            answer(302, headers={"Location": f"{ISSUER}/x?error=access_denied&error_description=no+user"}),
            ServerError,
            "no user",
        ),
        (answer(500), ServerError, "status 500"),
        (answer(400, {"error": "unauthorized_client"}), ServerError, "unauthorized_client"),
    ],
)
def test_what_else_may_come(given: Any, kind: type[AppuioError], said: str) -> None:
    with pytest.raises(kind, match=said) as refused:
        logged_in((AUTHORIZE, given))
    assert "a-password" not in str(refused.value)


def test_a_code_that_gives_no_token() -> None:
    with pytest.raises(ServerError, match=r"gave no token \(status 400\).*invalid_grant"):
        logged_in(
            (AUTHORIZE, answer(302, headers={"Location": "https://x/?code=c"})),
            ("POST /oauth/token", answer(400, {"error": "invalid_grant"})),
        )


def test_discovery() -> None:
    metadata = {"authorization_endpoint": ENDPOINTS.authorization, "token_endpoint": ENDPOINTS.token}
    assert discover(ScriptedHttp((DISCOVERY, answer(200, metadata)))) == ENDPOINTS


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (answer(404, {"message": "not found"}), "names no OAuth server"),
        (answer(200, {"authorization_endpoint": "http://x/a", "token_endpoint": "https://x/t"}), "no password is sent"),
        (answer(200, {}), "no password is sent"),
    ],
)
def test_a_server_to_which_no_password_goes(given: Any, said: str) -> None:
    with pytest.raises(ServerError, match=said):
        discover(ScriptedHttp((DISCOVERY, given)))
