# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When to try again, and after how long: backoff with jitter, what the server asks for first (RFC 9110, 10.2.3)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable, NamedTuple

if TYPE_CHECKING:
    from email.message import Message

PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_WAIT = 60.0
# A server that asks for more is not waited for: the user is told instead.
LONGEST_RETRY_AFTER = 120.0
_LONGEST_NUMBER = 9


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

    def reset(self) -> None:
        """Count anew, as the work got on since the last attempt."""
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
