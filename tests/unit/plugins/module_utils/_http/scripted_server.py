# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on loopback that knows its lines: a request that is not in the script is answered with 599, and fails the
test."""

from __future__ import annotations

import functools
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

import trustme
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError


@dataclass
class Line:
    """What is expected, and what is answered; ``cut`` bytes of the body are sent before the connection breaks.

    ``raw`` is sent instead of an answer, byte for byte; one that stalls is never answered.
    """

    request: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: int | None = None
    read: int | None = None  # how much of the request's body is read before the connection breaks
    raw: bytes | None = None
    stalls: bool = False


@dataclass
class Seen:
    """A request that came, on which connection, and the part of its body that was read."""

    request: str
    headers: dict[str, str]
    body: bytes
    connection: int
    has_certificate: bool = False


@functools.cache
def authority() -> trustme.CA:
    """Return the certificate authority of the servers that speak TLS."""
    return trustme.CA()


def ca_file(folder: Path) -> str:
    """Return a file with the authority's certificate."""
    path = folder / "ca.pem"
    authority().cert_pem.write_to_path(str(path))
    return str(path)


@functools.cache
def server_tls(name: str = "127.0.0.1", asks: bool = False) -> ssl.SSLContext:
    """Return what a server of that name speaks TLS with; one that ``asks`` takes client certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(name).configure_cert(context)
    if asks:
        authority().configure_trust(context)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


class ScriptedServer:
    """Answers the lines in their order; ``seen`` has what came."""

    def __init__(self, *lines: Line, tls: ssl.SSLContext | None = None) -> None:
        self.lines = list(lines)
        self.seen: list[Seen] = []
        self.unexpected: list[str] = []
        self.stalled = threading.Event()
        self._released = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                owner.answer(self)

            def __getattr__(self, name: str) -> object:
                if name.startswith("do_"):
                    return self.handle_any
                raise AttributeError(name)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_arguments: None  # type: ignore[method-assign]
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.authority = f"127.0.0.1:{self._server.server_address[1]}"
        self.origin = f"{'https' if tls else 'http'}://{self.authority}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request by the next line."""
        named = f"{handler.command} {handler.path}"
        if self.lines and self.lines[0].request == named:
            line = self.lines.pop(0)
        else:
            line = Line(named, 599)
            self.unexpected.append(named)
        if line.stalls:
            self.seen.append(Seen(named, {}, b"", handler.client_address[1]))
            self.stalled.set()
            self._released.wait(3600)
            handler.close_connection = True
            return
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length if line.read is None else min(line.read, length))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        peer = handler.connection.getpeercert() if isinstance(handler.connection, ssl.SSLSocket) else None
        self.seen.append(Seen(named, headers, body, handler.client_address[1], bool(peer)))
        if line.raw is not None:
            handler.wfile.write(line.raw)
            handler.close_connection = True
            return
        if line.read is not None:
            handler.close_connection = True
            handler.connection.close()
            return
        handler.send_response_only(line.status)
        for name, value in line.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(line.body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(line.body if line.cut is None else line.body[: line.cut])
        if line.cut is not None:
            handler.close_connection = True

    def __enter__(self) -> ScriptedServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _value: object, _trace: TracebackType | None) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        if kind is None or issubclass(kind, AppuioError):
            assert not self.lines, f"never asked: {self.lines}"
            assert not self.unexpected, f"asked without being expected: {self.unexpected}"
