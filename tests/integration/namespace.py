# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is in a namespace of a local zone, to see that it is afterwards as it was before."""

from __future__ import annotations

from typing import Any

from tests.integration.api import ask
from tests.zone import Zone
from tests.zone.api.kinds import RESOURCES

# What the API counts and notes by itself whenever an object is changed, even when it is changed back.
_COUNTED = ("resourceVersion", "generation", "managedFields")


def everything_in(zone: Zone, project: str) -> dict[str, Any]:
    """Return every object of a namespace by its kind and name."""
    found: dict[str, Any] = {}
    for resource in RESOURCES:
        if not resource.namespaced or "list" not in resource.verbs:
            continue
        base = f"/apis/{resource.api_version}" if resource.group else "/api/v1"
        status, answer = ask(zone, zone.admin_token, "GET", f"{base}/namespaces/{project}/{resource.plural}")
        if status == 200:
            found.update({f"{resource.kind} {item['metadata']['name']}": _plain(item) for item in answer["items"]})
    return found


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    metadata = {name: value for name, value in item["metadata"].items() if name not in _COUNTED}
    return {**item, "metadata": metadata}
