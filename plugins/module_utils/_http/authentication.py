# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who we are towards one origin: an API token as it is, Basic, or the token handshake of registries.

Source: CNCF Distribution, "Token Authentication Specification" and "OAuth2 Token Authentication"; OpenShift
takes the token of its API directly as a bearer token, and says so by a realm that ends in /openshift/token.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Callable

from .._targets import Credential, basic
from .message import Response

if TYPE_CHECKING:
    from .challenges import Challenge
    from .token_exchange import TokenExchange

OPENSHIFT_REALM = "/openshift/token"


class Authentication:
    """The Authorization header for one origin, learned from its challenges; safe for several threads.

    ``exchange`` returns what fetches tokens, where a challenge asks for that; ``now`` is the time in seconds.
    """

    def __init__(
        self, credential: Credential | None, exchange: Callable[[], TokenExchange], now: Callable[[], float]
    ) -> None:
        self._credential = credential
        self._exchange = exchange
        self._now = now
        self._lock = threading.Lock()
        self._basic = False
        self._challenge: Challenge | None = None
        self._tokens: dict[frozenset[str], tuple[str, float]] = {}
        self._accepted: set[str] = set()

    def header(self, scopes: frozenset[str]) -> str | None:
        """Return the value of the Authorization header for a request, or None; raises as ``TokenExchange.token``."""
        with self._lock:
            if self._challenge is not None:
                token, ends = self._tokens.get(scopes, ("", 0.0))
                if not token or ends <= self._now():
                    token, _ends = self._tokens[scopes] = self._exchange().token(self._challenge, scopes)
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
        from .challenges import parse_challenges  # a token that is taken as it is meets no challenge

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
        self._tokens[scopes] = self._exchange().token(challenge, scopes)
        return self._tokens[scopes][0] != token
