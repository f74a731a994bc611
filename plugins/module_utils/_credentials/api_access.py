# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a zone's API for one who has a token there, or gets one for a password."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Callable, Mapping
from urllib.parse import urlsplit

from .._errors import AppuioError, InvalidOptionError, TlsVerificationError
from .._http.client import HttpClient
from .._openshift.client import Api, ApiAddress
from .._openshift.oauth import OAuthToken, discover, password_token
from .._openshift.tokens import revoke_oauth_token
from .._targets import Connection, Target
from .._zone import api_url
from .kinds import Choice, Kubeconfig, Password, Token
from .kubeconfig import kubeconfig_login

_FALSE = ("0", "f", "false", "n", "no", "off")


@dataclass
class ApiAccess:
    """An API, how it is reached, and the token to ask it with; a context manager that closes what it opened.

    ``fetched`` says that the token was got for a password, and ``expires_at`` when it ends, where known.
    """

    host: str
    token: str = field(repr=False)
    connection: Connection = field(default_factory=Connection, repr=False)
    fetched: bool = False
    expires_at: float | None = None
    resources: ExitStack = field(default_factory=ExitStack, repr=False)

    def api(self, token: str | None = None) -> Api:
        """Return the API for the token, or for another one."""
        api = Api(ApiAddress(self.host, self.connection), token or self.token)
        self.resources.callback(api.close)
        return api

    def revoke(self) -> None:
        """Let a token that was got for a password end; one that cannot be revoked ends by itself within a day."""
        if self.fetched:
            try:
                revoke_oauth_token(self.api(), self.token)
            except AppuioError:
                pass
        self.close()

    def close(self) -> None:
        """Give back connections and files."""
        self.resources.close()

    def __enter__(self) -> ApiAccess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def api_access(
    choice: Choice, target: Target, environment: Mapping[str, str], register_secret: Callable[[str], None]
) -> ApiAccess:
    """Return the access to a zone's API that a choice of credential gives; raises AppuioError."""
    kind = choice.kind
    if isinstance(kind, Kubeconfig):
        return _kubeconfig_access(kind, choice, target, environment, register_secret)
    host = _host(target, environment, choice)
    connection = api_connection(target, environment if choice.environment else {})
    if isinstance(kind, Token):
        return ApiAccess(host, kind.secret, connection)
    if isinstance(kind, Password):
        register_secret(kind.secret)
        fetched = _fetched(kind, host, connection, target.connection.registry_ca_cert)
        register_secret(fetched.token)
        ends = time.time() + fetched.seconds if fetched.seconds else None
        return ApiAccess(host, fetched.token, connection, fetched=True, expires_at=ends)
    raise InvalidOptionError(f"{kind.source} gives no access to the API")


def api_connection(target: Target, environment: Mapping[str, str]) -> Connection:
    """Return how the API is reached; of the environment only what belongs to a credential from there."""
    connection = target.connection
    if environment.get("K8S_AUTH_SSL_CA_CERT") and not connection.ca_cert:
        connection = replace(connection, ca_cert=environment["K8S_AUTH_SSL_CA_CERT"])
    if environment.get("K8S_AUTH_VERIFY_SSL", "").strip().lower() in _FALSE and not connection.ca_cert:
        connection = replace(connection, validate_certs=False)
    return connection


def connect(url: str, connection: Connection) -> HttpClient:
    """Return a client for the origin of a URL that trusts ``ca_cert`` and follows no redirection.

    An OAuth server answers with redirections that are meant for a browser, and what they carry is the answer.
    """
    parts = urlsplit(url)
    return HttpClient(f"{parts.scheme}://{parts.netloc}", connection, connection.ca_cert, follow=False)


def _host(target: Target, environment: Mapping[str, str], choice: Choice) -> str:
    host = target.zone.host
    if host is None and choice.environment and environment.get("K8S_AUTH_HOST"):
        host = api_url(environment["K8S_AUTH_HOST"])
    if host is None:
        raise InvalidOptionError("the API of the zone has to be asked, and nothing names it", hint="Give zone or host")
    return host


def _kubeconfig_access(
    kind: Kubeconfig,
    choice: Choice,
    target: Target,
    environment: Mapping[str, str],
    register_secret: Callable[[str], None],
) -> ApiAccess:
    login = kubeconfig_login(kind, target.zone.host, environment)
    register_secret(login.token)
    connection = api_connection(target, environment if choice.environment else {})
    access = ApiAccess(api_url(login.server), login.token, connection)
    if not connection.ca_cert and login.ca_data:
        access.connection = replace(connection, ca_cert=_file_of(login.ca_data, access.resources))
    elif not connection.ca_cert and login.ca_file:
        access.connection = replace(connection, ca_cert=login.ca_file)
    if not login.verify and not access.connection.ca_cert:
        access.connection = replace(access.connection, validate_certs=False)
    return access


def _fetched(kind: Password, host: str, connection: Connection, ingress_ca: str | None) -> OAuthToken:
    """The OAuth server is a route, whose authority may be the registry's rather than the API's."""
    http = connect(host, connection)
    try:
        endpoints = discover(http, urlsplit(host).path.rstrip("/"))
    finally:
        http.close()
    try:
        return password_token(endpoints, lambda url: connect(url, connection), kind.username, kind.secret)
    except TlsVerificationError:
        if not ingress_ca or ingress_ca == connection.ca_cert:
            raise
        other = replace(connection, ca_cert=ingress_ca)
        return password_token(endpoints, lambda url: connect(url, other), kind.username, kind.secret)


def _file_of(certificates: bytes, resources: ExitStack) -> str:
    """A path from which certificates can be loaded: in memory where the system can do that."""
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("certificate-authorities")
        resources.callback(os.close, number)
        os.write(number, certificates)
        return f"/proc/self/fd/{number}"
    kept = tempfile.NamedTemporaryFile(suffix=".pem")  # noqa: SIM115
    resources.enter_context(kept)
    kept.write(certificates)
    kept.flush()
    return kept.name
