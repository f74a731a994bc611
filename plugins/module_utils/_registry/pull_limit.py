# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many manifests a registry still gives, by its answers (Docker Hub, "Pull usage and limits").

``RateLimit-Limit: 100;w=21600`` is a hundred in six hours, of which ``RateLimit-Remaining: 3;w=21600`` leaves three.
Others name several limits, give the window with one of them only, or say with ``RateLimit-Reset`` in how many seconds,
or at which time, requests renew (draft-ietf-httpapi-ratelimit-headers-03; GitLab, "Rate limits").
"""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager
from email.message import Message
from typing import Iterator, NamedTuple

from .._errors import ServerError

# A limit that renews sooner is waited for, as an answer of 429 is.
SHORTEST_WINDOW = 300
_LONGEST = 1000
# What lies between commas, but for those in quotes.
_VALUE = re.compile(r'(?:[^,"]|"[^"]*"?)+')
_COUNT = re.compile(r"\s*([0-9]{1,9})\s*(?:$|;)")
_WINDOW = re.compile(r";\s*w\s*=\s*\"?([0-9]{1,9})(?![0-9])")
_RESET = re.compile(r"\s*([0-9]{1,10})\s*(?:$|[;,])")
# A larger number is a time since 1970, not seconds from now on.
_LONGEST_RESET = 10**9
_UNITS = ((3600, "hour"), (60, "minute"), (1, "second"))


class Remaining(NamedTuple):
    """What remains of ``limit`` requests in a window of so many seconds, and in how many they renew.

    What the registry does not say is None.
    """

    remaining: int
    window: int | None = None
    limit: int | None = None
    renews: int | None = None

    def __str__(self) -> str:
        given = "manifests" if self.limit is None else f"{self.limit} manifests"
        window = "" if self.window is None else f" in {duration(self.window)}"
        return f"{given}{window}, of which {self.remaining} remain"


def remaining_of(headers: Message, now: float) -> Remaining | None:
    """Return what an answer says of the limit that matters most; ``now`` is in seconds since 1970.

    None stands for no limit, one that is no number, and one that renews within ``SHORTEST_WINDOW``.
    """
    limits = _values(headers, "ratelimit-limit")
    found = []
    for number, (remaining, own) in enumerate(_values(headers, "ratelimit-remaining")):
        limit, window = limits[number] if number < len(limits) else (None, None)
        window = own or window or _window_of(limits, limit)
        # What is said of the next renewal is said of the first limit.
        reset = _reset(headers, now) if number == 0 else None
        renews = window if reset is None else reset
        if remaining is not None and (renews is None or renews >= SHORTEST_WINDOW):
            found.append(Remaining(remaining, window, limit, renews))
    return min(found, key=lambda one: (one.renews is None, one.remaining, -(one.renews or 0)), default=None)


class PullLimit:
    """The limit of one user at one registry; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: Remaining | None = None
        self._asked = 0

    def note(self, headers: Message, refused: bool = False) -> None:
        """Take what an answer to a request for a manifest says; the last one counts.

        What does not say when it renews may do so within a second: it counts once the registry has refused more.
        """
        found = remaining_of(headers, time.time())
        if found is not None and (refused or found.renews is not None):
            with self._lock:
                self._known = found

    @contextmanager
    def reading(self, registry: str, description: str, needed: int = 1) -> Iterator[None]:
        """Send a request for a manifest within; raises ServerError where so many are needed and fewer remain.

        What other threads have asked for and is not answered yet counts as gone.
        """
        with self._lock:
            known = self._known
            if known is not None and known.remaining - self._asked < needed:
                raise ServerError(
                    f"{registry} gives {known}, and {description} needs {needed} more",
                    step="read the source",
                    hint=f"{_when(known)}, or give source_username and source_password of an account with a higher "
                    "limit",
                    status=429,
                )
            self._asked += needed
        try:
            yield
        finally:
            with self._lock:
                self._asked -= needed


def duration(seconds: int) -> str:
    """Return seconds in the largest unit that is a whole number of them, such as "6 hours"."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _when(known: Remaining) -> str:
    if known.renews is None:
        return "It does not say when they renew: run it again later"
    return f"They renew within {duration(-(-known.renews // 60) * 60)}: run it again then"


def _values(headers: Message, name: str) -> list[tuple[int | None, int | None]]:
    """Return the number and the window of each value of a header, which may be there several times."""
    text = ",".join(str(value) for value in headers.get_all(name) or ())
    values = _VALUE.findall(text[:_LONGEST])
    if len(text) > _LONGEST:
        values = values[:-1]  # the last one is cut
    found = [(_COUNT.match(value), _WINDOW.search(value)) for value in values]
    return [
        (int(count.group(1)) if count else None, int(window.group(1)) if window else None) for count, window in found
    ]


def _window_of(limits: list[tuple[int | None, int | None]], limit: int | None) -> int | None:
    """Return the window of a limit that is listed once more with it, or of the only one that has any."""
    windows = [window for count, window in limits if window is not None and count in (limit, None)]
    return windows[0] if windows else None


def _reset(headers: Message, now: float) -> int | None:
    """Return in how many seconds requests renew."""
    found = _RESET.match(str(headers.get("ratelimit-reset") or "")[:_LONGEST])
    if found is None:
        return None
    seconds = int(found.group(1))
    if seconds > _LONGEST_RESET:
        seconds = max(0, round(seconds - now))
    return seconds
