# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection to an origin, straight or through a proxy, that another thread can cut.

Source: RFC 9110, 9.3.6 (CONNECT) and 15.2 (answers before the final one); RFC 9112.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
from typing import Callable

from .._errors import AppuioError, CancelledError, ConnectionFailedError, UnauthorizedError
from .message import Origin
from .proxy import Proxy
from .retry import CONNECTION_ERRORS, ConnectionLostError, NotTlsError, as_error

_MOST_INTERIM_ANSWERS = 20
_MOST_HEADER_LINES = 200
_LONGEST_LINE = 65536


class Answer(http.client.HTTPResponse):
    """An answer; ``http.client`` passes over 100 (Continue) alone of what a server may send before it."""

    def _read_status(self) -> tuple[str, int, str]:
        for _interim in range(_MOST_INTERIM_ANSWERS):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200 or status == http.client.SWITCHING_PROTOCOLS:
                return version, status, reason
            for _line in range(_MOST_HEADER_LINES):
                if self.fp.readline(_LONGEST_LINE) in (b"\r\n", b"\n", b""):
                    break
        raise http.client.HTTPException("the answer does not begin")


class ServerConnection(http.client.HTTPConnection):
    """A connection to ``origin``; ``tls`` is for an https origin, ``proxy_tls`` for an https proxy.

    Errors of ``connect`` are typed and name the server, or the proxy where that is to blame.
    """

    auto_open = 0
    response_class = Answer

    def __init__(
        self,
        origin: Origin,
        tls: ssl.SSLContext | None,
        proxy: Proxy | None,
        proxy_tls: ssl.SSLContext | None,
        timeout: float,
        aborted: Callable[[], bool],
    ) -> None:
        super().__init__(origin.host, origin.port, timeout=timeout)
        self._origin = origin
        self._tls = tls
        self._proxy = proxy
        self._proxy_tls = proxy_tls
        self._seconds = timeout
        self._aborted = aborted
        self._wire: socket.socket | None = None

    def connect(self) -> None:
        """Connect; raises ConnectionFailedError, TlsVerificationError, UnauthorizedError, CancelledError."""
        try:
            if self._proxy is None:
                self._typed(self._origin.authority, self._reach, self._origin)
            else:
                self._typed(f"the proxy {self._proxy.origin.authority}", self._reach_proxy, self._proxy)
                if self._tls is not None:
                    self._typed(f"the proxy {self._proxy.origin.authority}", self._open_tunnel, self._proxy)
            if self._tls is not None:
                self._typed(self._origin.authority, self._secure, self._tls, self._origin.host)
        except BaseException:
            self.close()
            raise

    def is_closed_by_peer(self) -> bool:
        """Whether an idle connection cannot serve again: nothing was asked, and yet something came, as a rule the end.

        Source: RFC 9112, 9.5: a server may close an idle connection at any time.
        """
        wire = self._wire
        if wire is None:
            return True
        try:
            poll = select.poll()
            poll.register(wire, select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True

    def cut(self) -> None:
        """End the connection at once, whatever another thread waits for on it; takes no lock, so that a signal
        handler may call it."""
        wire = self._wire
        if wire is not None:
            try:
                # The method of SSLSocket would first forget its TLS, and another thread could then send in clear.
                socket.socket.shutdown(wire, socket.SHUT_RDWR)
            except OSError:
                pass

    def _typed(self, server: str, step: Callable[..., None], *arguments: object) -> None:
        try:
            step(*arguments)
        except CONNECTION_ERRORS as error:
            self._check_aborted()
            raise as_error(error, server, self._seconds) from None

    def _reach_proxy(self, proxy: Proxy) -> None:
        self._reach(proxy.origin)
        if self._proxy_tls is not None:
            try:
                self._secure(self._proxy_tls, proxy.origin.host)
            except ssl.SSLCertVerificationError:
                raise
            except ssl.SSLError as error:
                problem = as_error(error, f"the proxy {proxy.origin.authority}", self._seconds)
                # Only a server may be spoken to in clear instead, so that this must not be taken for one.
                if not isinstance(problem, NotTlsError):
                    raise
                raise ConnectionFailedError(
                    problem.message, hint="Write the proxy with http:// if it does not speak TLS itself"
                ) from None

    def _reach(self, origin: Origin) -> None:
        failure: OSError = ConnectionRefusedError()
        # As text, a name would be encoded once more, for which Python loads the tables of Unicode.
        for family, kind, protocol, _name, address in socket.getaddrinfo(
            origin.host.encode("ascii"), origin.port, 0, socket.SOCK_STREAM
        ):
            try:
                # Known before it is connected, as that may take as long as the timeout.
                self._wire = self.sock = socket.socket(family, kind, protocol)
                self._check_aborted()
                self.sock.settimeout(self._seconds)
                self.sock.connect(address)
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return
            except OSError as error:
                failure = error
                self.close()
        raise failure

    def _secure(self, context: ssl.SSLContext, host: str) -> None:
        if isinstance(self.sock, ssl.SSLSocket):
            # Only behind an https proxy, and a module is compiled anew in each task.
            from .tls_in_tls import TlsInTls

            self.sock = TlsInTls(self.sock, context, host)
        else:
            # The handshake comes after, so that it can be cut, too.
            wrapped = context.wrap_socket(
                self.sock, server_hostname=host.encode("ascii"), do_handshake_on_connect=False
            )
            self._wire = self.sock = wrapped
        self._check_aborted()
        self.sock.do_handshake()

    def _open_tunnel(self, proxy: Proxy) -> None:
        host = f"[{self._origin.host}]" if ":" in self._origin.host else self._origin.host
        target = f"{host}:{self._origin.port}"
        headers = "".join(f"{name}: {value}\r\n" for name, value in proxy.headers.items())
        self.sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{headers}\r\n".encode("latin-1"))
        answer = Answer(self.sock, method="CONNECT")
        try:
            answer.begin()
            status, reason = answer.status, answer.reason
        finally:
            answer.close()
        if not 200 <= status < 300:
            raise _refused_tunnel(proxy, target, status, reason)

    def _check_aborted(self) -> None:
        if self._aborted():
            raise CancelledError("the connection was given up, as the task was stopped")


def _refused_tunnel(proxy: Proxy, target: str, status: int, reason: str) -> AppuioError:
    name = f"the proxy {proxy.origin.authority}"
    if status == http.client.PROXY_AUTHENTICATION_REQUIRED:
        return UnauthorizedError(
            f"{name} {'does not accept the' if proxy.headers else 'wants a'} user name and password",
            hint="Write them as http://user:password@host:port in proxy or HTTPS_PROXY, with % codes for / @ : and %",
        )
    message = f"{name} does not connect to {target}: {status} {reason}"
    if status in (502, 503, 504):
        return ConnectionLostError(message, hint=f"Can the proxy reach {target}?")
    return ConnectionFailedError(
        message, hint="Does the proxy permit this address? NO_PROXY names what is reached without it"
    )
