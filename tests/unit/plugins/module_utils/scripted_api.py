# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone's API that knows its lines: the real client, over a connection that answers from a script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Clock
from ansible_collections.appuio.registry.plugins.module_utils._openshift import resources
from ansible_collections.appuio.registry.plugins.module_utils._openshift.client import Api
from ansible_collections.appuio.registry.plugins.module_utils._openshift.resources import ApiAddress
from ansible_collections.appuio.registry.plugins.module_utils._targets import Connection
from urllib3._collections import HTTPHeaderDict

from tests.unit.plugins.module_utils.scripted_http import Line, answer, refusal

__all__ = ["Line", "ScriptedApi", "answer", "refusal", "scripted_api"]

_KINDS = {one.plural: one.kind for one in vars(resources).values() if isinstance(one, resources.ResourceType)}


def _kind(path: str) -> str:
    return next((_KINDS[part] for part in reversed(path.split("/")) if part in _KINDS), "")


class _Answer:
    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.status, self.headers, self.data, self.reason = status, headers, data, "scripted"

    def getheaders(self) -> Mapping[str, str]:
        return self.headers

    def getheader(self, name: str, default: Any = None) -> Any:
        return self.headers.get(name, default)


class ScriptedApi:
    """Answers the expected requests in their order, and keeps what they brought along."""

    def __init__(
        self,
        *lines: Line | tuple[str, Exception],
        url: str = "https://api.zone.example:6443",
        token: str = "token",
        retries: int = 0,
    ) -> None:
        self.lines = list(lines)
        self.requests: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.bodies: list[Any] = []
        self.waits: list[float] = []
        self.closed = False
        connection = Connection(retries=retries, retry_delay=0.5)
        clock = Clock(lambda: 1_795_000_000.0, self.waits.append, lambda: 1.0)
        self.api = Api(ApiAddress(url, connection), token, clock)
        self.api._connected().client.rest_client.pool_manager = self

    def request(self, method: str, url: str, **given: Any) -> _Answer:
        parts = urlsplit(url)
        target = unquote(f"{parts.path}?{parts.query}" if parts.query else parts.path)
        assert self.lines, f"{method} {target} was not expected any more"
        expected, response = self.lines.pop(0)
        assert f"{method} {target}".startswith(unquote(expected)), f"expected {expected}, got {method} {target}"
        self.requests.append(f"{method} {target}")
        self.headers.append(given.get("headers") or {})
        body = given.get("body")
        self.bodies.append(json.loads(body) if isinstance(body, (str, bytes)) and body else body)
        if isinstance(response, Exception):
            raise response
        # What is no matter to most tests: a list has a kind, and a change is answered with the object, or a Status.
        document = json.loads(response.body) if response.body[:1] == b"{" else None
        more: dict[str, Any] = {}
        if method == "DELETE":
            more = {"kind": "Status", "status": "Success"}
        elif method != "GET":
            more = {"kind": (self.bodies[-1] or {}).get("kind") or _kind(parts.path)}
        elif "items" in (document or {}):
            more = {"kind": f"{_kind(parts.path)}List"}
        data = json.dumps({**more, **document}).encode() if document is not None and more else response.body
        return _Answer(response.status, HTTPHeaderDict(response.headers.items()), data)

    def clear(self) -> None:
        self.closed = True

    def document(self, number: int = -1) -> Any:
        """Return the JSON document that a request brought."""
        return self.bodies[number]


def scripted_api(*lines: Line | tuple[str, Exception], retries: int = 0) -> tuple[Api, ScriptedApi]:
    """Return an API client, and the script that answers it."""
    script = ScriptedApi(*lines, retries=retries)
    return script.api, script
