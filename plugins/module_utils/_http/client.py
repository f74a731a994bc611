# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to one server: authenticated, repeated where that can help, redirected without credentials."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import Callable, Iterator, Mapping
from urllib.parse import urljoin, urlsplit

from .._credential import Credential
from .._errors import AppuioError, ConnectionFailedError, ServerError
from .._targets import Connection
from .authentication import Authentication
from .failures import ConnectionLostError, NotTlsError
from .message import Body, BytesBody, Origin, Request, Response
from .proxy import proxy_for
from .retry import PASSING_STATUSES, SYSTEM_CLOCK, Attempts, Clock, retry_after
from .tls import tls_context
from .transport import OpenResponse, Transport

LARGEST_ANSWER = 16 * 1024 * 1024
MOST_REDIRECTS = 5
USER_AGENT = "appuio.registry"


def passing(response: Response) -> bool:
    """Whether an answer tells of trouble that can pass."""
    return response.status in PASSING_STATUSES


class HttpClient:
    """A client of one origin; ``ca_file`` holds authorities that are trusted besides the system's.

    The credential goes to this origin, and to the realm it names, and nowhere else. A server that does not
    speak TLS is spoken to without it when ``plain_http`` asks for that, or on loopback with ``validate_certs``
    off. With ``follow`` off, a redirection is an answer like any other.
    """

    def __init__(
        self,
        origin: str,
        connection: Connection,
        ca_file: str | None = None,
        credential: Credential | None = None,
        clock: Clock = SYSTEM_CLOCK,
        follow: bool = True,
    ) -> None:
        self._follow = follow
        self.origin = Origin.of(origin)
        self.clock = clock
        self._connection = connection
        self._ca_file = ca_file
        self._credential = credential
        self._transports: dict[tuple[Origin, bool], Transport] = {}
        self._lock = threading.Lock()
        self._authentication = Authentication(self.origin, credential, self._fetch)

    def attempts(self) -> Attempts:
        """Return the attempts that the user allows for one piece of work."""
        return Attempts(self._connection.retries, self._connection.retry_delay, self.clock)

    def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        step: str | None = None,
        scopes: frozenset[str] = frozenset(),
        transient: Callable[[Response], bool] = passing,
    ) -> Response:
        """Return the answer, whatever its status, after retries; raises ConnectionFailedError,
        TlsVerificationError, UnauthorizedError.

        ``target`` is a path of this origin, or a URL that the server gave; ``transient`` says which
        answers are worth asking again.
        """
        attempts = self.attempts()
        content = BytesBody(body) if body is not None else None
        while True:
            try:
                with self.open(method, target, headers, content, step=step, scopes=scopes) as opened:
                    response = _whole(opened)
                    if not transient(response):
                        return response
                if not attempts.again(retry_after(response.headers, self.clock.now())):
                    return response
            except ConnectionLostError as error:
                if not attempts.again():
                    raise error.at(step=step) from None

    @contextmanager
    def open(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        offset: int = 0,
        step: str | None = None,
        scopes: frozenset[str] = frozenset(),
    ) -> Iterator[OpenResponse]:
        """Make one attempt and give its answer with the body unread; raises as ``request``, and ConnectionLostError."""
        try:
            opened = self._authenticated(method, target, dict(headers or {}), body, offset, scopes)
        except AppuioError as error:
            raise error.at(step=step) from None
        try:
            yield opened
        except AppuioError as error:
            raise error.at(step=step) from None
        finally:
            opened.close()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            transports, self._transports = list(self._transports.values()), {}
        for transport in transports:
            transport.close()

    def abort(self) -> None:
        """End all requests that are running."""
        self.close()

    def _authenticated(
        self, method: str, target: str, headers: dict[str, str], body: Body | None, offset: int, scopes: frozenset[str]
    ) -> OpenResponse:
        place, path = self._place(target)
        headers.setdefault("User-Agent", USER_AGENT)
        own = place == self.origin and not any(name.lower() == "authorization" for name in headers)
        for _round in range(3):
            sent = self._authentication.header(scopes) if own else None
            request = Request(method, path, {**headers, **({"Authorization": sent} if sent else {})}, body, offset)
            opened = self._redirected(place, request)
            if opened.status != 401 or not own:
                return opened
            refused = Response(opened.status, opened.headers)
            if not self._authentication.learn(refused, scopes, sent):
                return opened
            opened.read(LARGEST_ANSWER)
            opened.close()
        return opened

    def _redirected(self, place: Origin, request: Request) -> OpenResponse:
        opened = self._send(place, request)
        if not self._follow:
            return opened
        url = f"{place}{request.target}"
        for _hop in range(MOST_REDIRECTS):
            location = opened.headers.get("location")
            if opened.status not in (301, 302, 303, 307, 308) or request.method not in ("GET", "HEAD") or not location:
                return opened
            opened.close()
            url = urljoin(url, location)
            target = Origin.of(url)
            if target.scheme not in ("http", "https") or (place.scheme == "https" and target.scheme != "https"):
                raise ConnectionFailedError(f"{place.authority} redirects to {target}, which is not safe")
            headers = dict(request.headers)
            if target != self.origin:
                headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
            opened = self._send(target, Request(request.method, _path(url), headers))
        opened.close()
        raise ServerError(f"{place.authority} redirects more than {MOST_REDIRECTS} times", status=opened.status)

    def _place(self, target: str) -> tuple[Origin, str]:
        """A URL of our own host stays with our scheme: servers behind a route may not know theirs."""
        if target.startswith("/"):
            return self.origin, target
        url = urljoin(f"{self.origin}/", target)
        place = Origin.of(url)
        if place.host == self.origin.host and (place.port in (self.origin.port, 80, 443)):
            place = self.origin
        if self.origin.scheme == "https" and place.scheme != "https":
            raise ConnectionFailedError(f"{self.origin.authority} sends us to {place}, which is not safe")
        return place, _path(url)

    def _send(self, place: Origin, request: Request) -> OpenResponse:
        try:
            return self._transport(place, plain=False).send(request)
        except NotTlsError:
            how = self._connection
            if not (how.plain_http or (place.is_loopback and not how.validate_certs)):
                raise
            return self._transport(place, plain=True).send(request)

    def _fetch(self, place: str, request: Request) -> Response:
        """Ask a realm for a token; it has the same attempts as any request."""
        attempts = self.attempts()
        while True:
            try:
                opened = self._send(Origin.of(place), request)
                try:
                    response = _whole(opened)
                finally:
                    opened.close()
                asked = retry_after(response.headers, self.clock.now())
                if not passing(response) or not attempts.again(asked):
                    return response
            except ConnectionLostError:
                if not attempts.again():
                    raise

    def _transport(self, place: Origin, plain: bool) -> Transport:
        with self._lock:
            found = self._transports.get((place, plain)) or self._transports.get((place, True))
            if found is None:
                found = self._transports[(place, plain)] = self._made(place, plain)
            return found

    def _made(self, place: Origin, plain: bool) -> Transport:
        how = self._connection
        if plain:
            place = Origin("http", place.host, place.port)
        own = place == self.origin
        tls = None
        if place.scheme == "https":
            certificate, key = (how.client_cert, how.client_key) if own else (None, None)
            tls = tls_context(how.validate_certs, self._ca_file, certificate, key)
        return Transport(place, tls, proxy_for(place, how.proxy), how.timeout)


def _whole(opened: OpenResponse) -> Response:
    return Response(opened.status, opened.headers, opened.read(LARGEST_ANSWER))


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
