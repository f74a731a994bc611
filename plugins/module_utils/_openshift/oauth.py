# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of users: one for a name and a password, as ``oc login`` gets it (the challenging client with PKCE); its end.

Sources: OpenShift documentation, "Configuring the internal OAuth server"; RFC 8414 (discovery), RFC 6749, RFC 7636;
OpenShift API reference, oauth.openshift.io/v1.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Callable
from urllib.parse import parse_qs, urlencode, urlsplit

from .._errors import AppuioError, ForbiddenError, NotFoundError, ServerError, UnauthorizedError
from .._http.client import HttpClient
from . import resources

if TYPE_CHECKING:
    from .client import Api

Connect = Callable[[str], HttpClient]

OAUTH_PREFIX = "sha256~"
CLIENT = "openshift-challenging-client"
STEP = "log in with user name and password"
_DISCOVERY = "/.well-known/oauth-authorization-server"


@dataclass(frozen=True)
class OAuthToken:
    """An OAuth access token; ``seconds`` is how long it lives, where the server says so."""

    token: str = field(repr=False)
    seconds: int | None = None


@dataclass(frozen=True)
class Endpoints:
    """Where an OAuth server gives codes and tokens, and where a person gets a token in a browser."""

    authorization: str
    token: str
    display: str


def discover(http: HttpClient, prefix: str = "") -> Endpoints:
    """Return the endpoints that an API names; raises AppuioError where it has no OAuth server."""
    response = http.request("GET", prefix + _DISCOVERY, headers={"Accept": "application/json"}, step=STEP)
    found = response.json()
    if response.status != 200 or not isinstance(found, dict):
        raise ServerError(
            "the API names no OAuth server, so user name and password cannot be used",
            status=response.status,
            step=STEP,
            hint="Is host the API of an OpenShift cluster? Otherwise give a token",
        )
    endpoints = [str(found.get(name) or "") for name in ("authorization_endpoint", "token_endpoint")]
    for endpoint in endpoints:
        if urlsplit(endpoint).scheme != "https" or not urlsplit(endpoint).hostname:
            raise ServerError(
                "the OAuth server is not reached by https; no password is sent there",
                step=STEP,
                hint="Is host the API of an OpenShift cluster? Otherwise give a token",
            )
    return Endpoints(endpoints[0], endpoints[1], f"{endpoints[1].rstrip('/')}/display")


def password_token(endpoints: Endpoints, connect: Connect, username: str, password: str) -> OAuthToken:
    """Return a token for a user; ``connect`` gives a client for an origin. Raises AppuioError that tells why not."""
    verifier = secrets.token_urlsafe(48)
    code = _code(endpoints, connect, username, password, verifier)
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    headers = {
        "Accept": "application/json",
        "Authorization": _basic(CLIENT, ""),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    origin, target = _parted(endpoints.token)
    http = connect(origin)
    try:
        response = http.request("POST", target, headers=headers, body=urlencode(form).encode(), step=STEP)
    finally:
        http.close()
    answer = response.json()
    if response.status != 200 or not isinstance(answer, dict) or not answer.get("access_token"):
        raise ServerError(
            f"the OAuth server gave no token (status {response.status})",
            server_message=_error(answer),
            status=response.status,
            step=STEP,
            hint=f"Get a token in a browser at {endpoints.display} and give it as token",
        )
    seconds = answer.get("expires_in")
    return OAuthToken(str(answer["access_token"]), seconds if isinstance(seconds, int) else None)


def user_name(api: Api) -> str:
    """Return the name of whoever a token stands for; raises AppuioError."""
    found = api.get(resources.USER, "", "~", step="ask who the token is of")
    return str((found.get("metadata") or {}).get("name") or "")


def oauth_token_end(api: Api, token: str) -> float | None:
    """Return when a user's OAuth token ends in seconds since the epoch, None where the API does not tell."""
    name = oauth_token_name(token)
    try:
        found = api.get(resources.USER_OAUTH_TOKEN, "", name, step="ask when the token ends")
        made = datetime.strptime(str(found["metadata"]["creationTimestamp"]), "%Y-%m-%dT%H:%M:%SZ")
        seconds = int(found["expiresIn"])
    except (KeyError, TypeError, ValueError, ForbiddenError, NotFoundError, ServerError):
        return None
    return made.replace(tzinfo=timezone.utc).timestamp() + seconds if seconds > 0 else None


def revoke_oauth_token(api: Api, token: str) -> None:
    """Let a user's OAuth token end; raises AppuioError. It may be taken for up to two more minutes (caches)."""
    name = oauth_token_name(token)
    try:
        api.delete(resources.USER_OAUTH_TOKEN, "", name, step="revoke the token")
    except ForbiddenError:
        api.delete(resources.OAUTH_TOKEN, "", name, step="revoke the token")


def oauth_token_name(token: str) -> str:
    """Return the name of the object that stands for a user's token: a digest, so that it is no secret."""
    digest = hashlib.sha256(token[len(OAUTH_PREFIX) :].encode()).digest()
    return OAUTH_PREFIX + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _code(endpoints: Endpoints, connect: Connect, username: str, password: str, verifier: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": CLIENT,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "state": "1",
    }
    origin, target = _parted(endpoints.authorization)
    # Without this header, the server would answer with a page for browsers.
    headers = {"X-CSRF-Token": "1", "Authorization": _basic(username, password), "Accept": "application/json"}
    http = connect(origin)
    try:
        response = http.request("GET", f"{target}?{urlencode(query)}", headers=headers, step=STEP)
    finally:
        http.close()
    location = str(response.headers.get("location") or "")
    answered = parse_qs(urlsplit(location).query)
    if response.status in (302, 303) and answered.get("code"):
        return str(answered["code"][0])
    raise _refused(endpoints, username, response, answered)


def _refused(endpoints: Endpoints, username: str, response: Any, answered: dict[str, list[str]]) -> AppuioError:
    elsewhere = f"Get a token in a browser at {endpoints.display} and give it as token"
    if response.status == 401 and "basic" in str(response.headers.get("www-authenticate") or "").lower():
        return UnauthorizedError(
            f"the OAuth server refuses the password of user {username}",
            step=STEP,
            server_message=_error(response.json()),
            hint=f"Check user name and password. {elsewhere} if the user logs in by a single sign-on",
        )
    if response.status == 401:
        return UnauthorizedError(
            "the zone takes no passwords: its users log in by a single sign-on", step=STEP, hint=elsewhere
        )
    if response.status in (302, 303) and not answered.get("error"):
        return UnauthorizedError(
            f"the OAuth server sends user {username} to a page in a browser: the password has expired, "
            "or users log in by a single sign-on",
            step=STEP,
            hint=elsewhere,
        )
    server_message = (answered.get("error_description") or answered.get("error") or [""])[0] or _error(response.json())
    return ServerError(
        f"the OAuth server answered with status {response.status}",
        server_message=server_message,
        status=response.status,
        step=STEP,
        hint=elsewhere,
    )


def _error(answer: Any) -> str | None:
    if not isinstance(answer, dict):
        return None
    found = answer.get("error_description") or answer.get("message") or answer.get("error")
    return str(found)[:300] if isinstance(found, str) else json.dumps(found)[:300] if found else None


def _basic(username: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def _parted(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}", parts.path or "/"
