# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked of a zone, in the order it came, without secrets."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

_QUESTIONS = ("reviews",)
_WRITING = ("POST", "PUT", "PATCH", "DELETE")


@dataclass
class Record:
    """One request; status is None while it runs and 0 when the connection broke before an answer."""

    side: str
    method: str
    path: str
    time: float = 0.0
    status: int | None = None
    user: str = ""
    authorization: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    connection: int = 0
    user_agent: str = ""
    faults: str = ""

    @property
    def writes(self) -> bool:
        """Whether the request is of a kind that changes something: no question, no dry run."""
        if self.method not in _WRITING or "dryRun=All" in self.path:
            return False
        return not self.path.partition("?")[0].endswith(_QUESTIONS)


def without_secrets(target: str) -> str:
    """Return a request target as it may be kept: no upload state, no token, no code."""
    return re.sub(
        r"([?&](?:_state|access_token|code|token|password|client_secret|code_verifier)=)[^&]*", r"\1…", target
    )


class RequestLog:
    """The requests of one zone."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._lock = threading.Lock()

    def begin(self, record: Record) -> Record:
        """Keep a record from the moment its request came; the caller fills in the rest."""
        record.time = time.time()
        with self._lock:
            self._records.append(record)
        return record

    def records(self) -> list[dict[str, Any]]:
        """Return all records as dictionaries, with ``writes``."""
        with self._lock:
            return [{**asdict(record), "writes": record.writes} for record in self._records]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._records.clear()
