# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every origin that one client speaks to: its own, and those that this one leads to; how each may be reached."""

from __future__ import annotations

import threading

from .._errors import ConnectionFailedError, ServerError, TlsVerificationError, without_userinfo
from .._targets import Connection
from .message import Origin, Request, split_url
from .open_response import OpenResponse
from .proxy import proxy_for
from .retry import NotTlsError
from .tls import check_encrypted, hashed_authorities, shared_tls_context, tls_context
from .transport import Transport

MOST_REDIRECTS = 5
ODD_ADDRESS = "Is the server, or what stands in front of it, set up with its own address?"


class Transports:
    """The transports of a client of ``own``, each made when it is needed; safe for several threads.

    The client certificate is for ``own`` alone. ``aborted`` says that no request may be made.
    """

    def __init__(self, own: Origin, connection: Connection, ca_file: str | None) -> None:
        self.aborted = False
        self._own = own
        self._how = connection
        self._ca_file = ca_file
        self._made: dict[tuple[Origin, bool], Transport] = {}
        self._trusting_all: set[Origin] = set()
        self._lock = threading.Lock()

    def send(self, origin: Origin, request: Request) -> OpenResponse:
        """Send a request and return its answer; raises as ``Transport.send``, and InvalidOptionError for an origin
        of ours that would be spoken to in clear without being asked for."""
        how = self._how
        if origin == self._own:
            check_encrypted(origin, how)
        transport = self._transport(origin, plain=False)
        try:
            return transport.send(request)
        except TlsVerificationError:
            # No request was sent. What is refused by the authorities at hand may be trusted by all of the system's.
            if not self._trusts_more(origin, transport):
                raise
            return self.send(origin, request)
        except NotTlsError:
            if not (how.plain_http or (origin.is_loopback and not how.validate_certs)):
                raise
            return self._transport(origin, plain=True).send(request)

    def resolve(self, origin: Origin, target: str, location: str) -> tuple[Origin, str]:
        """Return origin and request target of where a server sends us, as answer to a request for ``target``.

        A URL of our own host stays with our scheme and port: servers behind a route may not know theirs.
        Raises ServerError for what is no address, ConnectionFailedError for one that would give up TLS.
        """
        try:
            found, path = split_url(location, base=f"{origin}{target}")
        except ValueError as error:
            raise ServerError(
                f"{origin.authority} sends us to {without_userinfo(location)[:200]}, which is no address: {error}",
                hint=ODD_ADDRESS,
            ) from None
        if found.host == self._own.host and found.port in (self._own.port, 80, 443):
            return self._own, path
        if found.scheme != "https" and not self._is_plain(origin):
            raise ConnectionFailedError(
                f"{origin.authority} sends us to {found}, which is not safe: there is no TLS", hint=ODD_ADDRESS
            )
        return found, path

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            transports, self._made = list(self._made.values()), {}
        for transport in transports:
            transport.close()

    def abort(self) -> None:
        """Cut all connections and refuse new ones; takes no lock, for threads and signal handlers."""
        self.aborted = True
        for transport in list(self._made.values()):
            transport.abort()

    def resume(self) -> None:
        """Permit requests again, on new connections."""
        self.close()
        self.aborted = False

    def _is_plain(self, origin: Origin) -> bool:
        return origin.scheme == "http" or (origin, True) in self._made

    def _transport(self, origin: Origin, plain: bool) -> Transport:
        with self._lock:
            # A server that was found to speak without TLS, where that is permitted, is not asked for TLS each time.
            found = self._made.get((origin, True)) or self._made.get((origin, plain))
            if found is None:
                found = self._made[(origin, plain)] = self._new(origin, plain)
        # Looked at after it is listed, so that abort cannot miss it.
        if self.aborted:
            found.abort()
        return found

    def _trusts_more(self, origin: Origin, refused: Transport) -> bool:
        """Whether there is a transport that trusts more than the one by which a server was refused."""
        with self._lock:
            key = next((key for key, made in self._made.items() if made is refused), None)
            if key is None:
                return True  # another thread has found that out, too
            if origin in self._trusting_all or not self._how.validate_certs or not hashed_authorities():
                return False
            self._trusting_all.add(origin)
            del self._made[key]
            return True

    def _new(self, origin: Origin, plain: bool) -> Transport:
        how = self._how
        directory = None if origin in self._trusting_all else hashed_authorities()
        certificate, key = (how.client_cert, how.client_key) if origin == self._own else (None, None)
        if plain:
            origin = Origin("http", origin.host, origin.port)
        tls = proxy_tls = None
        if origin.scheme == "https":
            if certificate:
                tls = tls_context(how.validate_certs, self._ca_file, certificate, key)
            else:
                tls = shared_tls_context(how.validate_certs, self._ca_file, directory=directory)
        proxy = proxy_for(origin, how.proxy)
        if proxy is not None and proxy.origin.scheme == "https":
            proxy_tls = shared_tls_context(how.validate_certs, self._ca_file, directory=directory)
        return Transport(origin, tls, proxy, how.timeout, proxy_tls)
