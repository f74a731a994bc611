# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From options to a credential: what is masked, what is released, and what names the zone."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credentials import api_access, resolve
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    InvalidOptionError,
    TlsVerificationError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection, targets_from

from tests.unit.plugins.module_utils.scripted_api import ScriptedApi
from tests.unit.plugins.module_utils.scripted_http import ScriptedHttp, answer, refusal

ZONE = {"zone": "cloudscale-lpg-2", "namespace": "shop"}
ISSUER = "https://oauth.example.com"
LOGIN = [
    (
        "GET /.well-known/oauth-authorization-server",
        answer(200, {"authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/t"}),
    ),
    ("GET /a?", answer(302, headers={"Location": "https://x/?code=c"})),
    ("POST /t", answer(200, {"access_token": "sha256~fetched", "expires_in": 86400})),
]
REVOKED = ("DELETE /apis/oauth.openshift.io/v1/useroauthaccesstokens/sha256~", answer(200, {}))


@pytest.fixture
def masked() -> list[str]:
    return []


def script(monkeypatch: pytest.MonkeyPatch, *lines: Any) -> ScriptedApi:
    """The OAuth server answers the first lines, the API the others."""
    oauth = len(LOGIN) if list(lines[: len(LOGIN)]) == list(LOGIN) else 0
    http, scripted = ScriptedHttp(*lines[:oauth]), ScriptedApi(*lines[oauth:], token="sha256~fetched")
    monkeypatch.setattr(api_access, "connect", lambda url, connection: http)
    monkeypatch.setattr(api_access, "Api", lambda address, token: scripted.api)
    return scripted


def resolved(masked: list[str], environment: dict[str, str] | None = None, **given: Any) -> resolve.Resolved:
    return resolve.resolve_credential(targets_from({**ZONE, **given})[0], environment or {}, masked.append)


def test_a_token_is_masked_in_all_its_forms(masked: list[str]) -> None:
    found = resolved(masked, token="marker", username="jane")
    assert (found.credential.username, found.credential.secret) == ("jane", "marker")
    for username in ("jane", "serviceaccount"):
        assert base64.b64encode(f"{username}:marker".encode()).decode() in masked
    assert "marker" in masked
    assert "marker" not in repr(found)
    found.release()


def test_a_password_gives_a_token_that_is_given_back(monkeypatch: pytest.MonkeyPatch, masked: list[str]) -> None:
    http = script(monkeypatch, *LOGIN, REVOKED)
    found = resolved(masked, username="jane", password="pass-marker")
    assert (found.credential.username, found.credential.secret) == ("jane", "sha256~fetched")
    assert found.expires_at
    assert {"pass-marker", "sha256~fetched"} <= set(masked)
    assert len(http.lines) == 1, "not revoked before it is released"
    found.release()
    assert http.lines == []
    assert http.headers[-1]["Authorization"] == "Bearer sha256~fetched"


def test_a_token_that_cannot_be_revoked_is_no_failure(monkeypatch: pytest.MonkeyPatch, masked: list[str]) -> None:
    script(monkeypatch, *LOGIN, (REVOKED[0], refusal(500, "etcd is away")))
    resolved(masked, username="jane", password="p").release()


def test_access_for_a_service_account_is_given_back_at_once(monkeypatch: pytest.MonkeyPatch, masked: list[str]) -> None:
    http = script(
        monkeypatch,
        *LOGIN,
        ("GET /api/v1/namespaces/shop/secrets", answer(200, {"items": []})),
        ("POST /api/v1/namespaces/shop/serviceaccounts/sa/token", answer(201, {"status": {"token": "bound"}})),
        REVOKED,
    )
    found = resolved(masked, username="jane", password="p", service_account="sa")
    assert (found.credential.username, found.credential.secret) == ("serviceaccount", "bound")
    assert http.lines == []
    assert http.closed


def test_a_stored_credential(tmp_path: Path, masked: list[str]) -> None:
    path = tmp_path / "auth.json"
    auth = base64.b64encode(b"jane:sha256~stored").decode()
    path.write_text(json.dumps({"auths": {"registry.cloudscale-lpg-2.appuio.cloud/shop": {"auth": auth}}}))
    for given, environment in (({"auth_file": str(path)}, {}), ({}, {"REGISTRY_AUTH_FILE": str(path)})):
        found = resolved(masked, environment, **given)
        assert (found.credential.secret, found.credential.is_token) == ("sha256~stored", True)
    with pytest.raises(UnauthorizedError, match=r"zone cloudscale-lpg-2.*holds no credential for"):
        resolved(masked, auth_file=str(path), namespace="office")


def test_the_zone_is_named(monkeypatch: pytest.MonkeyPatch, masked: list[str]) -> None:
    with pytest.raises(InvalidOptionError, match="zone cloudscale-lpg-2: credentials: no credential"):
        resolved(masked)
    script(monkeypatch, ("GET /api/v1/namespaces/shop/secrets", refusal(401, "Unauthorized")))
    with pytest.raises(UnauthorizedError, match="zone cloudscale-lpg-2: read the service account's token"):
        resolved(masked, token="t", service_account="sa")


def test_the_oauth_server_may_have_the_registrys_authority(monkeypatch: pytest.MonkeyPatch, masked: list[str]) -> None:
    trusted: list[str | None] = []
    http = ScriptedHttp(*LOGIN)

    def connect(url: str, connection: Connection) -> ScriptedHttp:
        trusted.append(connection.ca_cert)
        if url.startswith(ISSUER) and connection.ca_cert == "api.crt":
            raise TlsVerificationError("not trusted")
        return http

    monkeypatch.setattr(api_access, "connect", connect)
    found = resolved(masked, username="jane", password="p", ca_cert="api.crt", registry_ca_cert="route.crt")
    assert found.credential.secret == "sha256~fetched"
    assert trusted == ["api.crt", "api.crt", "route.crt", "route.crt"]


@pytest.mark.parametrize(
    ("options", "environment", "expected"),
    [
        ({}, {"K8S_AUTH_VERIFY_SSL": "False"}, (False, None)),
        ({}, {"K8S_AUTH_VERIFY_SSL": "false", "K8S_AUTH_SSL_CA_CERT": "/ca"}, (True, "/ca")),
        ({"ca_cert": "/mine"}, {"K8S_AUTH_VERIFY_SSL": "no", "K8S_AUTH_SSL_CA_CERT": "/ca"}, (True, "/mine")),
        ({}, {"K8S_AUTH_VERIFY_SSL": "true"}, (True, None)),
    ],
)
def test_how_the_environment_wants_the_api_to_be_reached(
    options: dict[str, Any], environment: dict[str, str], expected: tuple[bool, str | None]
) -> None:
    found = api_access.api_connection(targets_from({**ZONE, **options})[0], environment)
    assert (found.validate_certs, found.ca_cert) == expected


def test_an_api_that_nobody_named(masked: list[str]) -> None:
    with pytest.raises(AppuioError, match=r"nothing names it.*zone or host"):
        resolve.resolve_credential(
            targets_from({"registry": "r.example.com", "namespace": "n", "token": "t", "service_account": "s"})[0],
            {},
            masked.append,
        )
