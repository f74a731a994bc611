# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 messages on a socket: heads are parsed, bodies are read in large blocks and never held whole (RFC 9112)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

BLOCK = 256 * 1024
_MAX_HEAD = 256 * 1024


class PeerGone(Exception):
    """The other end closed or broke the connection in the middle of a message."""


class BadMessage(Exception):
    """What came is no HTTP/1.1."""


class Headers:
    """Header fields in order; names are compared without case."""

    def __init__(self, fields: list[tuple[str, str]] | None = None) -> None:
        self.fields = list(fields or [])

    def get(self, name: str, default: str = "") -> str:
        """Return the values of a field joined by commas, or the default."""
        values = [value for field, value in self.fields if field.lower() == name.lower()]
        return ", ".join(values) if values else default

    def __contains__(self, name: str) -> bool:
        return any(field.lower() == name.lower() for field, _ignored in self.fields)

    def set(self, name: str, value: str) -> None:
        """Replace a field, or add it."""
        self.remove(name)
        self.fields.append((name, value))

    def remove(self, name: str) -> None:
        """Drop every field of this name."""
        self.fields = [(field, value) for field, value in self.fields if field.lower() != name.lower()]

    def __bytes__(self) -> bytes:
        return "".join(f"{name}: {value}\r\n" for name, value in self.fields).encode("latin-1")


class Stream:
    """A socket with the little buffer that reading lines needs; blocks bypass it."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._pending = b""

    def read_head(self) -> tuple[str, Headers] | None:
        """Return the first line and the header fields, or None when the peer closed between two messages."""
        while b"\r\n\r\n" not in self._pending:
            if len(self._pending) > _MAX_HEAD:
                raise BadMessage("the head is too large")
            if self._pending and not self._pending[:1].isalpha() and self._pending[:1] not in b"\r\n":
                raise BadMessage("this is no HTTP")  # such as the start of a TLS handshake
            received = self._receive()
            if not received:
                if self._pending.strip():
                    raise PeerGone("in the middle of a head")
                return None
            self._pending += received
        head, self._pending = self._pending.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = []
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                raise BadMessage("a header line without a colon")
            fields.append((name.strip(), value.strip()))
        return first, Headers(fields)

    def has_pending(self) -> bool:
        """Whether something has come already that is still to be read."""
        return bool(self._pending) or (isinstance(self.socket, ssl.SSLSocket) and self.socket.pending() > 0)

    def read_line(self) -> bytes:
        """Return one line without its end (chunk sizes and trailers)."""
        while b"\n" not in self._pending:
            received = self._receive()
            if not received:
                raise PeerGone("in the middle of a chunk")
            self._pending += received
        line, self._pending = self._pending.split(b"\n", 1)
        return line.rstrip(b"\r")

    def read_into(self, view: memoryview) -> int:
        """Read at least one octet into the view; 0 when the peer closed."""
        if self._pending:
            count = min(len(self._pending), len(view))
            view[:count] = self._pending[:count]
            self._pending = self._pending[count:]
            return count
        try:
            return self.socket.recv_into(view)
        except OSError as error:
            raise PeerGone(str(error)) from error

    def _receive(self) -> bytes:
        try:
            return self.socket.recv(65536)
        except OSError as error:
            raise PeerGone(str(error)) from error


class Body:
    """The body of a message that is still to be read: of a known length, chunked, or until the peer closes."""

    def __init__(self, stream: Stream, headers: Headers, *, until_close: bool = False) -> None:
        self._stream = stream
        self.chunked = headers.get("Transfer-Encoding").lower() == "chunked"
        length = headers.get("Content-Length")
        if length and not length.isdigit():
            raise BadMessage("Content-Length is no number")
        self.length: int | None = None if self.chunked else int(length) if length else None if until_close else 0
        self.received = 0
        self.finished = self.length == 0

    def blocks(self) -> Iterator[memoryview]:
        """Yield the body in blocks of up to 256 KiB, which are valid until the next one.

        What came before the peer broke off is yielded too; then PeerGone is raised.
        """
        view = memoryview(bytearray(BLOCK))
        for got in self._chunked(view) if self.chunked else self._plain(view):
            self.received += got
            yield view[:got]
        self.finished = True

    def read(self, limit: int) -> bytes:
        """Return the whole body; raises ValueError when it is larger than the limit."""
        if self.length is not None and self.length > limit:
            raise ValueError("the body is too large")
        parts = []
        for block in self.blocks():
            parts.append(bytes(block))
            if self.received > limit:
                raise ValueError("the body is too large")
        return b"".join(parts)

    def _plain(self, view: memoryview) -> Iterator[int]:
        left = self.length
        while left is None or left > 0:
            got, gone = self._fill(view, 0, BLOCK if left is None else min(left, BLOCK))
            if got:
                yield got
            if gone:
                if left is None:
                    return
                raise PeerGone("in the middle of a body")
            if left is not None:
                left -= got

    def _chunked(self, view: memoryview) -> Iterator[int]:
        filled = 0
        while True:
            try:
                size = int(self._stream.read_line().split(b";")[0], 16)
            except ValueError:
                raise BadMessage("a chunk without a size") from None
            except PeerGone:
                if filled:
                    yield filled
                raise
            if size == 0:
                while self._stream.read_line():
                    pass
                if filled:
                    yield filled
                return
            while size:
                wanted = min(size, BLOCK - filled)
                got, gone = self._fill(view, filled, wanted)
                filled += got
                size -= got
                if filled == BLOCK or (gone and filled):
                    yield filled
                    filled = 0
                if gone:
                    raise PeerGone("in the middle of a chunk")
            self._stream.read_line()

    def _fill(self, view: memoryview, start: int, wanted: int) -> tuple[int, bool]:
        """Read up to this many octets; returns how many came, and whether the peer is gone."""
        got = 0
        while got < wanted:
            try:
                count = self._stream.read_into(view[start + got : start + wanted])
            except PeerGone:
                return got, True
            if count == 0:
                return got, True
            got += count
        return got, False
