# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches: the changes of a kind as they happen."""

from __future__ import annotations

import json
import time

from ..http.messages import Headers
from .call import Call
from .selectors import matches_fields, matches_labels
from .store import Object, Store

_LONGEST = 600.0


def watch(store: Store, call: Call, longest: float | None = None) -> None:
    """Stream the changes since a resource version, or what is there and then its changes, until the time is over."""
    exchange, resource = call.exchange, call.resource
    longest = _LONGEST if longest is None else longest
    ends = time.monotonic() + min(float(call.query.get("timeoutSeconds") or _LONGEST), longest)
    exchange.keep_alive = False
    exchange.begin(200, Headers([("Content-Type", "application/json")]))
    given = call.query.get("resourceVersion", "")
    version = int(given) if given.isdigit() and given != "0" else int(store.version)
    if not given.isdigit() or given == "0":
        for item in store.items(resource.group, resource.plural, call.namespace):
            _send(call, "ADDED", item)
    over = False
    while not over:
        # What has happened already is told even where the time is over before it is looked for.
        left = max(0.0, ends - time.monotonic())
        for at, kind, key, item in store.events_since(version, min(left, 1.0)):
            version = at
            if key[:2] == (resource.group, resource.plural) and call.namespace in ("", key[2]):
                _send(call, kind, item)
        over = time.monotonic() >= ends


def _send(call: Call, kind: str, item: Object) -> None:
    fits = matches_labels(item, call.query.get("labelSelector", "")) and matches_fields(
        item, call.query.get("fieldSelector", "")
    )
    if fits:
        line = json.dumps({"type": kind, "object": item}, separators=(",", ":")).encode() + b"\n"
        call.exchange.write(memoryview(line))
