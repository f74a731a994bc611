# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: which requests they hit, and what happens to those."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Any

ACTIONS = (
    "delay",  # wait `seconds` before anything is done
    "throttle",  # let `bytes_per_second` of the bodies through, both ways, in pieces of `block` bytes
    "hang",  # nothing is done and nothing is answered, until the client has gone
    "page",  # answer 200 with an HTML page, as a proxy or a sign-in page in front of everything does
    "status",  # answer `status` at once, with `retry_after` if given, `body` and `headers`
    "reset_request",  # pass `after_bytes` of the request's body on, then break the connection
    "reset_response",  # send `after_bytes` of the answer's body, then break the connection
    "corrupt_response",  # the first byte of the answer's body is another one
    "ignore_range",  # answer as if there were no Range
    "truncate_response",  # send `after_bytes` of the answer's body, then close properly
    "revoke_token",  # the token of the request stops being good, from this request on
    "disk_full",  # the registry's disk is full after `after_bytes` of the request's body
    "replace_answer",  # do what is asked, then answer `status`, `body` and `headers` instead, and close
    "lose_answer",  # do what is asked, then break the connection instead of answering
)


@dataclass
class Fault:
    """One fault: what happens, to which requests, and how often."""

    action: str
    side: str | None = None  # "registry", "api" or "store"; None: all
    method: str | None = None  # a regular expression for the whole method, such as "PUT|PATCH"
    path: str | None = None  # a regular expression that is searched in the path with its query
    user: str | None = None
    count: int | None = None  # how many requests are hit; None: all of them
    skip: int = 0  # how many matching requests pass before the first is hit
    seconds: float = 0.0
    bytes_per_second: int = 0
    block: int = 16 * 1024
    after_bytes: int = 0
    status: int = 503
    retry_after: str | None = None
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    hits: int = 0
    identity: int = 0

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"{self.action} is none of {', '.join(ACTIONS)}")
        if self.side not in (None, "registry", "api", "store"):
            raise ValueError("side is registry, api or store")
        if self.action == "throttle" and not (self.bytes_per_second > 0 and self.block > 0):
            raise ValueError("a throttle needs bytes_per_second")
        for pattern in (self.method, self.path):
            re.compile(pattern or "")

    def matches(self, side: str, method: str, target: str) -> bool:
        """Tell whether this request is meant, whatever the counts say."""
        return (
            self.side in (None, side)
            and (self.method is None or re.fullmatch(self.method, method) is not None)
            and (self.path is None or re.search(self.path, target) is not None)
        )


class FaultList:
    """The faults of one zone."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._last = 0

    def add(self, **options: Any) -> int:
        """Add a fault and return its number; raises ValueError and TypeError for what is no fault."""
        with self._lock:
            self._last += 1
            self._faults.append(Fault(**options, identity=self._last))
            return self._last

    def remove(self, identity: int) -> None:
        """Take one fault away; nothing happens when it is not there."""
        with self._lock:
            self._faults = [fault for fault in self._faults if fault.identity != identity]

    def clear(self) -> None:
        """Take all faults away."""
        with self._lock:
            self._faults.clear()

    def hits(self, identity: int) -> int:
        """Return how many requests a fault has hit."""
        with self._lock:
            return next((fault.hits for fault in self._faults if fault.identity == identity), 0)

    def take(self, side: str, method: str, target: str) -> list[Fault]:
        """Return the faults that hit this request, and count them."""
        hit = []
        with self._lock:
            for fault in self._faults:
                if not fault.matches(side, method, target):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                elif fault.count is None or fault.hits < fault.count:
                    fault.hits += 1
                    hit.append(fault)
        return hit
