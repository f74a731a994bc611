# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer whose body is still on its way, bounded in bytes and time where it is read as a whole."""

from __future__ import annotations

import http.client
import time
from email.message import Message
from typing import Protocol

from .._errors import AppuioError, ServerError
from .connection import ServerConnection
from .message import BLOCK_SIZE
from .retry import CONNECTION_ERRORS

# What is left of an answer that nobody wants is read up to here, which is cheaper than another connection.
_WORTH_READING = 64 * 1024
_TIMEOUTS_PER_ANSWER = 10
_ODD_SERVER = "A registry does not answer so: is the address right, and what stands in front of it?"


class ConnectionOwner(Protocol):
    """Where a connection goes back to; ``server`` is its name in messages, ``timeout`` in seconds."""

    server: str
    timeout: float

    def keep(self, connection: ServerConnection) -> None:
        """Take back a connection whose answer was read to its end."""

    def drop(self, connection: ServerConnection) -> None:
        """Close a connection that cannot serve again."""

    def error(self, error: Exception) -> AppuioError:
        """Return the typed error for an exception on a connection."""


class OpenResponse:
    """An answer whose body is still to be read; close it, so that its connection can serve again.

    ``offset`` is where in the content asked for the body starts, in bytes; one that ``is_partial`` ends before
    the content does, so that its end is reported as a cut.
    """

    def __init__(self, answer: http.client.HTTPResponse, connection: ServerConnection, owner: ConnectionOwner) -> None:
        self._answer = answer
        self._connection: ServerConnection | None = connection
        self._owner = owner
        self.status: int = answer.status
        self.headers: Message = answer.headers
        self.offset = 0
        self.is_partial = False

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer; return the number of bytes, 0 at the end.

        Raises ConnectionLostError when the body is cut, CancelledError when the client is aborted.
        """
        try:
            count = self._answer.readinto(buffer)
        except CONNECTION_ERRORS as error:
            self._drop()
            raise self._owner.error(error) from None
        if not count and len(buffer) and (self._answer.length or self.is_partial):
            self._drop()
            raise self._owner.error(http.client.IncompleteRead(b""))
        return count

    def read(self, limit: int) -> bytes:
        """Return the whole body; raises as ``readinto``, and ServerError for one of more than ``limit`` bytes, or one
        that does not end in ten times the timeout."""
        server = self._owner.server
        ends = time.monotonic() + _TIMEOUTS_PER_ANSWER * self._owner.timeout
        content = bytearray()
        buffer = memoryview(bytearray(min(BLOCK_SIZE, limit + 1)))
        while count := self.readinto(buffer):
            content += buffer[:count]
            if len(content) > limit:
                self._drop()
                raise ServerError(
                    f"the answer of {server} is longer than {limit} bytes", status=self.status, hint=_ODD_SERVER
                )
            if time.monotonic() > ends:
                self._drop()
                raise ServerError(
                    f"the answer of {server} did not end within {_TIMEOUTS_PER_ANSWER * self._owner.timeout:g} s",
                    status=self.status,
                    hint=_ODD_SERVER,
                )
        return bytes(content)

    def cut(self) -> None:
        """End the body at once, for another thread that waits for it; takes no lock."""
        connection = self._connection
        if connection is not None:
            connection.cut()

    def finish(self) -> None:
        """Pass over the rest of a body that nobody wants, if it is short, so that the connection can serve again."""
        length = self._answer.length
        if not self._answer.isclosed() and (length is None or length <= _WORTH_READING):
            try:
                self.read(_WORTH_READING)
            except AppuioError:
                pass
        self.close()

    def close(self) -> None:
        """Give the connection back; one whose answer was not read to its end is closed."""
        if not self._answer.isclosed():
            self._drop()
        elif self._connection is not None:
            connection, self._connection = self._connection, None
            self._owner.keep(connection)

    def _drop(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._owner.drop(connection)
