# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token handshake of registries: what a realm wants to know of us, and the token that it gives for that.

Source: CNCF Distribution, "Token Authentication Specification" and "OAuth2 Token Authentication".
"""

from __future__ import annotations

import re
from typing import Any, Callable
from urllib.parse import urlencode

from .._errors import AppuioError, ServerError, UnauthorizedError
from .._targets import Credential, basic
from .challenges import Challenge
from .message import BytesBody, Origin, Request, Response
from .retry import PASSING_STATUSES, Attempts, Clock, retry_after
from .transports import MOST_REDIRECTS, ODD_ADDRESS, Transports

IDENTITY_TOKEN_USER = "<token>"
_BEARER_TOKEN = re.compile(r"[!-~]+")
# A token that says when it ends is renewed before that, so that no upload is refused after its last byte.
_SHARE_OF_LIFETIME = 0.8


class TokenExchange:
    """Fetches tokens for requests to ``origin``; ``attempts`` are those of one token. Safe for several threads."""

    def __init__(
        self,
        origin: Origin,
        credential: Credential | None,
        transports: Transports,
        attempts: Callable[[], Attempts],
        clock: Clock,
    ) -> None:
        self._origin = origin
        self._credential = credential
        self._transports = transports
        self._attempts = attempts
        self._clock = clock

    def token(self, challenge: Challenge, scopes: frozenset[str]) -> tuple[str, float]:
        """Return a token for the scopes and when to replace it, in seconds; raises AppuioError."""
        origin, path = self._transports.resolve(self._origin, "/", challenge.parameters["realm"])
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
            return token, self._clock.now() + lifetime * _SHARE_OF_LIFETIME
        return token, float("inf")

    def _refused(self, realm: Origin, answer: Response) -> AppuioError:
        start = f"{realm.authority} gave no token for {self._origin.authority}"
        if answer.status in PASSING_STATUSES:
            return ServerError(
                f"{start}: it answered with status {answer.status}",
                status=answer.status,
                retry_after=retry_after(answer.headers, self._clock.now()),
                hint="This may be temporary: try again later",
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

    def _fetch(self, origin: Origin, request: Request) -> Response:
        """Ask a realm for a token, wherever its endpoint has moved to; a lost connection is for the caller's attempts.

        Source: RFC 9110, 15.4.2: a client may repeat a POST that a 301 answers; without its form it would be useless.
        """
        attempts = self._attempts()
        carries = request.body is not None or "Authorization" in request.headers
        for _hop in range(MOST_REDIRECTS + 1):
            while True:
                opened = self._transports.send(origin, request)
                try:
                    response = Response(opened.status, opened.headers, opened.read(1 << 20))
                finally:
                    opened.close()
                asked = retry_after(response.headers, self._clock.now())
                if response.status not in PASSING_STATUSES or not attempts.again(asked):
                    break
            location = response.headers.get("location")
            if response.status not in (301, 302, 307, 308) or not location:
                return response
            target, path = self._transports.resolve(origin, request.target, str(location))
            if carries and target.host != origin.host:
                raise UnauthorizedError(
                    f"{origin.authority} redirects to another host, {target.authority}, which gets no credential",
                    hint=ODD_ADDRESS,
                )
            origin, request = target, request._replace(target=path)
        raise ServerError(f"{origin.authority} redirects more than {MOST_REDIRECTS} times", hint=ODD_ADDRESS)
