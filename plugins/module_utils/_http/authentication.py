# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who we are towards one origin: an API token as it is, Basic, or the token handshake of registries.

Source: CNCF Distribution, "Token Authentication Specification" and "OAuth2 Token Authentication"; OpenShift
takes the token of its API directly as a bearer token, and says so by a realm that ends in /openshift/token.
"""

from __future__ import annotations

import base64
import threading
from typing import Callable
from urllib.parse import urlencode, urlsplit

from .._credential import Credential
from .._errors import UnauthorizedError
from .challenge import Challenge, parse_challenges
from .message import BytesBody, Origin, Request, Response

OPENSHIFT_REALM = "/openshift/token"
IDENTITY_TOKEN_USER = "<token>"


class Authentication:
    """The Authorization header for one origin, learned from its challenges; safe for several threads."""

    def __init__(
        self, origin: Origin, credential: Credential | None, fetch: Callable[[str, Request], Response]
    ) -> None:
        self._origin = origin
        self._credential = credential
        self._fetch = fetch
        self._lock = threading.Lock()
        self._basic = False
        self._realm: Challenge | None = None
        self._tokens: dict[frozenset[str], str] = {}

    def header(self, scopes: frozenset[str]) -> str | None:
        """Return the value of the Authorization header for a request, or None."""
        with self._lock:
            if self._realm is not None:
                if scopes not in self._tokens:
                    self._tokens[scopes] = self._handshake(self._realm, scopes)
                return f"Bearer {self._tokens[scopes]}"
            if self._credential is None:
                return None
            if self._basic or not self._credential.is_token:
                return f"Basic {basic(self._credential)}" if self._basic else None
            return f"Bearer {self._credential.secret}"

    def learn(self, answer: Response, scopes: frozenset[str], sent: str | None) -> bool:
        """Return whether a request that was answered with 401 is worth repeating, now that we know more."""
        challenges = parse_challenges(answer.headers.get_all("www-authenticate") or [])
        with self._lock:
            for challenge in challenges:
                if challenge.scheme == "bearer" and challenge.parameters.get("realm"):
                    return self._learn_bearer(challenge, scopes, sent)
            for challenge in challenges:
                if challenge.scheme == "basic" and "error" not in challenge.parameters:
                    if self._credential is None or (sent or "").startswith("Basic "):
                        return False
                    self._basic = True
                    return True
        return False

    def _learn_bearer(self, challenge: Challenge, scopes: frozenset[str], sent: str | None) -> bool:
        direct = urlsplit(challenge.parameters["realm"]).path.endswith(OPENSHIFT_REALM)
        if direct and self._credential is not None:
            if (sent or "").startswith("Basic ") or (self._credential.is_token and sent):
                return False
            self._basic = True
            return True
        token = self._tokens.get(scopes)
        if self._realm is not None and token is not None:
            if sent != f"Bearer {token}":
                return True
            if not _expired(challenge):
                return False
        self._realm = challenge
        fresh = self._handshake(challenge, scopes)
        if fresh == token:
            return False
        self._tokens[scopes] = fresh
        return True

    def _handshake(self, challenge: Challenge, scopes: frozenset[str]) -> str:
        realm = challenge.parameters["realm"]
        place = Origin.of(realm)
        self._check_place(place)
        wanted = sorted(scopes) or [scope for scope in (challenge.parameters.get("scope"),) if scope]
        fields = [("service", challenge.parameters["service"])] if challenge.parameters.get("service") else []
        headers = {"Accept": "application/json"}
        credential = self._credential
        if credential is not None and credential.username == IDENTITY_TOKEN_USER:
            form = [*fields, ("grant_type", "refresh_token"), ("refresh_token", credential.secret)]
            form += [("client_id", "appuio.registry"), ("scope", " ".join(wanted))]
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            request = Request("POST", _path(realm), headers, BytesBody(urlencode(form).encode()))
        else:
            if credential is not None:
                headers["Authorization"] = f"Basic {basic(credential)}"
            fields += [("scope", scope) for scope in wanted]
            separator = "&" if "?" in _path(realm) else "?"
            request = Request("GET", f"{_path(realm)}{separator}{urlencode(fields)}", headers)
        answer = self._fetch(str(place), request)
        document = answer.json()
        token = (document.get("token") or document.get("access_token")) if isinstance(document, dict) else None
        if answer.status != 200 or not isinstance(token, str):
            who = "the credential" if credential else "an anonymous request"
            raise UnauthorizedError(
                f"{place.authority} gave no token for {self._origin.authority}: it refused {who} ({answer.status})",
                hint="Are user name and password right, and may they read or write this repository?",
            )
        return token

    def _check_place(self, place: Origin) -> None:
        """An API token can do more than a registry's password: it is for the zone's own hosts only."""
        credential = self._credential
        if credential is None:
            return
        if self._origin.scheme == "https" and place.scheme != "https":
            raise UnauthorizedError(f"{self._origin.authority} wants the credential sent to {place} without TLS")
        if credential.is_token and place.host != self._origin.host:
            raise UnauthorizedError(
                f"{self._origin.authority} wants the token sent to another host, {place.authority}",
                hint="Tokens of a zone go to that zone only; is this the registry of the zone?",
            )


def basic(credential: Credential) -> str:
    """Return ``user:secret`` as the Basic scheme has it (RFC 7617)."""
    return base64.b64encode(f"{credential.username}:{credential.secret}".encode()).decode()


def _expired(challenge: Challenge) -> bool:
    return challenge.parameters.get("error", "invalid_token") in ("invalid_token", "")


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
