# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many manifests a registry still gives, by its answers (Docker Hub, "Pull usage and limits").

``RateLimit-Limit: 100;w=21600`` is a hundred in six hours, of which ``RateLimit-Remaining: 3;w=21600`` leaves three.
"""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from email.message import Message
from typing import Iterator, NamedTuple

from .._errors import ServerError

# A limit that renews sooner is waited for, as an answer of 429 is.
SHORTEST_WINDOW = 300
_LONGEST = 200
_COUNT = re.compile(r"\s*([0-9]{1,9})\s*(?:$|[;,])")
_WINDOW = re.compile(r";\s*w\s*=\s*\"?([0-9]{1,9})(?![0-9])")
_UNITS = ((3600, "hour"), (60, "minute"), (1, "second"))


class Remaining(NamedTuple):
    """What remains of ``limit`` requests, where that is known, in a window of so many seconds."""

    remaining: int
    window: int
    limit: int | None = None

    def __str__(self) -> str:
        given = "manifests" if self.limit is None else f"{self.limit} manifests"
        return f"{given} in {duration(self.window)}, of which {self.remaining} remain"


def remaining_of(headers: Message) -> Remaining | None:
    """Return what an answer says of the limit; None for none, for one that is no number, and for one of minutes."""
    text = _first(headers, "ratelimit-remaining")
    whole = _first(headers, "ratelimit-limit")
    count, limit = _COUNT.match(text), _COUNT.match(whole)
    window = _WINDOW.search(text) or _WINDOW.search(whole)
    if count is None or window is None or int(window.group(1)) < SHORTEST_WINDOW:
        return None
    return Remaining(int(count.group(1)), int(window.group(1)), int(limit.group(1)) if limit else None)


class PullLimit:
    """The limit of one user at one registry; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: Remaining | None = None
        self._asked = 0

    def note(self, headers: Message) -> None:
        """Take what an answer to a request for a manifest says; the last one counts."""
        found = remaining_of(headers)
        if found is not None:
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
                    hint=f"They renew within {duration(known.window)}: run it again then, or give source_username and "
                    "source_password of an account with a higher limit",
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


def _first(headers: Message, name: str) -> str:
    return str(headers.get(name) or "")[:_LONGEST].partition(",")[0]
