# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to one origin over ``http.client``: kept alive, used by one thread at a time, bodies streamed.

Source: RFC 9110 and RFC 9112. A transport repeats nothing but a request on a kept connection that the
server had closed meanwhile; who calls decides on everything else.
"""

from __future__ import annotations

import http.client
import ssl
import threading

from .._errors import AppuioError, CancelledError, InvalidOptionError, SourceError
from .connection import ServerConnection
from .message import BLOCK_SIZE, Body, BytesBody, Origin, Request, is_header_value
from .open_response import OpenResponse
from .proxy import Proxy
from .retry import CONNECTION_ERRORS, as_error

_CLOSED_MEANWHILE = (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class Transport:
    """Connections to one origin, as many as are needed at a time; ``timeout`` in seconds without progress."""

    def __init__(
        self,
        origin: Origin,
        tls: ssl.SSLContext | None,
        proxy: Proxy | None,
        timeout: float,
        proxy_tls: ssl.SSLContext | None = None,
    ) -> None:
        self.origin = origin
        self.server = origin.authority
        self.timeout = timeout
        self._tls = tls
        self._proxy = proxy
        self._proxy_tls = proxy_tls
        self._lock = threading.Lock()
        self._idle: list[ServerConnection] = []
        self._open: set[ServerConnection] = set()
        self._aborted = False
        self._keeps_connections = True

    def send(self, request: Request) -> OpenResponse:
        """Send a request and return its answer; raises ConnectionFailedError, TlsVerificationError, CancelledError,
        and what the reader of the body raises."""
        for name, value in request.headers.items():
            if not is_header_value(value):
                # Never the value itself: it may be a credential.
                raise InvalidOptionError(
                    f"the header {name} cannot be sent to {self.origin.authority}: it holds a line end or other "
                    "characters that no header takes",
                    hint="Was a token or password stored with more than itself?" if name == "Authorization" else None,
                )
        if request.body is None or isinstance(request.body, BytesBody):
            return self._send(request, None)
        body = _OpenBody(request.body, request.offset)
        try:
            return self._send(request, body)
        finally:
            body.close()

    def _send(self, request: Request, body: _OpenBody | None) -> OpenResponse:
        small = body is None
        kept = self._kept() if small or self._keeps_connections else None
        if kept is not None:
            try:
                return self._exchange(kept, request, body)
            except CONNECTION_ERRORS as error:
                closed = isinstance(error, _CLOSED_MEANWHILE)
                # How much of a streamed body got there is for the caller to find out. The next one goes over a new
                # connection, or a server that closes each after its answer would never get it.
                self._keeps_connections = self._keeps_connections and (small or not closed)
                if not (small and closed):
                    raise self.error(error) from None
        try:
            return self._exchange(self._connected(), request, body)
        except CONNECTION_ERRORS as error:
            raise self.error(error) from None

    def _kept(self) -> ServerConnection | None:
        """Return an idle connection that is still open, as routes close them after some minutes; None without one."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                kept = self._idle.pop()
            if not kept.is_closed_by_peer():
                return kept
            self.drop(kept)

    def keep(self, connection: ServerConnection) -> None:
        """Take back a connection whose answer was read to its end."""
        with self._lock:
            if connection.sock is not None and connection in self._open:
                self._idle.append(connection)
                return
        self.drop(connection)

    def drop(self, connection: ServerConnection) -> None:
        """Close a connection that cannot serve again."""
        with self._lock:
            self._open.discard(connection)
        connection.close()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            connections, self._open, self._idle = self._open, set(), []
        for connection in connections:
            connection.close()

    def abort(self) -> None:
        """Cut all connections: whoever waits on one gets CancelledError at once, and so does every new request.

        Takes no lock, so that a signal handler may call it whatever it has interrupted.
        """
        # First the flag, then the connections: a new one is listed before it looks at the flag.
        self._aborted = True
        for connection in list(self._open):
            connection.cut()

    def error(self, error: Exception) -> AppuioError:
        """Return the typed error for an exception on a connection."""
        if self._aborted:
            return CancelledError("the connection was given up, as the task was stopped")
        return as_error(error, self.origin.authority, self.timeout)

    def _exchange(self, connection: ServerConnection, request: Request, body: _OpenBody | None) -> OpenResponse:
        """Send and wait for the answer; a connection on which that fails is closed, whatever the reason."""
        try:
            broken = self._sent(connection, request, body)
            answer = self._answer(connection, broken)
            if broken is not None:
                with self._lock:
                    self._open.discard(connection)
            return OpenResponse(answer, connection, self)
        except BaseException:
            self.drop(connection)
            raise

    def _sent(self, connection: ServerConnection, request: Request, body: _OpenBody | None) -> Exception | None:
        connection.putrequest(request.method, self._target(request), skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", self.origin.authority)
        for name, value in request.headers.items():
            connection.putheader(name, value)
        if request.body is not None:
            connection.putheader("Content-Length", str(request.body.length - request.offset))
        elif request.method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", "0")
        if self._proxy and self.origin.scheme == "http":
            for name, value in self._proxy.headers.items():
                connection.putheader(name, value)
        try:
            connection.endheaders()
            if body is not None:
                body.send(connection)
            elif isinstance(request.body, BytesBody):
                connection.send(request.body.content[request.offset :])
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError) as error:
            return error
        return None

    def _answer(self, connection: ServerConnection, broken: Exception | None) -> http.client.HTTPResponse:
        """A server may refuse a body before it has read it: what it said is worth more than the broken pipe."""
        try:
            return connection.getresponse()
        except CONNECTION_ERRORS:
            if broken is not None:
                raise broken from None
            raise

    def _target(self, request: Request) -> str:
        return f"{self.origin}{request.target}" if self._proxy and self.origin.scheme == "http" else request.target

    def _connected(self) -> ServerConnection:
        made = ServerConnection(
            self.origin, self._tls, self._proxy, self._proxy_tls, self.timeout, lambda: self._aborted
        )
        with self._lock:
            self._open.add(made)
        try:
            made.connect()
        except BaseException:
            self.drop(made)
            raise
        return made


class _OpenBody:
    """A body that is streamed; its first block is read before there is a request.

    What it comes from may take its time, and no server waits for long for a body that does not begin; and where it
    cannot be read at all, no request breaks off.
    """

    def __init__(self, body: Body, offset: int) -> None:
        self._buffer = memoryview(bytearray(BLOCK_SIZE))
        try:
            self._reader = body.open(offset)
        except OSError as error:
            raise _unreadable(error) from None
        try:
            self._count = self._next()
        except BaseException:
            self.close()
            raise

    def send(self, connection: ServerConnection) -> None:
        """Send all of it; raises what the reader raises, and OSError of the connection."""
        while self._count:
            connection.send(self._buffer[: self._count])
            self._count = self._next()

    def close(self) -> None:
        """Give back what the reader holds."""
        self._reader.close()

    def _next(self) -> int:
        try:
            return self._reader.readinto(self._buffer)
        except OSError as error:
            raise _unreadable(error) from None


def _unreadable(error: OSError) -> SourceError:
    """A file that cannot be read is no fault of the connection that it is sent on."""
    return SourceError(
        f"what is to be uploaded cannot be read: {error.strerror or error}",
        hint="Is the file, and the disk that it is on, still there and readable?",
    )
