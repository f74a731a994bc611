# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS to a server inside the TLS connection to a proxy, which ``ssl`` cannot wrap in one by itself."""

from __future__ import annotations

import io
import ssl
from typing import Any, Callable

_BLOCK = 64 * 1024


class TlsInTls:
    """What ``http.client`` needs of a socket: ``sendall``, ``makefile`` and ``close``; used by one thread at a time."""

    def __init__(self, outer: ssl.SSLSocket, context: ssl.SSLContext, host: str) -> None:
        self._outer = outer
        self._received, self._to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._inner = context.wrap_bio(self._received, self._to_send, server_hostname=host)
        self._readers = 0
        self._closed = False

    def do_handshake(self) -> None:
        """Agree on keys with the server, and verify its certificate; raises ssl.SSLError."""
        self._run(self._inner.do_handshake)

    def sendall(self, data: Any) -> None:
        """Send all bytes of a buffer."""
        rest = memoryview(data).cast("B")
        while rest:
            sent: int = self._run(lambda: self._inner.write(rest[:_BLOCK]))  # noqa: B023
            rest = rest[sent:]

    def recv_into(self, buffer: Any) -> int:
        """Fill a buffer; return the number of bytes, 0 at the end."""
        try:
            count: int = self._run(lambda: self._inner.read(len(buffer), buffer))
            return count
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            # As sockets do it: whether something is missing shows in the length of the answer.
            return 0

    def makefile(self, _mode: str = "rb", *_more: Any) -> io.BufferedReader:
        """Return a file to read from; the connection stays open until it is closed, too."""
        self._readers += 1
        return io.BufferedReader(_Stream(self))

    def close(self) -> None:
        """Close the connection when nobody reads any more."""
        self._closed = True
        if not self._readers:
            self._outer.close()

    def reader_closed(self) -> None:
        """Note that a file is closed."""
        self._readers -= 1
        if self._closed:
            self.close()

    def _run(self, operation: Callable[[], Any]) -> Any:
        while True:
            try:
                result = operation()
            except ssl.SSLWantReadError:
                self._flush()
                block = self._outer.recv(_BLOCK)
                if block:
                    self._received.write(block)
                else:
                    self._received.write_eof()
                continue
            except ssl.SSLError:
                # An alert says why: it is worth sending, if that is still possible.
                try:
                    self._flush()
                except OSError:
                    pass
                raise
            self._flush()
            return result

    def _flush(self) -> None:
        data = self._to_send.read()
        if data:
            self._outer.sendall(data)


class _Stream(io.RawIOBase):
    def __init__(self, connection: TlsInTls) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._connection.recv_into(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._connection.reader_closed()
