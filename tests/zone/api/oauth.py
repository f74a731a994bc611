# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The OAuth server of a zone: the password flow of ``oc login`` and ``community.okd.openshift_auth``."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from typing import Any
from urllib.parse import parse_qs, urlencode

from ..http.exchange import Exchange
from ..settings import Settings
from .authentication import Authentication, account_user, oauth_token_name
from .store import Object, Store

CLIENT = "openshift-challenging-client"
GROUP = "oauth.openshift.io"
_TOKEN_SECONDS = 86400


class OAuth:
    """Users with passwords, and the tokens they get."""

    def __init__(self, store: Store, authentication: Authentication, settings: Settings) -> None:
        self._store, self._authentication, self._settings = store, authentication, settings
        self.issuer = ""
        self.passwords: dict[str, str] = {}
        self._codes: dict[str, tuple[str, str]] = {}

    def handle(self, exchange: Exchange) -> bool:
        """Answer a request when it is one for the OAuth server; tells whether it was."""
        if exchange.path == "/.well-known/oauth-authorization-server" and exchange.method == "GET":
            exchange.reply_json(200, self._metadata())
        elif exchange.path == "/oauth/authorize" and exchange.method in ("GET", "POST"):
            self._authorize(exchange)
        elif exchange.path == "/oauth/token" and exchange.method == "POST":
            self._token(exchange)
        elif exchange.path == "/oauth/token/display" and exchange.method == "GET":
            page = b"<html><body>Log in to see your API token.</body></html>"
            exchange.reply(200, page, [("Content-Type", "text/html")])
        else:
            return False
        return True

    def new_token(self, user_name: str, client: str = CLIENT) -> str:
        """Give a user a new token, and make its OAuthAccessToken object."""
        stored = self._store.get("user.openshift.io", "users", "", user_name)
        uid = stored["metadata"]["uid"] if stored else ""
        groups = tuple(
            group["metadata"]["name"]
            for group in self._store.items("user.openshift.io", "groups")
            if user_name in (group.get("users") or [])
        )
        token = self._authentication.oauth_token(account_user(user_name, uid, groups))
        item: Object = {
            "apiVersion": f"{GROUP}/v1",
            "kind": "OAuthAccessToken",
            "metadata": {"name": oauth_token_name(token)},
            "clientName": client,
            "expiresIn": _TOKEN_SECONDS,
            "scopes": ["user:full"],
            "redirectURI": f"{self.issuer}/oauth/token/implicit",
            "userName": user_name,
            "userUID": uid,
        }
        self._store.create(GROUP, "oauthaccesstokens", "", item)
        return token

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/oauth/authorize",
            "token_endpoint": f"{self.issuer}/oauth/token",
            "scopes_supported": ["user:check-access", "user:full", "user:info", "user:list-projects"],
            "response_types_supported": ["code", "token"],
            "grant_types_supported": ["authorization_code", "implicit"],
            "code_challenge_methods_supported": ["plain", "S256"],
        }

    def _authorize(self, exchange: Exchange) -> None:
        query = exchange.query
        if query.get("client_id") != CLIENT:
            exchange.reply_json(400, {"error": "unauthorized_client", "error_description": "The client is not known."})
            return
        user = self._password_user(exchange)
        if user is None:
            headers = [("WWW-Authenticate", 'Basic realm="openshift"')]
            if not self._settings.password_flow:
                headers = [("Link", f'<{self.issuer}/oauth/token/display>; rel="related"')]
            elif not exchange.headers.get("X-CSRF-Token"):
                text = "A non-empty X-CSRF-Token header is required to receive basic-auth challenges"
                headers = [("Warning", f'199 Origin "{text}"')]
            exchange.reply(401, b"", headers)
            return
        exchange.record.user = user
        redirect = query.get("redirect_uri") or f"{self.issuer}/oauth/token/implicit"
        state = {"state": query["state"]} if "state" in query else {}
        if query.get("response_type") == "code":
            code = "sha256~" + secrets.token_urlsafe(32)
            self._codes[code] = (user, query.get("code_challenge", ""))
            exchange.reply(302, b"", [("Location", f"{redirect}?{urlencode({'code': code, **state})}")])
            return
        if query.get("response_type") != "token":
            exchange.reply_json(400, {"error": "unsupported_response_type"})
            return
        parts = {
            "access_token": self.new_token(user),
            "expires_in": str(_TOKEN_SECONDS),
            "scope": "user:full",
            "token_type": "Bearer",
            **state,
        }
        exchange.reply(302, b"", [("Location", f"{redirect}#{urlencode(parts)}")])

    def _token(self, exchange: Exchange) -> None:
        form = {name: values[0] for name, values in parse_qs(exchange.read(65536).decode("latin-1")).items()}
        client = exchange.basic()[0] or form.get("client_id", "")
        user, challenge = self._codes.pop(form.get("code", ""), ("", ""))
        verified = not challenge or challenge in (
            form.get("code_verifier"),
            base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
            .rstrip(b"=")
            .decode(),
        )
        if client != CLIENT:
            exchange.reply_json(401, {"error": "unauthorized_client"})
        elif form.get("grant_type") != "authorization_code":
            exchange.reply_json(400, {"error": "unsupported_grant_type"})
        elif not user or not verified:
            exchange.reply_json(400, {"error": "invalid_grant"})
        else:
            exchange.record.user = user
            token = self.new_token(user)
            exchange.reply_json(
                200,
                {"access_token": token, "expires_in": _TOKEN_SECONDS, "scope": "user:full", "token_type": "Bearer"},
            )

    def _password_user(self, exchange: Exchange) -> str | None:
        if not self._settings.password_flow or exchange.headers.get("Authorization")[:6].lower() != "basic ":
            return None
        name, password = exchange.basic()
        if name in self.passwords and secrets.compare_digest(self.passwords[name].encode(), password.encode()):
            return name
        time.sleep(0.05)
        return None
