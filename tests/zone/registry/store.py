# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store for blobs behind a registry, as S3 is: the registry redirects to it with addresses that carry their right."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

from ..http.exchange import Exchange
from ..http.messages import Headers

_BLOCK = 256 * 1024
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class BlobStore:
    """Serves the registry's blobs to those who come with a signed address, and refuses credentials."""

    def __init__(self, blob_file: Callable[[str], Path | None]) -> None:
        self._blob_file = blob_file
        self._signed: dict[str, str] = {}
        self._lock = threading.Lock()
        self.origin = ""  # "https://127.0.0.1:40003"

    def redirect(self, exchange: Exchange, digest: str, headers: list[tuple[str, str]]) -> None:
        """Answer a request for a blob with where it can be had."""
        signature = secrets.token_hex(16)
        with self._lock:
            self._signed[signature] = digest
        location = f"{self.origin}/blobs/{digest}?X-Amz-Expires=1200&X-Amz-Signature={signature}"
        body = f'<a href="{location}">Temporary Redirect</a>.\n\n'.encode()
        exchange.reply(307, body, [*headers, ("Location", location), ("Content-Type", "text/html; charset=utf-8")])

    def handle(self, exchange: Exchange) -> None:
        """Answer what comes to the store's address."""
        if "Authorization" in exchange.headers:
            # Whoever hands the registry's credential on to the store gets no blob, and has shown it to somebody.
            self._refuse(exchange, 400, "InvalidArgument", "Only one auth mechanism allowed")
            return
        digest = exchange.path.rpartition("/")[2]
        with self._lock:
            right = self._signed.get(exchange.query.get("X-Amz-Signature", "")) == digest
        file = self._blob_file(digest) if right else None
        if file is None or exchange.method not in ("GET", "HEAD"):
            self._refuse(exchange, 403, "AccessDenied", "Access Denied")
            return
        self._send(exchange, file)

    def _send(self, exchange: Exchange, file: Path) -> None:
        size = file.stat().st_size
        start, end, status = 0, size, 200
        fields = [("Content-Type", "application/octet-stream"), ("Accept-Ranges", "bytes")]
        if wanted := _RANGE.fullmatch(exchange.headers.get("Range")):
            start, end, status = int(wanted[1]), min(int(wanted[2] or size) + 1, size), 206
            if start >= size:
                self._refuse(exchange, 416, "InvalidRange", "The requested range is not satisfiable")
                return
            fields.append(("Content-Range", f"bytes {start}-{end - 1}/{size}"))
        exchange.begin(status, Headers([*fields, ("Content-Length", str(end - start))]))
        if exchange.method == "HEAD":
            return
        with file.open("rb") as blob:
            blob.seek(start)
            while start < end and (block := blob.read(min(_BLOCK, end - start))):
                exchange.write(memoryview(block))
                start += len(block)

    @staticmethod
    def _refuse(exchange: Exchange, status: int, code: str, message: str) -> None:
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
        exchange.reply(status, body.encode(), [("Content-Type", "application/xml")])
