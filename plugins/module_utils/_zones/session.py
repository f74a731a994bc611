# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One zone's way in, opened once: its credential, its registry, its API, and the end of them.

A credential goes to the host it is for, and nowhere else: the registry gets the credential for the registry, the
API gets a token of the API, and a registry's password never reaches an API.
"""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING

from .._credentials.method import ApiLogin, Method, ResolvedCredential
from .._credentials.select import select_method
from .._errors import (
    AppuioError,
    ConnectionFailedError,
    InvalidOptionError,
    TlsVerificationError,
    UnauthorizedError,
)
from .._http.client import HttpClient
from .._registry.manifest_reader import ManifestReader
from .._targets import RunContext, Target

if TYPE_CHECKING:
    from .._openshift.client import Api
    from .._registry.client import RegistryClient

# Seconds for what is good to know of the API and not needed: it holds nothing up where the API is away.
OPTIONAL_TIMEOUT = 5.0


class _Opened:
    """What was opened of a zone, the same for all its namespaces; ``error`` is why nothing more is asked of it."""

    def __init__(self) -> None:
        self.http: HttpClient | None = None
        self.credential: ResolvedCredential | None = None
        self.api: Api | None = None
        self.optional_api: Api | None = None
        self.apis: list[Api] = []
        self.error: AppuioError | None = None


class ZoneSession:
    """One zone of a task; safe for several threads. Making one asks no server; raises InvalidOptionError."""

    def __init__(self, target: Target, context: RunContext, method: Method | None = None) -> None:
        self.target = target
        self.name = target.zone.name
        self.api_unavailable = ""
        self._method = method or select_method(target, context)
        self._lock = threading.RLock()
        self._opened = _Opened()

    def in_namespace(self, namespace: str) -> ZoneSession:
        """Return the same session for another namespace: what one opens serves both, and the first one closes it."""
        session = copy.copy(self)
        session.target = self.target._replace(namespace=namespace)
        return session

    def note_failure(self, error: AppuioError | None) -> None:
        """Where the registry cannot be reached or takes no credential, ask it no more: others get the error at once."""
        if isinstance(error, (ConnectionFailedError, TlsVerificationError, UnauthorizedError)):
            self._opened.error = self._opened.error or error

    def abort(self) -> None:
        """Cut all connections to the registry, as ``HttpClient.abort`` does, until ``resume``."""
        http = self._opened.http
        if http is not None:
            http.abort()

    def resume(self) -> None:
        """Permit requests to the registry again."""
        http = self._opened.http
        if http is not None:
            http.resume()

    @property
    def namespace(self) -> str:
        """The namespace; raises InvalidOptionError where none is named."""
        if not self.target.namespace:
            raise InvalidOptionError("namespace is missing", zone=self.name)
        return self.target.namespace

    @property
    def address(self) -> str:
        """The registry as ``host[:port]``; raises InvalidOptionError where there is none."""
        if self.target.zone.registry is None:
            raise InvalidOptionError(f"zone {self.name} has no registry", hint="Give zone or registry")
        return self.target.zone.registry

    @property
    def method(self) -> Method:
        """Which way to be somebody this is."""
        return self._method

    @property
    def credential(self) -> ResolvedCredential:
        """The credential for the registry, asked for once; raises AppuioError."""
        with self._lock:
            if self._opened.credential is None:
                try:
                    self._opened.credential = self._method.credential()
                except AppuioError as error:
                    raise error.at(zone=self.name, step="credentials") from None
            return self._opened.credential

    @property
    def registry(self) -> RegistryClient:
        """The registry, asked with the credential; raises AppuioError."""
        return self.client(self.manifests)

    @property
    def manifests(self) -> ManifestReader:
        """The same for who reads manifests only; raises AppuioError."""
        return ManifestReader(self.name, self.address, self._http())

    def client(self, manifests: ManifestReader) -> RegistryClient:
        """Return the registry over the connections of what reads its manifests."""
        from .._registry.client import RegistryClient  # a push that changes nothing needs no more than manifests

        return RegistryClient(self.name, self.address, manifests.http)

    def repository(self, name: str) -> str:
        """Return a repository of the namespace as the registry names it."""
        return f"{self.namespace}/{name}"

    def api(self) -> Api:
        """Return the zone's API; raises AppuioError where nothing names it, or the credential is none for it."""
        with self._lock:
            if self._opened.api is None:
                self._opened.api = self._open(self._login())
            return self._opened.api

    def check_api(self) -> None:
        """Raise AppuioError where the credential is known to be none for the API, or nothing names it; asks nobody."""
        if not self._method.reaches_api or self._method.known_credential() is not None:
            self._login()

    def api_as(self, token: str) -> Api:
        """Return the zone's API as somebody else sees it; raises AppuioError as ``api`` does."""
        login = self._login()
        own = self.target.connection
        how = login.address.connection._replace(client_cert=own.client_cert, client_key=own.client_key)
        return self._open(ApiLogin(login.address._replace(connection=how), token))

    def optional_api(self) -> Api | None:
        """Return the API for what is good to know but not needed; ``api_unavailable`` says why there is none.

        It is asked once, for a few seconds. What it raises then is for the caller to leave aside.
        """
        from .._openshift.client import missing_library

        missing = missing_library()
        if missing:
            self.api_unavailable = f"the Python package {missing} is not installed where this runs"
            return None
        try:
            login = self._login()
        except AppuioError as error:
            self.api_unavailable = error.message
            return None
        how = login.address.connection
        quick = how._replace(timeout=min(OPTIONAL_TIMEOUT, how.timeout), retries=0)
        with self._lock:
            if self._opened.optional_api is None:
                self._opened.optional_api = self._open(login._replace(address=login.address._replace(connection=quick)))
            return self._opened.optional_api

    def close(self) -> None:
        """Give back connections, and end a token that was only fetched for this task."""
        with self._lock:
            http, self._opened.http = self._opened.http, None
            apis, self._opened.apis = self._opened.apis, []
            self._opened.api = self._opened.optional_api = None
        if http is not None:
            http.close()
        for api in apis:
            api.close()
        self._method.release()

    def _http(self) -> HttpClient:
        with self._lock:
            if self._opened.error is not None:
                raise copy.copy(self._opened.error)
            if self._opened.http is None:
                connection = self.target.connection
                authorities = connection.registry_ca_cert or connection.ca_cert
                credential = self.credential.credential
                self._opened.http = HttpClient(f"https://{self.address}", connection, authorities, credential)
            return self._opened.http

    def _login(self) -> ApiLogin:
        try:
            return self._method.api_login()
        except AppuioError as error:
            raise error.at(zone=self.name, step="credentials") from None

    def _open(self, login: ApiLogin) -> Api:
        api = login.api()
        with self._lock:
            self._opened.apis.append(api)
        return api
