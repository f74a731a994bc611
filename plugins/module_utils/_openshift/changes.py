# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has become of one object since it was read.

Source: Kubernetes API concepts, "Efficient detection of changes": a watch tells every change since a version.
"""

from __future__ import annotations

from typing import Any

from .._errors import ServerError
from .client import Api
from .documents import mapping, number
from .errors import json_object
from .resources import ResourceType, checked_name


def changes(
    api: Api, resource: ResourceType, namespace: str, name: str, since: str, step: str, seconds: int = 1
) -> list[dict[str, Any]]:
    """Return an object as each change since a resource version left it, the oldest first; raises AppuioError.

    The API ends its answer after ``seconds``. An object that is deleted comes as it was last.
    """
    query = {
        "watch": "true",
        "fieldSelector": f"metadata.name={checked_name(name)}",
        "resourceVersion": since,
        "timeoutSeconds": str(seconds),
    }
    lines = api.answer("get", resource.collection(namespace), step, query=query).splitlines()
    return [dict(mapping(event.get("object"))) for event in (_event(line, step) for line in lines if line.strip())]


def _event(line: bytes, step: str) -> dict[str, Any]:
    event = json_object(line)
    if event is None or event.get("type") == "ERROR":
        # As a rule the version is too old (410), since too much has changed.
        status = number(mapping((event or {}).get("object")).get("code"))
        raise ServerError(
            "the API no longer tells the changes since then", step=step, status=status, hint="Run this again"
        )
    return event
