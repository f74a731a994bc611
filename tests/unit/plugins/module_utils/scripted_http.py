# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP client that knows its lines: a request that is not in the script fails the test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.message import Message
from typing import Any
from urllib.parse import parse_qs

from ansible_collections.appuio.registry.plugins.module_utils._http.message import Response

Line = tuple[str, Response]


def answer(status: int, document: Any = None, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer with a JSON document."""
    message = Message()
    for name, value in (headers or {}).items():
        message[name] = value
    return Response(status, message, b"" if document is None else json.dumps(document).encode())


def refusal(status: int, message: str) -> Response:
    """Return an API's refusal; one with 404 names what does not exist."""
    document = {"kind": "Status", "status": "Failure", "message": message, "code": status}
    missing = {"reason": "NotFound", "details": {"name": "it"}} if status == 404 else {}
    return answer(status, {**document, **missing})


class ScriptedHttp:
    """Answers the expected requests in their order, and keeps what they brought along."""

    def __init__(self, *lines: Line) -> None:
        self.lines = list(lines)
        self.headers: list[Mapping[str, str]] = []
        self.bodies: list[bytes | None] = []
        self.closed = False

    def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        step: str | None = None,
    ) -> Response:
        assert self.lines, f"{method} {target} was not expected any more"
        expected, response = self.lines.pop(0)
        assert f"{method} {target}".startswith(expected), f"expected {expected}"
        assert step, "every request says what it is for"
        self.headers.append(headers or {})
        self.bodies.append(body)
        return response

    def close(self) -> None:
        self.closed = True

    def document(self, number: int = -1) -> Any:
        """Return the JSON document that a request brought."""
        return json.loads(self.bodies[number] or b"null")

    def form(self, number: int = -1) -> dict[str, str]:
        """Return the form that a request brought."""
        fields = parse_qs((self.bodies[number] or b"").decode(), keep_blank_values=True)
        return {name: values[0] for name, values in fields.items()}
