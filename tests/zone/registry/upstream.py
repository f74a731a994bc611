# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from a front to the registry behind it: one connection kept alive, bodies passed through in large blocks."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterable

from ..http.exchange import Exchange
from ..http.messages import Body, Headers, PeerGone, Stream

_HOP_BY_HOP = (
    "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding",
    "Upgrade", "Expect",
)  # fmt: skip


class UpstreamGone(Exception):
    """The registry does not answer, or broke off."""


class Answer:
    """The head of what the registry answered, and its body still to be read."""

    def __init__(self, status: int, headers: Headers, body: Body) -> None:
        self.status, self.headers, self.body = status, headers, body


class Upstream:
    """A connection to the registry, for one thread."""

    def __init__(self, address: Callable[[], tuple[str, int]]) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._stream: Stream | None = None

    def request(
        self,
        method: str,
        target: str,
        headers: Headers,
        blocks: Iterable[memoryview] = (),
        *,
        length: int | None = 0,
    ) -> Answer:
        """Send a request and return the head of the answer; ``length`` None sends the blocks chunked.

        Raises UpstreamGone when the registry breaks off. What the blocks raise goes through, and then the connection
        to the registry is closed in the middle, as the client's was.
        """
        stream = self._connected()
        for name in _HOP_BY_HOP:
            headers.remove(name)
        if length is None:
            headers.remove("Content-Length")
            headers.set("Transfer-Encoding", "chunked")
        else:
            headers.set("Content-Length", str(length))
        try:
            stream.socket.sendall(f"{method} {target} HTTP/1.1\r\n".encode("latin-1") + bytes(headers) + b"\r\n")
            try:
                for block in blocks:
                    if length is None:
                        stream.socket.sendall(b"%x\r\n" % len(block))
                    stream.socket.sendall(block)
                    if length is None:
                        stream.socket.sendall(b"\r\n")
                if length is None:
                    stream.socket.sendall(b"0\r\n\r\n")
            except (BrokenPipeError, ConnectionResetError):
                pass  # the registry may have answered before it had everything
            head = self._head(stream)
        except BaseException:
            self.close()
            raise
        status = int(head[0].split(" ")[1])
        body = Body(stream, head[1], until_close=True)
        if method == "HEAD" or status in (204, 304):
            body = Body(stream, Headers())
        return Answer(status, head[1], body)

    @staticmethod
    def _head(stream: Stream) -> tuple[str, Headers]:
        try:
            head = stream.read_head()
        except PeerGone as error:
            raise UpstreamGone(str(error)) from None
        if head is None:
            raise UpstreamGone("the registry closed the connection")
        return head

    def pass_on(self, exchange: Exchange, answer: Answer) -> None:
        """Send the registry's answer on to the client."""
        headers = answer.headers
        for name in _HOP_BY_HOP:
            headers.remove(name)
        whole = answer.body.length is None and not answer.body.finished
        if whole:
            exchange.reply(answer.status, b"".join(bytes(block) for block in answer.body.blocks()), headers.fields)
            return
        try:
            exchange.begin(answer.status, headers)
            for block in answer.body.blocks():
                exchange.write(block)
        finally:
            if not answer.body.finished:
                self.close()

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> Stream:
        if self._socket is not None and select.select([self._socket], [], [], 0)[0]:
            self.close()  # nothing is due on an idle connection but its end
        if self._socket is None:
            try:
                self._socket = socket.create_connection(self._address(), timeout=600)
            except OSError as error:
                raise UpstreamGone(str(error)) from None
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._stream = Stream(self._socket)
        if self._stream is None:
            raise UpstreamGone("no connection")
        return self._stream
