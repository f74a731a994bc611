# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults of the matrix: what a zone, or what stands in front of it, does instead of what it should."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.zone import Zone

_HOSTILE = "\x1b[31mred\x1b[0m\nsecond line \x07"


def _words(text: str, status: int, **more: Any) -> bytes:
    """Return an error that a registry and an API understand, both from the same answer."""
    document = {"errors": [{"code": "DENIED", "message": text, "detail": {}}], "kind": "Status", "message": text}
    return json.dumps({**document, **more, "code": status}).encode()


def _answer(status: int, body: bytes = b"", **options: Any) -> dict[str, Any]:
    return {"status": status, "body": body, **options}


def _json(status: int, body: bytes) -> dict[str, Any]:
    return _answer(status, body, headers=[("Content-Type", "application/json")])


@dataclass(frozen=True)
class Fault:
    """What happens to requests of one zone; one that ``passes`` is survived when it hits a single request."""

    name: str
    action: str
    options: dict[str, Any] = field(default_factory=dict)
    passes: bool = False

    def add(self, zone: Zone, side: str, skip: int, count: int | None = None) -> int:
        """Let it happen to all requests of a side, or some, behind the first ones; return the fault's number."""
        return zone.faults.add(self.action, side=side, skip=skip, count=count, **self.options)


FAULTS = (
    Fault("a page", "page"),
    Fault("500", "status", _answer(500), passes=True),
    Fault(
        "502", "status", _answer(502, b"<html>bad gateway</html>", headers=[("Content-Type", "text/html")]), passes=True
    ),
    Fault("503", "status", _answer(503), passes=True),
    Fault("503, again at once", "status", _answer(503, retry_after="0"), passes=True),
    Fault("503, again tomorrow", "status", _answer(503, retry_after="86400")),
    Fault("429", "status", _answer(429, retry_after="0"), passes=True),
    Fault("401", "status", _json(401, _words("authentication required", 401))),
    Fault("403", "status", _json(403, _words("access denied", 403))),
    Fault("403 with a page", "status", _answer(403, b"<html>", headers=[("Content-Type", "text/html")])),
    Fault("403 with hostile words", "status", _json(403, _words(_HOSTILE, 403))),
    Fault("404", "status", _json(404, _words("not found", 404))),
    Fault("404 of no resource", "status", _json(404, _words("not found", 404, reason="NotFound", details={}))),
    Fault("404 with a page", "status", _answer(404, b"<html>", headers=[("Content-Type", "text/html")])),
    Fault("409", "status", _json(409, _words("conflict", 409))),
    Fault("418 without words", "status", _answer(418)),
    Fault("dropped before the answer", "reset_request", passes=True),
    Fault("done, then dropped", "lose_answer", passes=True),
    Fault("done, then 504", "replace_answer", _answer(504), passes=True),
    Fault("done, then 500", "replace_answer", _answer(500), passes=True),
    Fault("an answer that breaks off", "reset_response", {"after_bytes": 5}, passes=True),
    Fault("an answer that ends too early", "truncate_response", {"after_bytes": 5}, passes=True),
    Fault("200 and nothing", "status", _answer(200)),
    Fault("201 and nothing", "status", _answer(201)),
    Fault("204", "status", _answer(204)),
    Fault("304", "status", _answer(304)),
    Fault("a redirection to itself", "status", _answer(302, headers=[("Location", "/")])),
    Fault("a list", "status", _json(200, b"[]")),
    Fault("null", "status", _json(200, b"null")),
    Fault("an empty object", "status", _json(200, b"{}")),
    Fault("no UTF-8", "status", _json(200, b'{"a": "\xff\xfe')),
    Fault("JSON without a floor", "status", _json(200, b"[" * 100_000)),
    Fault(
        "odd shapes",
        "status",
        _json(
            200, b'{"kind": 4, "metadata": [], "items": 7, "spec": "x", "status": [null], "tags": {"a": 1}, "data": 3}'
        ),
    ),
    Fault("a list of null", "status", _json(200, b'{"kind": "ImageStreamList", "items": null}')),
    Fault(
        "a list of something else",
        "status",
        _json(200, b'{"kind": "ImageStreamList", "items": [{"kind": "Route", "metadata": {"name": "app"}}]}'),
    ),
    Fault(
        "odd entries",
        "status",
        _json(
            201,
            b'{"metadata": {"name": 4}, "items": [null, 3, {"metadata": null, "spec": 1}], "status": {"tags": [7]},'
            b'"tags": [null, {"tag": []}]}',
        ),
    ),
)
BY_NAME = {fault.name: fault for fault in FAULTS}
SLOW = Fault("an answer that comes slowly", "throttle", {"bytes_per_second": 20_000, "block": 100})
SILENT = Fault("no answer ever", "hang")
