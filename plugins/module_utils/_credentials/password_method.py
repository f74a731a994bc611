# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Being somebody by user name and password, for which the zone's OAuth server gives a token."""

from __future__ import annotations

import threading
import time
from urllib.parse import urlsplit

from .._errors import AppuioError, InvalidOptionError, TlsVerificationError
from .._http.client import HttpClient
from .._openshift.oauth import OAuthToken, discover, password_token
from .._openshift.resources import ApiAddress
from .._targets import Connection, Credential, RunContext, Target
from .method import ApiLogin, Method, ResolvedCredential


class PasswordMethod(Method):
    """A user of APPUiO Cloud; the token is fetched once, and revoked where it was only needed for this task."""

    def __init__(self, target: Target, context: RunContext, origin: str, user: str, secret: str) -> None:
        super().__init__(target, context, origin)
        self.user = user
        self.secret = secret
        self._fetched: OAuthToken | None = None
        self._ends: float | None = None
        self._lock = threading.Lock()

    @property
    def username(self) -> str:
        """The user's own name."""
        return self.user

    def validate(self) -> None:
        """Raise InvalidOptionError for a user name that cannot go with a password."""
        if ":" in self.user:
            raise InvalidOptionError(
                f"{self.origin}: the user name holds a colon, which separates it from the password"
            )

    def credential(self) -> ResolvedCredential:
        """Return the fetched token; raises AppuioError that tells why there is none."""
        token = self._token()
        found = self.registered(Credential(token, self.username, origin=self.origin))
        return found._replace(expires_at=self._ends)

    def api_login(self) -> ApiLogin:
        """Return the API of the zone, asked with the fetched token."""
        return ApiLogin(ApiAddress(self.api_host(), self.api_connection()), self._token())

    def release(self) -> None:
        """Revoke the token; one that cannot be revoked is reported, and ends by itself within a day."""
        from .._openshift.oauth import revoke_oauth_token

        with self._lock:
            fetched, self._fetched = self._fetched, None
        if fetched is None:
            return
        api = ApiLogin(ApiAddress(self.api_host(), self.api_connection()), fetched.token).api()
        try:
            revoke_oauth_token(api, fetched.token)
        except AppuioError as error:
            self.context.warn(
                f"zone {self.target.zone.name}: the token that was fetched for this task could not be revoked and "
                f"lives on, for a day at most: {error}"
            )
        finally:
            api.close()

    def keep(self) -> None:
        """Let the token live on after this task, as one that was stored has to."""
        with self._lock:
            self._fetched = None

    def _token(self) -> str:
        # Registry and API may be asked from several threads at once, and one token is enough.
        with self._lock:
            if self._fetched is None:
                self.context.register_secret(self.secret)
                self._fetched = self._login()
                self.context.register_secret(self._fetched.token)
                seconds = self._fetched.seconds
                self._ends = time.time() + seconds if seconds else None
            return self._fetched.token

    def _login(self) -> OAuthToken:
        """The OAuth server is a route, whose authority may be the registry's rather than the API's."""
        host, connection = self.api_host(), self.api_connection()
        http = connect(host, connection)
        try:
            endpoints = discover(http, urlsplit(host).path.rstrip("/"))
        finally:
            http.close()
        try:
            return password_token(endpoints, lambda url: connect(url, connection), self.user, self.secret)
        except TlsVerificationError:
            ingress_ca = self.target.connection.registry_ca_cert
            if not ingress_ca or ingress_ca == connection.ca_cert:
                raise
            other = connection._replace(ca_cert=ingress_ca)
            return password_token(endpoints, lambda url: connect(url, other), self.user, self.secret)


def connect(url: str, connection: Connection) -> HttpClient:
    """Return a client for the origin of a URL that trusts ``ca_cert`` and follows no redirection.

    An OAuth server answers with redirections that are meant for a browser, and what they carry is the answer.
    """
    parts = urlsplit(url)
    return HttpClient(f"{parts.scheme}://{parts.netloc}", connection, connection.ca_cert, follow=False)
