# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed failures: what went wrong, where, at which step, what the server said, what to do next."""

from __future__ import annotations

import re
from typing import Any

LONGEST_SERVER_MESSAGE = 500
LONGEST_ERROR = 16_000
_TERMINAL_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]")
_USERINFO = re.compile(r"(?<=://)[^\s/?#@]*@(?!sha\d+:)")
_DIGEST = re.compile(r"@[a-z0-9+._-]+:[0-9a-f]{32,}$")


def one_line(text: str, limit: int = LONGEST_SERVER_MESSAGE) -> str:
    """Return text as a line that is safe to print: no terminal sequences, no control characters, no user names
    and passwords in URLs, at most ``limit`` characters."""
    cut = len(text) > 4 * limit
    text = _TERMINAL_SEQUENCE.sub("", text[: 4 * limit])
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    text = _USERINFO.sub("", text)
    return f"{text[: limit - 1]}…" if cut or len(text) > limit else text


def userinfo_of(address: str) -> str:
    """Return ``user:password@`` of a URL, host or image reference as it is written there, "" without one."""
    rest = address.rpartition("://")[2]
    digest = _DIGEST.search(rest)
    if digest:
        rest = rest[: digest.start()]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    # A password may hold a slash that nobody encoded: then what looks like a port is none.
    port = authority.partition(":")[2]
    if "@" in authority or ("@" in rest and port and not port.isdigit()):
        return rest[: rest.rindex("@") + 1]
    return ""


def without_userinfo(address: str) -> str:
    """Return a URL, host or image reference as it may be shown: without ``user:password@``."""
    userinfo = userinfo_of(address)
    return address.replace(userinfo, "", 1) if userinfo else address


class AppuioError(Exception):
    """A failure that a user is told about; the runner turns it into ``fail_json`` in one place.

    ``zone`` and ``step`` say where, ``server_message`` is the server's own words, ``hint`` the next thing
    to do. ``result`` is merged into the failed result. Whatever a server, a helper or an engine put into
    the texts, what is shown is one harmless line.
    """

    def __init__(
        self,
        message: str,
        *,
        zone: str | None = None,
        step: str | None = None,
        server_message: str | None = None,
        hint: str | None = None,
        result: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.zone = zone
        self.step = step
        self.server_message = one_line(server_message) if server_message else None
        self.hint = hint
        self.result = dict(result or {})

    def at(self, zone: str | None = None, step: str | None = None) -> AppuioError:
        """Return the same problem with zone and step filled in where they were not known below."""
        self.zone = self.zone or zone
        self.step = self.step or step
        return self

    def __str__(self) -> str:
        where = [f"zone {self.zone}" if self.zone else "", self.step or ""]
        text = ": ".join([part for part in where if part] + [self.message])
        if self.server_message:
            text += f" (the server said: {self.server_message})"
        if self.hint:
            text = f"{text.rstrip('.')}. {self.hint}"
        return one_line(text, LONGEST_ERROR)


class InvalidOptionError(AppuioError):
    """An option, or a combination of them, cannot be meant; found before any network call."""


class SourceError(AppuioError):
    """The source does not exist, cannot be read, or is not what its digests say."""


class LocalStorageError(AppuioError):
    """A temporary file on the machine that the task runs on cannot be written: full, read-only, or gone."""


class ConnectionFailedError(AppuioError):
    """No answer: name not known, connection refused or broken, no progress within the timeout."""


class TlsVerificationError(AppuioError):
    """The server's certificate is not trusted, or not for this host."""


class UnauthorizedError(AppuioError):
    """The credential is unknown, expired or revoked."""


class ForbiddenError(AppuioError):
    """The credential is good, but has no right to this."""


class NotFoundError(AppuioError):
    """The thing asked for does not exist."""


class ServerError(AppuioError):
    """The server answered with an error that no other class names.

    ``status`` is the HTTP status, ``codes`` the registry's error codes, ``retry_after`` seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        codes: tuple[str, ...] = (),
        retry_after: float | None = None,
        **context: Any,
    ) -> None:
        super().__init__(message, **context)
        self.status = status
        self.codes = codes
        self.retry_after = retry_after


class ConflictError(ServerError):
    """The object is there already, or was changed since it was read (409)."""


class CancelledError(AppuioError):
    """Another zone failed, or the process was told to stop, so that this work was given up."""


_INSTALLED_TOGETHER = (("kubernetes", "openshift"), ("jmespath",), ("zstandard",))


class MissingLibraryError(AppuioError):
    """A Python package that only this task needs is not installed where it runs."""

    def __init__(self, library: str, reason: str, trace: str | None = None) -> None:
        super().__init__(f"the Python package {library} is needed {reason}")
        self.library = library
        self.reason = reason
        self.trace = trace

    @property
    def packages(self) -> tuple[str, ...]:
        """What pip has to install; nothing for what a Python is built with or without, as lzma."""
        return next((packages for packages in _INSTALLED_TOGETHER if self.library in packages), ())


def unexpected_error(error: Exception) -> AppuioError:
    """Return the failure that an exception is which nobody expected, for what has to go on after it."""
    return AppuioError(f"unexpected {type(error).__name__}: {error}. This is a bug in appuio.registry")
