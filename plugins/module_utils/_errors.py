# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed failures: what went wrong, where, at which step, what the server said, what to do next."""

from __future__ import annotations

from typing import Any


class AppuioError(Exception):
    """A failure that a user is told about; the runner turns it into ``fail_json`` in one place.

    ``zone`` (or ``side``, for a source) and ``step`` say where, ``said`` is the server's own words,
    ``hint`` the next thing to do. ``result`` is merged into the failed result.
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
        self.server_message = server_message
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
        return text


class InvalidOptionError(AppuioError):
    """An option, or a combination of them, cannot be meant; found before any network call."""


class SourceError(AppuioError):
    """The source does not exist, cannot be read, or is not what its digests say."""


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


class CancelledError(AppuioError):
    """Another zone failed, or the process was told to stop, so that this work was given up."""


class MissingLibraryError(AppuioError):
    """A Python package that only this task needs is not installed where it runs."""

    def __init__(self, library: str, reason: str, trace: str | None = None) -> None:
        super().__init__(f"the Python package {library} is needed {reason}")
        self.library = library
        self.reason = reason
        self.trace = trace
