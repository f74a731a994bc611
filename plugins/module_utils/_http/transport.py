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
from email.message import Message

from .failures import CONNECTION_ERRORS, ConnectionLostError, as_error
from .message import BLOCK_SIZE, BytesBody, Origin, Reader, Request
from .proxy import Proxy


class OpenResponse:
    """An answer whose body is still to be read; close it, so that its connection can serve again."""

    def __init__(
        self, answer: http.client.HTTPResponse, connection: http.client.HTTPConnection, transport: Transport
    ) -> None:
        self._answer = answer
        self._connection: http.client.HTTPConnection | None = connection
        self._transport = transport
        self.status: int = answer.status
        self.headers: Message = answer.headers

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer; return the number of bytes, 0 at the end; raises ConnectionLostError when it is cut."""
        try:
            count = self._answer.readinto(buffer)
        except CONNECTION_ERRORS as error:
            self._drop()
            raise as_error(error, self._transport.origin.authority, self._transport.timeout) from None
        if not count and len(buffer) and self._answer.length:
            self._drop()
            raise ConnectionLostError(f"the answer of {self._transport.origin.authority} ended too early")
        return count

    def read(self, limit: int) -> bytes:
        """Return the whole body; raises ConnectionLostError, also when it is longer than ``limit`` bytes."""
        content = bytearray()
        buffer = memoryview(bytearray(min(BLOCK_SIZE, limit + 1)))
        while count := self.readinto(buffer):
            content += buffer[:count]
            if len(content) > limit:
                self._drop()
                raise ConnectionLostError(
                    f"the answer of {self._transport.origin.authority} is longer than {limit} bytes"
                )
        return bytes(content)

    def close(self) -> None:
        """Give the connection back; one whose answer was not read to its end is closed."""
        if not self._answer.isclosed():
            self._drop()
        elif self._connection is not None:
            connection, self._connection = self._connection, None
            self._transport.keep(connection)

    def _drop(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._transport.drop(connection)


class Transport:
    """Connections to one origin, as many as are needed at a time; ``timeout`` in seconds without progress."""

    def __init__(self, origin: Origin, tls: ssl.SSLContext | None, proxy: Proxy | None, timeout: float) -> None:
        self.origin = origin
        self.timeout = timeout
        self._tls = tls
        self._proxy = proxy
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []
        self._open: set[http.client.HTTPConnection] = set()

    def send(self, request: Request) -> OpenResponse:
        """Send a request and return its answer; raises ConnectionFailedError or TlsVerificationError."""
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return self._exchange(kept, request)
            except CONNECTION_ERRORS as error:
                # How much of a streamed body got there is for the caller to find out.
                small = request.body is None or isinstance(request.body, BytesBody)
                if not (small and isinstance(error, (http.client.RemoteDisconnected, ConnectionError))):
                    raise as_error(error, self.origin.authority, self.timeout) from None
        try:
            return self._exchange(self._connected(), request)
        except CONNECTION_ERRORS as error:
            raise as_error(error, self.origin.authority, self.timeout) from None

    def keep(self, connection: http.client.HTTPConnection) -> None:
        """Take back a connection whose answer was read to its end."""
        with self._lock:
            if connection.sock is not None and connection in self._open:
                self._idle.append(connection)
                return
        self.drop(connection)

    def drop(self, connection: http.client.HTTPConnection) -> None:
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

    def _exchange(self, connection: http.client.HTTPConnection, request: Request) -> OpenResponse:
        """Send and wait for the answer; a connection on which that fails is closed, whatever the reason."""
        try:
            broken = self._sent(connection, request)
            answer = self._answer(connection, broken)
            if broken is not None:
                with self._lock:
                    self._open.discard(connection)
            return OpenResponse(answer, connection, self)
        except BaseException:
            self.drop(connection)
            raise

    def _sent(self, connection: http.client.HTTPConnection, request: Request) -> Exception | None:
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
            if request.body is not None:
                self._send_body(connection, request.body.open(request.offset))
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError) as error:
            return error
        return None

    def _answer(self, connection: http.client.HTTPConnection, broken: Exception | None) -> http.client.HTTPResponse:
        """A server may refuse a body before it has read it: what it said is worth more than the broken pipe."""
        try:
            return connection.getresponse()
        except CONNECTION_ERRORS:
            if broken is not None:
                raise broken from None
            raise

    @staticmethod
    def _send_body(connection: http.client.HTTPConnection, reader: Reader) -> None:
        buffer = memoryview(bytearray(BLOCK_SIZE))
        try:
            while count := reader.readinto(buffer):
                connection.send(buffer[:count])
        finally:
            reader.close()

    def _target(self, request: Request) -> str:
        return f"{self.origin}{request.target}" if self._proxy and self.origin.scheme == "http" else request.target

    def _connected(self) -> http.client.HTTPConnection:
        host, port = (self._proxy.host, self._proxy.port) if self._proxy else (self.origin.host, self.origin.port)
        if self.origin.scheme == "https":
            made: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=self.timeout, context=self._tls
            )
            if self._proxy:
                made.set_tunnel(self.origin.host, self.origin.port, headers=self._proxy.headers)
        else:
            made = http.client.HTTPConnection(host, port, timeout=self.timeout)
        made.connect()
        with self._lock:
            self._open.add(made)
        return made
