# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in a blob the body of an answer begins: what a server may make of a Range (RFC 9110, 14.2 and 15.3.7)."""

from __future__ import annotations

import re

from .._errors import ServerError
from .._http.failures import ConnectionLostError
from .._http.message import BLOCK_SIZE
from .._http.open_response import OpenResponse

_CONTENT_RANGE = re.compile(r"\s*bytes\s+(\d{1,18})-(\d{1,18})/(?:(\d{1,18})|\*)\s*", re.IGNORECASE)
_HINT = "Try again; if it stays, what the registry stores, or what stands in front of it, is broken"


def begin_at(opened: OpenResponse, offset: int, registry: str) -> None:
    """Bring an answer to ``offset``, in bytes: what comes before, up to the whole blob, is read and left aside.

    Raises ServerError for a body that is encoded; ConnectionLostError for one that begins later or ends before.
    """
    coding = str(opened.headers.get("content-encoding") or "identity").strip().lower()
    if coding != "identity":
        raise ServerError(f"{registry} sends the blob encoded as {coding}, which was not asked for", hint=_HINT)
    start = offset if opened.status == 206 else 0
    part = _CONTENT_RANGE.fullmatch(str(opened.headers.get("content-range") or ""))
    if part is not None and opened.status == 206:
        start, last, size = int(part.group(1)), int(part.group(2)), part.group(3)
        opened.is_partial = size is not None and last + 1 < int(size)
    if start > offset:
        raise ConnectionLostError(f"{registry} sent the blob from byte {start} on, not from {offset}", hint=_HINT)
    buffer = memoryview(bytearray(BLOCK_SIZE))
    opened.offset = start
    while opened.offset < offset:
        count = opened.readinto(buffer[: min(BLOCK_SIZE, offset - opened.offset)])
        if not count:
            raise ConnectionLostError(f"{registry} sent less of the blob than before", hint=_HINT)
        opened.offset += count
