# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One zone's way in: which credential goes where, what is fetched once, what is given back."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credentials import password_method
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    InvalidOptionError,
    MissingLibraryError,
    TlsVerificationError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._openshift import client
from ansible_collections.appuio.registry.plugins.module_utils._openshift.client import Api
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection, RunContext, targets_from
from ansible_collections.appuio.registry.plugins.module_utils._zones import session
from ansible_collections.appuio.registry.plugins.module_utils._zones.session import ZoneSession

from tests.unit.plugins.module_utils.scripted_api import ScriptedApi
from tests.unit.plugins.module_utils.scripted_http import ScriptedHttp, answer, refusal

ZONE = {"zone": "cloudscale-lpg-2", "namespace": "shop"}
REGISTRY = "registry.cloudscale-lpg-2.appuio.cloud"
API = "https://api.cloudscale-lpg-2.appuio.cloud:6443"
ISSUER = "https://oauth.example.com"
LOGIN = (
    (
        "GET /.well-known/oauth-authorization-server",
        answer(200, {"authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/t"}),
    ),
    ("GET /a?", answer(302, headers={"Location": "https://x/?code=c"})),
    ("POST /t", answer(200, {"access_token": "sha256~fetched", "expires_in": 86400})),
)
REVOKED = ("DELETE /apis/oauth.openshift.io/v1/useroauthaccesstokens/sha256~", answer(200, {}))


@pytest.fixture
def registered() -> list[str]:
    return []


def opened(registered: list[str], environment: dict[str, str] | None = None, **given: Any) -> ZoneSession:
    context = RunContext(environment or {}, register_secret=registered.append)
    return ZoneSession(targets_from({**ZONE, **given})[0], context)


def scripted(monkeypatch: pytest.MonkeyPatch, *lines: Any, oauth: tuple[Any, ...] = LOGIN) -> tuple[ScriptedHttp, Any]:
    """Let the OAuth server answer its lines, and the API all others; return both."""
    http: Any = ScriptedHttp(*oauth)
    api: Any = ScriptedApi(*lines, token="")
    monkeypatch.setattr(password_method, "connect", lambda url, connection: http)

    def connected(address: Any, token: str | None) -> Any:
        api.tokens.append(token)
        return api.api._client

    api.tokens = []
    monkeypatch.setattr(client, "_dynamic_client", connected)
    return http, api


def stored(folder: Path, secret: str, registry: str = REGISTRY) -> str:
    entry = base64.b64encode(f"serviceaccount:{secret}".encode()).decode()
    path = folder / "auth.json"
    path.write_text(json.dumps({"auths": {registry: {"auth": entry}}}))
    return str(path)


def test_a_token_asks_registry_and_api_and_is_registered_in_all_its_forms(registered: list[str]) -> None:
    zone = opened(registered, token="marker", username="jane")
    found = zone.credential.credential
    assert (found.username, found.secret, zone.address) == ("jane", "marker", REGISTRY)
    for username in ("jane", "serviceaccount"):
        assert base64.b64encode(f"{username}:marker".encode()).decode() in registered
    assert "marker" in registered
    assert "marker" not in repr(zone.credential) + repr(zone.method) + repr(zone.method.api_login())
    login = zone.method.api_login()
    assert (login.address.url, login.token) == (API, "marker")
    zone.close()


def test_a_password_gives_one_token_that_is_given_back(monkeypatch: pytest.MonkeyPatch, registered: list[str]) -> None:
    http, api = scripted(monkeypatch, REVOKED)
    zone = opened(registered, username="jane", password="secret")
    assert zone.credential.credential.secret == "sha256~fetched"
    assert zone.credential.credential.username == "jane"
    assert zone.credential.expires_at is not None
    zone.api()
    assert http.lines == []
    assert {"secret", "sha256~fetched"} <= set(registered)
    zone.close()
    assert api.lines == []
    assert api.tokens == ["sha256~fetched"]


@pytest.mark.parametrize("library", [True, False])
def test_a_token_that_cannot_be_revoked_is_told_and_no_failure(
    library: bool, monkeypatch: pytest.MonkeyPatch, registered: list[str]
) -> None:
    scripted(monkeypatch, (REVOKED[0], refusal(409, "etcd is away")))
    if not library:

        def missing(_address: Any, _token: str | None) -> Any:
            raise MissingLibraryError("openshift", "to ask the API of a zone")

        monkeypatch.setattr(client, "_dynamic_client", missing)
    warnings: list[str] = []
    target = targets_from({**ZONE, "username": "jane", "password": "p"})[0]
    zone = ZoneSession(target, RunContext(warn=warnings.append))
    assert zone.credential
    zone.close()
    (warning,) = warnings
    assert warning.startswith("zone cloudscale-lpg-2: the token that was fetched for this task could not be revoked")
    assert ("etcd is away" if library else "openshift is needed") in warning
    assert "fetched" not in warning.replace("was fetched", "")


def test_a_token_that_is_kept_is_not_revoked(monkeypatch: pytest.MonkeyPatch, registered: list[str]) -> None:
    scripted(monkeypatch)
    zone = opened(registered, username="jane", password="p")
    assert zone.credential
    assert isinstance(zone.method, password_method.PasswordMethod)
    zone.method.keep()
    zone.close()


def test_who_reads_a_service_account_s_token_is_given_back_at_once(
    monkeypatch: pytest.MonkeyPatch, registered: list[str]
) -> None:
    http, api = scripted(
        monkeypatch,
        ("GET /api/v1/namespaces/shop/secrets", answer(200, {"items": []})),
        ("POST /api/v1/namespaces/shop/serviceaccounts/sa/token", answer(201, {"status": {"token": "bound"}})),
        REVOKED,
    )
    zone = opened(registered, username="jane", password="p", service_account="sa")
    found = zone.credential.credential
    assert (found.username, found.secret) == ("serviceaccount", "bound")
    assert (http.lines, api.lines) == ([], [])


def test_the_api_is_asked_as_the_service_account(monkeypatch: pytest.MonkeyPatch, registered: list[str]) -> None:
    _http, api = scripted(
        monkeypatch,
        ("GET /api/v1/namespaces/shop/secrets", answer(200, {"items": []})),
        ("POST /api/v1/namespaces/shop/serviceaccounts/sa/token", answer(201, {"status": {"token": "bound"}})),
        ("GET /apis/user.openshift.io/v1/users/~", answer(200, {"metadata": {"name": "sa"}})),
    )
    from ansible_collections.appuio.registry.plugins.module_utils._openshift.oauth import user_name

    zone = opened(registered, token="admins", service_account="sa")
    assert user_name(zone.api()) == "sa"
    assert api.tokens == ["admins", "bound"]


def test_a_registry_s_password_never_reaches_the_api(tmp_path: Path, registered: list[str]) -> None:
    zone = opened(registered, auth_file=stored(tmp_path, "a-password"))
    assert zone.credential.credential.secret == "a-password"
    with pytest.raises(UnauthorizedError, match=r"zone cloudscale-lpg-2: .*is no token of the zone's API\. Give token"):
        zone.api()
    assert zone.optional_api() is None
    assert "is no token of the zone's API" in zone.api_unavailable


@pytest.mark.parametrize("by_option", [True, False])
def test_a_token_that_is_stored_for_the_registry_asks_the_api(
    by_option: bool, tmp_path: Path, registered: list[str]
) -> None:
    path = stored(tmp_path, "sha256~of-a-user")
    zone = opened(
        registered, {} if by_option else {"REGISTRY_AUTH_FILE": path}, **({"auth_file": path} if by_option else {})
    )
    assert zone.credential.credential.is_token
    assert zone.method.api_login().token == "sha256~of-a-user"
    assert isinstance(zone.api(), Api)
    assert "sha256~of-a-user" in registered


def test_what_is_not_stored_is_told_with_the_zone(tmp_path: Path, registered: list[str]) -> None:
    zone = opened(registered, auth_file=stored(tmp_path, "x", "elsewhere.example.com"))
    with pytest.raises(UnauthorizedError, match=r"zone cloudscale-lpg-2: credentials: .*holds no credential for"):
        zone.credential  # noqa: B018
    with pytest.raises(InvalidOptionError, match="zone cloudscale-lpg-2: no credential is given"):
        opened(registered)


def test_an_api_that_nobody_named(registered: list[str]) -> None:
    zone = ZoneSession(targets_from({"registry": "r.example.com", "namespace": "n", "token": "t"})[0], RunContext())
    with pytest.raises(AppuioError, match=r"zone r.example.com: .*nothing names it.*zone or host"):
        zone.api()
    assert zone.optional_api() is None
    assert "nothing names it" in zone.api_unavailable


def test_what_is_only_good_to_know_is_asked_shortly_and_once(registered: list[str]) -> None:
    zone = opened(registered, token="t", timeout=60, retries=9)
    api = zone.optional_api()
    assert api is not None
    assert (api._address.connection.timeout, api._address.connection.retries) == (session.OPTIONAL_TIMEOUT, 0)
    assert zone.api()._address.connection.retries == 9


def test_without_the_library_the_optional_api_is_left_out(
    monkeypatch: pytest.MonkeyPatch, registered: list[str]
) -> None:
    monkeypatch.setattr(client, "missing_library", lambda: "openshift")
    zone = opened(registered, token="t")
    assert zone.optional_api() is None
    assert zone.api_unavailable == "the Python package openshift is not installed where this runs"


def test_the_oauth_server_may_have_the_registry_s_authority(
    monkeypatch: pytest.MonkeyPatch, registered: list[str]
) -> None:
    trusted: list[str | None] = []
    http = ScriptedHttp(*LOGIN)

    def connect(url: str, connection: Connection) -> ScriptedHttp:
        trusted.append(connection.ca_cert)
        if url.startswith(ISSUER) and connection.ca_cert == "api.crt":
            raise TlsVerificationError("not trusted")
        return http

    monkeypatch.setattr(password_method, "connect", connect)
    zone = opened(registered, username="jane", password="p", ca_cert="api.crt", registry_ca_cert="route.crt")
    assert zone.credential.credential.secret == "sha256~fetched"
    assert trusted == ["api.crt", "api.crt", "route.crt", "route.crt"]


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        ({}, {"K8S_AUTH_VERIFY_SSL": "False"}, (False, None)),
        ({}, {"K8S_AUTH_VERIFY_SSL": "false", "K8S_AUTH_SSL_CA_CERT": "/ca"}, (True, "/ca")),
        ({"ca_cert": "/mine"}, {"K8S_AUTH_VERIFY_SSL": "no", "K8S_AUTH_SSL_CA_CERT": "/ca"}, (True, "/mine")),
        ({}, {"K8S_AUTH_VERIFY_SSL": "true"}, (True, None)),
        ({"token": "own"}, {"K8S_AUTH_VERIFY_SSL": "False", "K8S_AUTH_SSL_CA_CERT": "/ca"}, (True, None)),
    ],
)
def test_the_environment_says_how_the_api_is_reached_for_its_own_credential_alone(
    given: dict[str, Any], environment: dict[str, str], expected: tuple[bool, str | None], registered: list[str]
) -> None:
    zone = opened(registered, {"APPUIO_TOKEN": "e", **environment}, **given)
    connection = zone.method.api_login().address.connection
    assert (connection.validate_certs, connection.ca_cert) == expected
    assert zone.target.connection.validate_certs


def test_somebody_else_s_token_comes_without_our_client_certificate(registered: list[str]) -> None:
    zone = opened(registered, token="t")
    other = zone.api_as("other")
    assert (other._token, other._address.connection.client_cert) == ("other", None)
