# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of one side of a zone: TLS, a thread for each connection, connections kept alive."""

from __future__ import annotations

import itertools
import os
import select
import socket
import ssl
import struct
import threading
import traceback
from collections.abc import Callable
from typing import Protocol

from .exchange import Aborted, Exchange
from .faults import FaultList
from .messages import BadMessage, PeerGone, Stream
from .request_log import Record, RequestLog, without_secrets

_HANDSHAKE_SECONDS = 600.0
_LONGEST_POLL = 3600.0
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n400 Bad Request"
_NOT_TLS = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
_numbers = itertools.count(1)


class Route(Protocol):
    """What stands in front of a server, in seconds: how long it waits for an answer, and keeps an idle connection."""

    answer_seconds: float | None
    idle_seconds: float | None


class Server:
    """Listens on one address; stopped and started again it keeps its port."""

    def __init__(
        self,
        side: str,
        address: str,
        tls: ssl.SSLContext | None,
        handle: Callable[[Exchange], None],
        *,
        faults: FaultList,
        log: RequestLog,
        route: Route | None = None,
    ) -> None:
        self.side = side
        self.address = address
        self.port = 0
        self.running = False
        self._tls = tls
        self._handle = handle
        self._faults = faults
        self._log = log
        self._route = route
        # Bound, and never listening: while the server is stopped nobody else is given its port.
        self._holder: socket.socket | None = None
        self._listener: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Listen; the first time on a free port, later on the same."""
        if self._holder is None:
            self._holder = _bound(self.address, 0)
            self.port = self._holder.getsockname()[1]
        listener = _bound(self.address, self.port)
        listener.listen(256)
        self._listener = listener
        self.running = True
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def stop(self) -> None:
        """Refuse new connections and break those that are open."""
        self.running = False
        if self._listener is not None:
            # Only a shutdown wakes the thread that waits in accept().
            try:
                self._listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self._listener.close()
        self.drop_connections()

    def drop_connections(self) -> None:
        """Break every open connection, as a restarted server does."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            _break(connection)

    def _accept(self, listener: socket.socket) -> None:
        while self.running:
            try:
                connection, _ignored = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection.settimeout(_HANDSHAKE_SECONDS)
                connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                connection.do_handshake()
                connection.settimeout(None)
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                _say_plainly(connection)
            connection.close()
            return
        except (OSError, ValueError):
            connection.close()
            return
        with self._lock:
            self._connections.add(connection)
        try:
            number = next(_numbers)
            stream = Stream(connection)
            local: dict[str, object] = {}
            while self.running and self._one(stream, number, local) and self._is_kept(stream):
                pass
        finally:
            with self._lock:
                self._connections.discard(connection)
            for kept in local.values():
                kept.close()  # type: ignore[attr-defined]
            connection.close()

    def _is_kept(self, stream: Stream) -> bool:
        """Wait for another request as long as the route does; it closes an idle connection without a word."""
        seconds = self._route.idle_seconds if self._route else None
        if seconds is None or stream.has_pending():
            return True
        poll = select.poll()
        poll.register(stream.socket, select.POLLIN)
        return bool(seconds and poll.poll(1000 * min(seconds, _LONGEST_POLL)))

    def _one(self, stream: Stream, number: int, local: dict[str, object]) -> bool:
        """Serve one request; tells whether the connection stays."""
        try:
            head = stream.read_head()
        except PeerGone:
            return False
        except BadMessage:
            stream.socket.sendall(_BAD_REQUEST)
            return False
        if head is None:
            return False
        parts = head[0].split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            return False
        method, target, _ignored = parts
        record = self._log.begin(
            Record(self.side, method, without_secrets(target), connection=number, user_agent=head[1].get("User-Agent"))
        )
        faults = self._faults.take(self.side, method, target)
        record.faults = ",".join(fault.action for fault in faults)
        try:
            patience = self._route.answer_seconds if self._route else None
            exchange = Exchange(stream, method, target, head[1], record, faults, local, patience)
            exchange.run(self._handle)
            return exchange.keep_alive
        except Aborted as aborted:
            if aborted.hard:
                _break(stream.socket)
            return False
        except (PeerGone, BadMessage, OSError):
            return False
        except Exception:  # a bug here must not look like a registry that hangs
            traceback.print_exc()
            return False
        finally:
            record.status = record.status or 0


def _bound(address: str, port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((address, port))
    return bound


def _say_plainly(connection: socket.socket) -> None:
    """Tell a client that speaks plain HTTP where TLS is spoken, as Go's server does."""
    try:
        os.write(connection.fileno(), _NOT_TLS)  # past the TLS that was not agreed on
    except OSError:
        pass


def _break(connection: socket.socket) -> None:
    """Close a connection by a reset, so that the other end sees it broken."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # A thread that waits in recv() keeps the socket alive; this wakes it.
        socket.socket.shutdown(connection, socket.SHUT_RD)
    except OSError:
        pass
    connection.close()
