# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blobs and uploads: streamed to the real registry; where it differs from OpenShift's, its answers are adapted."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from urllib.parse import quote, urlencode

from ..http.exchange import DiskFull, Exchange
from ..http.messages import Headers
from ..settings import Settings
from .errors import HEADERS, registry_error
from .store import BlobStore
from .upstream import Answer, Upstream, UpstreamGone


class Blobs:
    """What concerns blobs; knows the registry's secret, so that it can make the state of an upload."""

    def __init__(
        self, http_secret: str, upload_size: Callable[[str, str], int | None], store: BlobStore, settings: Settings
    ) -> None:
        self._secret = http_secret.encode()
        self._upload_size = upload_size
        self._store, self._settings = store, settings

    def handle(
        self, exchange: Exchange, upstream: Upstream, kind: str, parts: dict[str, str], *, may_mount: bool
    ) -> None:
        """Answer a request for a blob ("blob"), a new upload ("start") or an upload in progress ("upload")."""
        reads = kind == "blob" and exchange.method in ("GET", "HEAD")
        if reads and self._settings.redirect_blobs and self.size(upstream, parts["name"], parts["digest"]) is not None:
            self._store.redirect(exchange, parts["digest"], HEADERS)
            return
        query = dict(exchange.query)
        if kind == "start":
            query.pop("digest", None)
            if not may_mount:
                query = {}
        elif kind == "upload":
            self._fit_state(exchange, parts["name"], parts["upload"], query)
        target = quote(exchange.path) + (f"?{urlencode(query)}" if query else "")
        try:
            answer = self.ask(exchange, upstream, target, blocks=kind == "upload")
        except DiskFull:
            detail = {
                "DriverName": "filesystem",
                "Enclosed": {"Op": "write", "Path": f"/registry/_uploads/{parts['upload']}/data", "Err": 28},
            }
            raise registry_error(500, "UNKNOWN", "unknown error", detail) from None
        upstream.pass_on(exchange, answer)

    def ask(self, exchange: Exchange, upstream: Upstream, target: str, *, blocks: bool) -> Answer:
        """Send the client's request on and return the head of the answer, with OpenShift's header fields."""
        headers = Headers(list(exchange.headers.fields))
        headers.remove("Authorization")
        headers.set("X-Forwarded-Proto", "https")
        body = exchange.blocks() if blocks else ()
        length = exchange.body.length if blocks else 0
        answer = upstream.request(exchange.method, target, headers, body, length=length)
        for name in ("Date", "X-Content-Type-Options", *(name for name, _ignored in HEADERS)):
            answer.headers.remove(name)
        answer.headers.fields += HEADERS
        if answer.headers.get("Content-Type").startswith("application/json"):
            answer.headers.set("Content-Type", "application/json")
        return answer

    def size(self, upstream: Upstream, name: str, digest: str) -> int | None:
        """Return the size of a blob of a repository, or None when it is not there."""
        answer = upstream.request("HEAD", f"/v2/{name}/blobs/{digest}", Headers([("Host", "registry")]))
        return int(answer.headers.get("Content-Length")) if answer.status == 200 else None

    def content(self, upstream: Upstream, name: str, digest: str) -> bytes:
        """Return a whole blob of a repository, such as a configuration; raises UpstreamGone when it is not there."""
        answer = upstream.request("GET", f"/v2/{name}/blobs/{digest}", Headers([("Host", "registry")]))
        content = answer.body.read(16 * 1024 * 1024)
        if answer.status != 200:
            raise UpstreamGone(f"blob {digest} is not there")
        return content

    def _fit_state(self, exchange: Exchange, name: str, upload: str, query: dict[str, str]) -> None:
        """Do what OpenShift's registry does about ``_state``: any is good for GET, only the newest for writing."""
        size = self._upload_size(name, upload)
        if size is None:
            if exchange.method in ("GET", "HEAD"):
                raise registry_error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", {})
            return
        if exchange.method in ("GET", "HEAD", "DELETE"):
            query["_state"] = self._state(name, upload, size)
            return
        offset = self._offset(query.get("_state", ""))
        start = exchange.headers.get("Content-Range").removeprefix("bytes ").partition("-")[0]
        if (offset is not None and offset != size) or (start and start != str(size)):
            raise registry_error(416, "RANGE_INVALID", "invalid content range")

    def _state(self, name: str, upload: str, size: int) -> str:
        message = json.dumps({"Name": name, "UUID": upload, "Offset": size, "StartedAt": "2026-01-01T00:00:00Z"})
        signature = hmac.new(self._secret, message.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(signature + message.encode()).decode()

    @staticmethod
    def _offset(state: str) -> int | None:
        """Return the offset a state was made for, or None when it is none."""
        try:
            return int(json.loads(base64.urlsafe_b64decode(state)[32:])["Offset"])
        except (ValueError, KeyError, TypeError, binascii.Error):
            return None
