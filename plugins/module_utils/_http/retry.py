# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When to try again, and after how long: backoff with jitter, what the server asks for first (RFC 9110, 10.2.3)."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import timezone
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Callable

PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_WAIT = 60.0


@dataclass(frozen=True)
class Clock:
    """Time and chance, handed in so that tests need neither; seconds."""

    now: Callable[[], float]
    sleep: Callable[[float], None]
    chance: Callable[[], float]


SYSTEM_CLOCK = Clock(time.time, time.sleep, random.random)


@dataclass
class Attempts:
    """The attempts that one piece of work has; ``retries`` after the first, ``delay`` seconds doubling."""

    retries: int
    delay: float
    clock: Clock = SYSTEM_CLOCK
    made: int = 0

    def again(self, asked: float | None = None) -> bool:
        """Wait and return True when there is another attempt; ``asked`` is the server's Retry-After."""
        if self.made >= self.retries:
            return False
        backoff = min(self.delay * 2**self.made, LONGEST_WAIT)
        self.made += 1
        jittered = backoff * (0.5 + self.clock.chance() / 2)
        self.clock.sleep(jittered if asked is None else min(max(asked, jittered), 2 * LONGEST_WAIT))
        return True


def retry_after(headers: Message, now: float) -> float | None:
    """Return the seconds that a Retry-After header asks for, or None without a readable one."""
    value = headers.get("retry-after")
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, moment.timestamp() - now)
