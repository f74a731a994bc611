# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fails on the way to a server, as a typed error that says what to do next; whether to try again, and when.

Backoff with jitter, and what the server asks for first (RFC 9110, 10.2.3).
"""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import time
from typing import TYPE_CHECKING, Callable, NamedTuple

from .._errors import AppuioError, ConnectionFailedError, TlsVerificationError

if TYPE_CHECKING:
    from email.message import Message

PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_WAIT = 60.0
# As many bytes have to come between two cuts for the attempts to count anew.
PROGRESS = 1024 * 1024
# A server that asks for more is not waited for: the user is told instead.
LONGEST_RETRY_AFTER = 120.0
_LONGEST_NUMBER = 9


class ConnectionLostError(ConnectionFailedError):
    """The connection broke, or nothing came in time: repeating can help."""


class NotTlsError(ConnectionFailedError):
    """The server does not speak TLS on this port."""


CONNECTION_ERRORS = (OSError, http.client.HTTPException)
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"})
_BUSY = "This may be temporary: try again later, and see whether the server, or what stands in front of it, is well"
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


class Clock(NamedTuple):
    """Time and chance, handed in so that tests need neither; seconds.

    A wait is cut into pieces of at most ``slice`` seconds, after each of which it can be given up.
    """

    now: Callable[[], float]
    sleep: Callable[[float], None]
    chance: Callable[[], float]
    slice: float | None = None

    def wait(self, seconds: float, aborted: Callable[[], bool]) -> bool:
        """Wait; return False when that was given up, as ``aborted`` says."""
        while not aborted():
            piece = seconds if self.slice is None else min(seconds, self.slice)
            self.sleep(piece)
            seconds -= piece
            if seconds <= 0:
                break
        return not aborted()


def _chance() -> float:
    import random  # only a failure is waited for

    return random.random()  # noqa: S311 (nothing secret about a wait)


SYSTEM_CLOCK = Clock(time.time, time.sleep, _chance, slice=0.2)


class Attempts:
    """The attempts that one piece of work has; ``retries`` after the first, ``delay`` seconds doubling."""

    def __init__(
        self, retries: int, delay: float, clock: Clock = SYSTEM_CLOCK, aborted: Callable[[], bool] = lambda: False
    ) -> None:
        self.retries = retries
        self.delay = delay
        self.clock = clock
        self.aborted = aborted
        self.made = 0

    def again(self, asked: float | None = None) -> bool:
        """Wait and return True when there is another attempt; ``asked`` is the server's Retry-After.

        There is none for a server that asks for more than ``LONGEST_RETRY_AFTER`` seconds.
        """
        if self.made >= self.retries or self.aborted() or (asked or 0) > LONGEST_RETRY_AFTER:
            return False
        backoff = min(self.delay * 2**self.made, LONGEST_WAIT)
        self.made += 1
        jittered = backoff * (0.5 + self.clock.chance() / 2)
        return self.clock.wait(jittered if asked is None else max(asked, jittered), self.aborted)

    def progressed(self, count: int) -> None:
        """Count anew if the last attempt got ``count`` bytes on, and these are worth it.

        What breaks after each packet would otherwise go on for thousands of attempts.
        """
        if count >= PROGRESS:
            self.made = 0


def retry_after(headers: Message, now: float) -> float | None:
    """Return the seconds that a Retry-After header asks for, or None without a readable one."""
    value = str(headers.get("retry-after") or "").strip()
    if not value:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:_LONGEST_NUMBER])
    from datetime import timezone
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return max(0.0, moment.timestamp() - now)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
