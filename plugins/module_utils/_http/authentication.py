# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who we are towards one origin: an API token as it is, Basic, or the token handshake of registries.

Source: CNCF Distribution, "Token Authentication Specification" and "OAuth2 Token Authentication"; OpenShift
takes the token of its API directly as a bearer token, and says so by a realm that ends in /openshift/token.
"""

from __future__ import annotations

import re
import threading
from typing import Any, Callable, NamedTuple
from urllib.parse import urlencode

from .._errors import AppuioError, ServerError, UnauthorizedError
from .._targets import Credential, basic
from .message import BytesBody, Origin, Request, Response
from .retry import PASSING_STATUSES, retry_after

OPENSHIFT_REALM = "/openshift/token"
IDENTITY_TOKEN_USER = "<token>"
_BEARER_TOKEN = re.compile(r"[!-~]+")
# A token that says when it ends is renewed before that, so that no upload is refused after its last byte.
_SHARE_OF_LIFETIME = 0.8
LONGEST_HEADER = 8192
MOST_CHALLENGES = 16
_SEPARATOR = re.compile(r"[\s,]*")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_EQUALS = re.compile(r"\s*=\s*")
_QUOTED = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"')
_PLAIN = re.compile(r'[^\s,"]*')
_ESCAPED = re.compile(r"\\(.)")


class Authentication:
    """The Authorization header for one origin, learned from its challenges; safe for several threads.

    ``fetch`` asks a realm, ``resolve`` finds its address, ``now`` is the time in seconds.
    """

    def __init__(
        self,
        origin: Origin,
        credential: Credential | None,
        fetch: Callable[[Origin, Request], Response],
        resolve: Callable[[str], tuple[Origin, str]],
        now: Callable[[], float],
    ) -> None:
        self._origin = origin
        self._credential = credential
        self._fetch = fetch
        self._resolve = resolve
        self._now = now
        self._lock = threading.Lock()
        self._basic = False
        self._challenge: Challenge | None = None
        self._tokens: dict[frozenset[str], tuple[str, float]] = {}
        self._accepted: set[str] = set()

    def header(self, scopes: frozenset[str]) -> str | None:
        """Return the value of the Authorization header for a request, or None; raises as ``fetch``."""
        with self._lock:
            if self._challenge is not None:
                token, ends = self._tokens.get(scopes, ("", 0.0))
                if not token or ends <= self._now():
                    token, _ends = self._tokens[scopes] = self._handshake(self._challenge, scopes)
                return f"Bearer {token}"
            if self._credential is None:
                return None
            if self._basic or not self._credential.is_token:
                return f"Basic {basic(self._credential)}" if self._basic else None
            return f"Bearer {self._credential.secret}"

    def accepted(self, sent: str | None) -> None:
        """Note that a request with this header was not refused: what is refused later has ended meanwhile."""
        if sent is not None and sent not in self._accepted:
            with self._lock:
                self._accepted.add(sent)

    def learn(self, answer: Response, scopes: frozenset[str], sent: str | None) -> bool:
        """Return whether a request that was answered with 401 is worth repeating, now that we know more."""
        challenges = parse_challenges(answer.headers.get_all("www-authenticate") or [])
        with self._lock:
            for challenge in challenges:
                if challenge.scheme == "bearer" and challenge.parameters.get("realm"):
                    return self._learn_bearer(challenge, scopes, sent)
            if self._challenge is not None:
                # A token that ended is answered without a challenge, or with an odd one, by some.
                return self._renew(self._challenge, scopes, sent)
            for challenge in challenges:
                if challenge.scheme == "basic" and "error" not in challenge.parameters:
                    if self._credential is None or (sent or "").startswith("Basic "):
                        return False
                    self._basic = True
                    return True
        return False

    def _learn_bearer(self, challenge: Challenge, scopes: frozenset[str], sent: str | None) -> bool:
        direct = challenge.parameters["realm"].partition("?")[0].endswith(OPENSHIFT_REALM)
        if direct and self._credential is not None:
            if (sent or "").startswith("Basic ") or (self._credential.is_token and sent):
                return False
            self._basic = True
            return True
        return self._renew(challenge, scopes, sent)

    def _renew(self, challenge: Challenge, scopes: frozenset[str], sent: str | None) -> bool:
        token = self._tokens.get(scopes, ("", 0.0))[0]
        if self._challenge is not None and token:
            if sent != f"Bearer {token}":
                return True
            ended = challenge.parameters.get("error") == "invalid_token" or sent in self._accepted
            if not ended:
                return False
        self._challenge = challenge
        self._tokens[scopes] = self._handshake(challenge, scopes)
        return self._tokens[scopes][0] != token

    def _handshake(self, challenge: Challenge, scopes: frozenset[str]) -> tuple[str, float]:
        """Return a token for the scopes and when to replace it."""
        origin, path = self._resolve(challenge.parameters["realm"])
        credential = self._credential
        if credential is not None and credential.is_token and origin.host != self._origin.host:
            # An API token can do more than a registry's password: it is for the zone's own hosts only.
            raise UnauthorizedError(
                f"{self._origin.authority} wants the token sent to another host, {origin.authority}",
                hint="Tokens of a zone go to that zone only; is this the registry of the zone?",
            )
        wanted = sorted(scopes) or [scope for scope in (challenge.parameters.get("scope"),) if scope]
        fields = [("service", challenge.parameters["service"])] if challenge.parameters.get("service") else []
        headers = {"Accept": "application/json"}
        if credential is not None and credential.username == IDENTITY_TOKEN_USER:
            form = [*fields, ("grant_type", "refresh_token"), ("refresh_token", credential.secret)]
            form += [("client_id", "appuio.registry"), ("scope", " ".join(wanted))]
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            request = Request("POST", path, headers, BytesBody(urlencode(form).encode()))
        else:
            if credential is not None:
                headers["Authorization"] = f"Basic {basic(credential)}"
            fields += [("scope", scope) for scope in wanted]
            request = Request("GET", f"{path}{'&' if '?' in path else '?'}{urlencode(fields)}", headers)
        answer = self._fetch(origin, request)
        document = answer.json()
        given: dict[str, Any] = document if isinstance(document, dict) else {}
        token = given.get("token") or given.get("access_token")
        if answer.status != 200 or not isinstance(token, str) or not _BEARER_TOKEN.fullmatch(token):
            raise self._refused(origin, answer)
        lifetime = given.get("expires_in")
        if isinstance(lifetime, (int, float)) and 0 < lifetime < 1e9:
            return token, self._now() + lifetime * _SHARE_OF_LIFETIME
        return token, float("inf")

    def _refused(self, realm: Origin, answer: Response) -> AppuioError:
        start = f"{realm.authority} gave no token for {self._origin.authority}"
        if answer.status in PASSING_STATUSES:
            return ServerError(
                f"{start}: it answered with status {answer.status}",
                status=answer.status,
                retry_after=retry_after(answer.headers, self._now()),
                hint="It may pass: try again later",
            )
        if answer.status in (400, 401, 403):
            who = "the credential" if self._credential else "an anonymous request"
            return UnauthorizedError(
                f"{start}: it refused {who} ({answer.status})",
                hint="Are user name and password right, and may they read or write this repository?"
                if self._credential
                else "Give a credential, if this repository is not open to everybody",
            )
        return ServerError(
            f"{start}: its answer, with status {answer.status}, holds none",
            status=answer.status,
            hint="Is this a registry, and what stands in front of it?",
        )


class Challenge(NamedTuple):
    """One scheme, in lower case, with its parameters."""

    scheme: str
    parameters: dict[str, str]


def parse_challenges(values: list[str]) -> list[Challenge]:
    """Return the challenges of all WWW-Authenticate headers, in their order; what is unreadable is left out.

    Each character is looked at once, and of a header no more than ``LONGEST_HEADER`` of them.
    """
    challenges: list[Challenge] = []
    for value in values:
        challenges += _challenges(value[:LONGEST_HEADER])
    return challenges[:MOST_CHALLENGES]


def _challenges(text: str) -> list[Challenge]:
    challenges: list[Challenge] = []
    position = 0
    while True:
        position = _end(_SEPARATOR, text, position)
        if position == len(text):
            return challenges
        token = _TOKEN.match(text, position)
        if token is None:
            position += 1
            continue
        equals = _EQUALS.match(text, token.end())
        if equals is None or not challenges:
            challenges.append(Challenge(token.group().lower(), {}))
            position = token.end()
            continue
        quoted = _QUOTED.match(text, equals.end())
        if quoted is not None:
            content, position = _ESCAPED.sub(r"\1", quoted.group(1)), quoted.end()
        else:
            position = _end(_PLAIN, text, equals.end())
            content = text[equals.end() : position]
        challenges[-1].parameters.setdefault(token.group().lower(), content)


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Return where a pattern that matches everywhere, if only nothing, ends."""
    match = pattern.match(text, position)
    return match.end() if match else position
