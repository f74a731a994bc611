# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed failures: what went wrong, where, at which step, what the server said, what to do next."""

from __future__ import annotations

from typing import Any


class Problem(Exception):
    """A failure that a user is told about; the runner turns it into ``fail_json`` in one place.

    ``zone`` (or ``side``, for a source) and ``step`` say where, ``said`` is the server's own words,
    ``advice`` the next thing to do. ``result`` is merged into the failed result.
    """

    def __init__(
        self,
        message: str,
        *,
        zone: str | None = None,
        step: str | None = None,
        said: str | None = None,
        advice: str | None = None,
        result: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.zone = zone
        self.step = step
        self.said = said
        self.advice = advice
        self.result = dict(result or {})

    def at(self, zone: str | None = None, step: str | None = None) -> Problem:
        """Return the same problem with zone and step filled in where they were not known below."""
        self.zone = self.zone or zone
        self.step = self.step or step
        return self

    def __str__(self) -> str:
        where = [f"zone {self.zone}" if self.zone else "", self.step or ""]
        text = ": ".join([part for part in where if part] + [self.message])
        if self.said:
            text += f" (the server said: {self.said})"
        if self.advice:
            text = f"{text.rstrip('.')}. {self.advice}"
        return text


class InvalidOption(Problem):
    """An option, or a combination of them, cannot be meant; found before any network call."""


class SourceProblem(Problem):
    """The source does not exist, cannot be read, or is not what its digests say."""


class Unreachable(Problem):
    """No answer: name not known, connection refused or broken, no progress within the timeout."""


class TlsUntrusted(Problem):
    """The server's certificate is not trusted, or not for this host."""


class NotAuthenticated(Problem):
    """The credential is unknown, expired or revoked."""


class NotAllowed(Problem):
    """The credential is good, but has no right to this."""


class NotFound(Problem):
    """The thing asked for does not exist."""


class ServerProblem(Problem):
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


class MissingLibrary(Problem):
    """A Python package that only this task needs is not installed where it runs."""

    def __init__(self, library: str, reason: str, trace: str | None = None) -> None:
        super().__init__(f"the Python package {library} is needed {reason}")
        self.library = library
        self.reason = reason
        self.trace = trace
