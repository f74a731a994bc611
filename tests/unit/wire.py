# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every host there is, on loopback: whatever name is asked for leads here, and each request is kept with its host.

The host of a request over TLS is the one that its certificate was checked for, so that no header can lie about it.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import trustme

TLS_PORTS = (443, 6443)


@dataclass
class Asked:
    """One request as it came."""

    host: str
    tls: bool
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def carries(self, secret: str) -> bool:
        """Whether the secret stands anywhere in the request, as it is or in base64."""
        scheme, _space, value = self.headers.get("authorization", "").partition(" ")
        pair = base64.b64decode(value).decode() if scheme.lower() == "basic" else ""
        return secret in "\n".join((pair, self.path, *self.headers.values(), self.body.decode("latin-1")))


@dataclass
class Answer:
    """What is answered: a status, headers, and a body, which is sent as JSON where it is no bytes."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Wire:
    """What was asked, and who answers it."""

    answer: Callable[[Asked], Answer]
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def every_host(
    answer: Callable[[Asked], Answer], certificate: trustme.LeafCert, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Wire]:
    """Let all names lead to two servers on loopback, one with TLS and one without; ``certificate`` has the names."""
    wire = Wire(answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    context.sni_callback = _note_name
    servers = {tls: _server(wire, context if tls else None) for tls in (True, False)}
    real = socket.getaddrinfo

    def resolved(host: Any, port: Any, *_arguments: Any, **_named: Any) -> Any:
        server = servers[int(port) in TLS_PORTS]
        return real("127.0.0.1", server.server_address[1], socket.AF_INET, socket.SOCK_STREAM)

    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", resolved)
        try:
            yield wire
        finally:
            for server in servers.values():
                server.shutdown()
                server.server_close()


def _note_name(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
    connection.asked_for = name  # type: ignore[attr-defined]


def _server(wire: Wire, tls: ssl.SSLContext | None) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            host = headers.get("host", "").partition(":")[0]
            host = getattr(self.connection, "asked_for", None) or host
            request = Asked(host, tls is not None, self.command, self.path, headers, self.rfile.read(length))
            wire.asked.append(request)
            answer = wire.answer(request)
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response_only(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def __getattr__(self, name: str) -> object:
            if name.startswith("do_"):
                return self.handle_any
            raise AttributeError(name)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_arguments: None  # type: ignore[method-assign]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server
