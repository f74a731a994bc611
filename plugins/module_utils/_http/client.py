# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to one server: authenticated, repeated where that can help, redirected without credentials."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Callable, Iterator, Mapping

from .._errors import AppuioError, ServerError
from .._targets import Connection, Credential
from .authentication import Authentication
from .message import Body, BytesBody, Origin, Request, Response
from .open_response import OpenResponse
from .retry import PASSING_STATUSES, SYSTEM_CLOCK, Attempts, Clock, ConnectionLostError, retry_after
from .transports import MOST_REDIRECTS, ODD_ADDRESS, Transports

if TYPE_CHECKING:
    from .token_exchange import TokenExchange

LARGEST_ANSWER = 16 * 1024 * 1024
USER_AGENT = "appuio.registry"


def passing(response: Response) -> bool:
    """Whether an answer tells of trouble that can pass."""
    return response.status in PASSING_STATUSES


class HttpClient:
    """A client of one origin; ``ca_file`` holds authorities that are trusted besides the system's.

    The credential goes to this origin, and to the realm it names, and nowhere else. A server that does not
    speak TLS is spoken to without it when ``plain_http`` asks for that, or on loopback with ``validate_certs``
    off. With ``follow`` off, a redirection is an answer like any other. Safe for several threads.
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
        self.origin = Origin.given(origin)
        self.clock = clock
        self.credential = credential
        self._connection = connection
        self._transports = Transports(self.origin, connection, ca_file)
        self._authentication = Authentication(credential, self._token_exchange, clock.now)

    def attempts(self) -> Attempts:
        """Return the attempts that the user allows for one piece of work."""
        how = self._connection
        return Attempts(how.retries, how.retry_delay, self.clock, aborted=lambda: self._transports.aborted)

    def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        step: str | None = None,
        scopes: frozenset[str] = frozenset(),
        transient: Callable[[Response], bool] = passing,
        attempts: Attempts | None = None,
    ) -> Response:
        """Return the answer, whatever its status, after retries; raises ConnectionFailedError,
        TlsVerificationError, UnauthorizedError, ServerError, CancelledError.

        ``target`` is a path of this origin, or a URL that the server gave; ``transient`` says which answers
        are worth asking again; ``attempts`` are those of the piece of work that this request is a part of.
        """
        attempts = attempts or self.attempts()
        content = BytesBody(body) if body is not None else None
        while True:
            try:
                with self.open(method, target, headers, content, step=step, scopes=scopes) as opened:
                    response = Response(opened.status, opened.headers, opened.read(LARGEST_ANSWER))
                if not transient(response) or not attempts.again(retry_after(response.headers, self.clock.now())):
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

    def own_target(self, url: str) -> str | None:
        """Return the path and query of a URL of this origin, None for one of another; raises as ``request``."""
        origin, target = self._transports.resolve(self.origin, "/", url)
        return target if origin == self.origin else None

    def close(self) -> None:
        """Close all connections; later requests open new ones."""
        self._transports.close()

    def abort(self) -> None:
        """Cut all connections: threads that wait for one get CancelledError at once, so do new requests, and no wait
        for another attempt goes on.

        For another thread or a signal handler: it takes no lock and waits for nothing. ``resume`` ends it.
        """
        self._transports.abort()

    def resume(self) -> None:
        """Permit requests again, on new connections, when no thread works for what was aborted any more."""
        self._transports.resume()

    def _authenticated(
        self, method: str, target: str, headers: dict[str, str], body: Body | None, offset: int, scopes: frozenset[str]
    ) -> OpenResponse:
        origin, path = self.origin, target
        if not target.startswith("/") or target.startswith("//"):
            origin, path = self._transports.resolve(self.origin, "/", target)
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
        own = origin == self.origin and not any(name.lower() == "authorization" for name in headers)
        for _round in range(3):
            sent = self._authentication.header(scopes) if own else None
            request = Request(method, path, {**headers, **({"Authorization": sent} if sent else {})}, body, offset)
            opened, answered_by = self._redirected(origin, request)
            if not own or answered_by != self.origin:
                return opened
            if opened.status != 401:
                self._authentication.accepted(sent)
                return opened
            if not self._authentication.learn(Response(opened.status, opened.headers), scopes, sent):
                return opened
            opened.finish()
        return opened

    def _redirected(self, origin: Origin, request: Request) -> tuple[OpenResponse, Origin]:
        """Return the answer behind all redirections, and whose it is (RFC 9110, 15.4).

        What was sent to another origin once gets no credential any more, also when it leads back.
        """
        for _hop in range(MOST_REDIRECTS + 1):
            opened = self._transports.send(origin, request)
            location = opened.headers.get("location")
            followed = (301, 302, 303, 307, 308) if request.method in ("GET", "HEAD") else (307, 308)
            if not self._follow or not location or opened.status not in followed:
                return opened, origin
            opened.finish()
            target, path = self._transports.resolve(origin, request.target, str(location))
            if target != origin:
                kept = {name: value for name, value in request.headers.items() if name.lower() != "authorization"}
                request = request._replace(headers=kept)
            origin, request = target, request._replace(target=path)
        raise ServerError(
            f"{origin.authority} redirects more than {MOST_REDIRECTS} times", status=opened.status, hint=ODD_ADDRESS
        )

    def _token_exchange(self) -> TokenExchange:
        from .token_exchange import TokenExchange  # OpenShift takes the token of its API as it is

        return TokenExchange(self.origin, self.credential, self._transports, self.attempts, self.clock)
