# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the standard library raises on the way to a server, as a typed error that says what to do next."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl

from .._errors import AppuioError, ConnectionFailedError, TlsVerificationError


class ConnectionLostError(ConnectionFailedError):
    """The connection broke, or nothing came in time: repeating can help."""


class NotTlsError(ConnectionFailedError):
    """The server does not speak TLS on this port."""


CONNECTION_ERRORS = (OSError, http.client.HTTPException)
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"})
_BUSY = "It may pass: try again later, and see whether the server, or what stands in front of it, is well"
# The host where this runs is short of something; no server is to blame, and asking again does not help.
_OWN_FAULTS = {
    errno.EMFILE: "this process may not open more files: raise its limit (ulimit -n), or lower jobs and forks",
    errno.ENFILE: "the host has no more files to give: stop what holds them, or lower jobs and forks",
    errno.ENOMEM: "the host is out of memory",
    errno.ENOBUFS: "the host is out of memory for the network",
    errno.EADDRNOTAVAIL: "the host has no free port for another connection: lower jobs and forks",
    errno.ENOSPC: "a file system of the host is full: make room",
    errno.EDQUOT: "the disk quota of the user is used up: make room",
    errno.EACCES: "the host forbids this process to connect: look at its firewall or its security policy",
    errno.EPERM: "the host forbids this process to connect: look at its firewall or its security policy",
}


def as_error(error: Exception, server: str, timeout: float) -> AppuioError:
    """Return the error that an exception of ``http.client``, ``ssl`` or ``socket`` means; ``server`` is its name
    in the message, ``timeout`` in seconds."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsVerificationError(
            f"the certificate of {server} is not trusted: {error.verify_message}",
            hint="Name the authority that signed it in ca_cert, or registry_ca_cert for the registry "
            "(source_ca_cert for a source)",
        )
    if isinstance(error, ssl.SSLError):
        return _tls_error(error, server)
    if isinstance(error, socket.gaierror):
        kind = ConnectionFailedError if error.errno == socket.EAI_NONAME else ConnectionLostError
        return kind(f"the name {server} is not known", hint="Is the name spelled right, and does DNS work here?")
    if isinstance(error, (TimeoutError, socket.timeout)):
        return ConnectionLostError(
            f"{server} made no progress for {timeout:g} s", hint=f"timeout sets how long to wait. {_BUSY}"
        )
    if isinstance(error, ConnectionRefusedError):
        return ConnectionLostError(f"{server} refuses connections", hint="Is its address right, and is it running?")
    if isinstance(error, OSError) and error.errno in _OWN_FAULTS:
        return ConnectionFailedError(
            f"no connection to {server} can be used, as {_OWN_FAULTS[error.errno or 0]}",
            hint="The server is not to blame",
        )
    if isinstance(error, (ConnectionError, http.client.HTTPException)):
        return ConnectionLostError(f"the connection to {server} broke: {_reason(error)}", hint=_BUSY)
    return ConnectionLostError(
        f"{server} cannot be reached: {_reason(error)}",
        hint="Is there a route to it from the host where the module runs, or does it take a proxy?",
    )


def _tls_error(error: ssl.SSLError, server: str) -> AppuioError:
    if error.reason in _NOT_TLS:
        return NotTlsError(
            f"{server} does not speak TLS",
            hint="Is the port right? plain_http (source_plain_http for a source) speaks to it without encryption",
        )
    if "ALERT" in (error.reason or "") and "INTERNAL_ERROR" not in error.reason:
        return ConnectionFailedError(
            f"{server} refuses the TLS connection: {error.reason}",
            hint="Does it want a client certificate (client_cert), or another version of TLS?",
        )
    return ConnectionLostError(f"the TLS connection to {server} broke: {error.reason or error}", hint=_BUSY)


def _reason(error: Exception) -> str:
    if isinstance(error, http.client.IncompleteRead):
        return "the answer ended too early"
    if isinstance(error, http.client.RemoteDisconnected):
        return "it was closed without an answer"
    if isinstance(error, http.client.BadStatusLine):
        return "the answer is not HTTP"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
