# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens and who they stand for: users' OAuth tokens, service accounts' legacy and bound tokens."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ..settings import Settings
from .signed_token import signed_token, unpadded_base64

ISSUER = "https://kubernetes.default.svc"


@dataclass(frozen=True)
class User:
    """Who asks."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


def service_account_user(namespace: str, name: str, uid: str) -> User:
    """Return the user that a service account is."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(f"system:serviceaccount:{namespace}:{name}", groups, uid)


def account_user(name: str, uid: str, groups: tuple[str, ...] = ()) -> User:
    """Return the user that somebody with an OAuth token is."""
    return User(name, (*groups, "system:authenticated", "system:authenticated:oauth"), uid)


@dataclass
class _Token:
    user: User
    expires: float | None = None
    audience_fits: bool = True
    ends: float | None = None  # when a revocation takes effect
    belongs_to: tuple[str, ...] = ()


class Authentication:
    """All tokens of a zone; a revoked one is refused after the settings' delay, as the caches of a cluster do."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._tokens: dict[str, _Token] = {}
        self._lock = threading.Lock()
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def user(self, token: str) -> User | None:
        """Return who a token stands for, or None when it is not (or no longer) good."""
        if token == "anonymous":
            return ANONYMOUS
        with self._lock:
            known = self._tokens.get(token)
            now = self._clock()
            if known is None or not known.audience_fits:
                return None
            if (known.expires is not None and known.expires <= now) or (known.ends is not None and known.ends <= now):
                return None
            return known.user

    def oauth_token(self, user: User) -> str:
        """Make an OAuth access token of a user."""
        token = "sha256~" + secrets.token_urlsafe(32)
        self._keep(token, _Token(user, belongs_to=("oauth", oauth_token_name(token))))
        return token

    def legacy_token(self, namespace: str, account: str, uid: str, secret: str, secret_uid: str) -> str:
        """Make the token that a Secret of type kubernetes.io/service-account-token holds; it never expires."""
        prefix = "kubernetes.io/serviceaccount/"
        token = self._signed(
            {
                "iss": "kubernetes/serviceaccount",
                prefix + "namespace": namespace,
                prefix + "secret.name": secret,
                prefix + "service-account.name": account,
                prefix + "service-account.uid": uid,
                "sub": f"system:serviceaccount:{namespace}:{account}",
            }
        )
        user = service_account_user(namespace, account, uid)
        self._keep(token, _Token(user, belongs_to=("uid", uid, secret_uid)))
        return token

    def bound_token(
        self, namespace: str, account: str, uid: str, seconds: int, audiences: list[str], bound_to: str = ""
    ) -> tuple[str, float]:
        """Make the token of a TokenRequest; returns it and when it expires (seconds since the epoch)."""
        now = int(self._clock())
        token = self._signed(
            {
                "aud": audiences,
                "exp": now + seconds,
                "iat": now,
                "iss": ISSUER,
                "jti": secrets.token_hex(16),
                "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": account, "uid": uid}},
                "nbf": now,
                "sub": f"system:serviceaccount:{namespace}:{account}",
            }
        )
        user = service_account_user(namespace, account, uid)
        fits = ISSUER in audiences
        self._keep(token, _Token(user, float(now + seconds), fits, belongs_to=("uid", uid, bound_to)))
        return token, float(now + seconds)

    def revoke(self, token: str, delay: float | None = None) -> None:
        """Let a token end, after the delay."""
        with self._lock:
            if known := self._tokens.get(token):
                self._end(known, delay)

    def expire(self, token: str) -> None:
        """Let a token be past its time."""
        with self._lock:
            if known := self._tokens.get(token):
                known.expires = self._clock() - 1

    def revoke_all_of(self, owner: str, delay: float | None = None) -> None:
        """Let the tokens end that belong to an object (its UID) or are named so (an OAuth token's object name)."""
        with self._lock:
            for known in self._tokens.values():
                if owner and owner in known.belongs_to:
                    self._end(known, delay)

    def _end(self, known: _Token, delay: float | None) -> None:
        if known.ends is None or delay == 0.0:
            known.ends = self._clock() + (self._delay(known) if delay is None else delay)

    def _delay(self, known: _Token) -> float:
        of_users = self._settings.user_revocation_delay
        if known.belongs_to[:1] == ("oauth",) and of_users is not None:
            return of_users
        return self._settings.revocation_delay

    def _keep(self, token: str, known: _Token) -> None:
        with self._lock:
            self._tokens[token] = known

    def _signed(self, claims: dict[str, Any]) -> str:
        return signed_token({"alg": "RS256", "kid": "zone"}, claims, self._sign)

    def _sign(self, message: bytes) -> bytes:
        return self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def oauth_token_name(token: str) -> str:
    """Return the name of the OAuthAccessToken object of a token (its digest, so that the name is no secret)."""
    digest = hashlib.sha256(token.removeprefix("sha256~").encode()).digest()
    return "sha256~" + unpadded_base64(digest)
