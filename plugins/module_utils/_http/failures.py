# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the standard library raises on the way to a server, told as a typed problem."""

from __future__ import annotations

import http.client
import socket
import ssl

from .._errors import AppuioError, ConnectionFailedError, TlsVerificationError


class ConnectionLostError(ConnectionFailedError):
    """The connection broke, or nothing came in time: repeating can help."""


class NotTlsError(ConnectionFailedError):
    """The server does not speak TLS on this port."""


CONNECTION_ERRORS = (OSError, http.client.HTTPException)


def as_error(error: Exception, authority: str, timeout: float) -> AppuioError:
    """Return the problem that an exception of ``http.client``, ``ssl`` or ``socket`` means."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsVerificationError(
            f"the certificate of {authority} is not trusted: {error.verify_message}",
            hint="Name the authority that signed it in ca_cert, or registry_ca_cert for the registry",
        )
    if isinstance(error, ssl.SSLError):
        if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"):
            return NotTlsError(
                f"{authority} does not speak TLS",
                hint="Is the port right? plain_http (source_plain_http for a source) speaks to it without encryption",
            )
        return ConnectionLostError(f"the TLS connection to {authority} broke: {error.reason or error}")
    if isinstance(error, socket.gaierror):
        kind = ConnectionLostError if error.errno == socket.EAI_AGAIN else ConnectionFailedError
        return kind(f"the name {authority} is not known", hint="Is the zone spelled right, and does DNS work here?")
    if isinstance(error, TimeoutError):
        return ConnectionLostError(
            f"{authority} made no progress for {timeout:g} s", hint="timeout sets how long to wait"
        )
    if isinstance(error, ConnectionRefusedError):
        return ConnectionLostError(f"{authority} refuses connections", hint="Is its address right, and is it running?")
    if isinstance(error, (ConnectionError, http.client.HTTPException)):
        return ConnectionLostError(f"the connection to {authority} broke: {_told(error)}")
    text = f"{authority} cannot be reached: {_told(error)}"
    return ConnectionLostError(text) if isinstance(error, OSError) else ConnectionFailedError(text)


def _told(error: Exception) -> str:
    if isinstance(error, http.client.IncompleteRead):
        return "the answer ended too early"
    if isinstance(error, http.client.RemoteDisconnected):
        return "it was closed without an answer"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
