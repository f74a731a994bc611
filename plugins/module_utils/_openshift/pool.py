# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connections of an API client: each answer is read as a whole, bounded in bytes and time.

urllib3 knows a timeout for each piece of an answer only, so that one that comes byte by byte would never end.
"""

from __future__ import annotations

import io
import time
from typing import Any, Callable

from .errors import no_api

BLOCK = 256 * 1024
LARGEST_ANSWER = 256 << 20
_TIMEOUTS_PER_ANSWER = 10


class BoundedPool:
    """What kubernetes takes for a ``urllib3.PoolManager``; ``timeout`` in seconds is that of each piece."""

    def __init__(self, pool: Any, timeout: float, now: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._seconds = _TIMEOUTS_PER_ANSWER * timeout
        self._now = now

    def request(self, method: str, url: str, **given: Any) -> Any:
        """Return the answer with all of its body; raises what urllib3 raises, and ServerError beyond the bounds."""
        from urllib3 import HTTPResponse

        answer = self._pool.request(method, url, **{**given, "preload_content": False})
        try:
            content = self._content(answer)
        except BaseException:
            answer.close()
            raise
        answer.release_conn()
        # What was read is decoded, and its length known. Given as bytes, an empty body would count as not read.
        return HTTPResponse(
            io.BytesIO(content),
            answer.headers,
            answer.status,
            reason=answer.reason,
            decode_content=False,
            enforce_content_length=False,
        )

    def clear(self) -> None:
        """Close all connections."""
        self._pool.clear()

    def _content(self, answer: Any) -> bytes:
        # urllib3 1.26 has no read1, so that there only the pieces of 256 KiB are seen.
        read = getattr(answer, "read1", answer.read)
        ends = self._now() + self._seconds
        content = bytearray()
        while piece := read(BLOCK):
            content += piece
            if len(content) > LARGEST_ANSWER:
                raise no_api(f"an answer of the API is longer than {LARGEST_ANSWER} bytes")
            if self._now() > ends:
                raise no_api(f"an answer of the API did not end within {self._seconds:g} s")
        return bytes(content)
