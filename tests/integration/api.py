# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to a local zone's API and registry with any token, to see what it may do."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import Any

from tests.zone import Zone


def ask(zone: Zone, token: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Return status and JSON of a request to the API."""
    return _request(zone.host + path, zone.ca_file, token, method, body)


def registry_status(zone: Zone, token: str, method: str, path: str) -> int:
    """Return the status of a request to the registry."""
    return _request(f"https://{zone.registry}{path}", zone.registry_ca_file, token, method, None)[0]


def may_push(zone: Zone, token: str, namespace: str, name: str = "app") -> bool:
    """Whether the registry lets this token begin an upload."""
    return registry_status(zone, token, "POST", f"/v2/{namespace}/{name}/blobs/uploads/") == 202


def _request(url: str, ca_file: str, token: str, method: str, body: Any) -> tuple[int, Any]:
    request = urllib.request.Request(url, method=method, data=None if body is None else json.dumps(body).encode())
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=ca_file)) as answer:
            return answer.status, _json(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, _json(refused.read())


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
