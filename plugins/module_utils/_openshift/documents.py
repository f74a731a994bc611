# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members of API objects, read so that an odd shape is an absent member and never an untyped error; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

NEVER = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LARGEST = 2**63 - 1


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a JSON object, empty for what is none."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """Return the JSON objects in a list, none for what is no list."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """Return a string, empty for what is none."""
    return value if isinstance(value, str) else ""


def number(value: Any) -> int:
    """Return a whole number of the API (int64), 0 for what is none."""
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST
    return value if whole else 0


def moment(value: Any) -> datetime:
    """Return the time that an object of the API tells (RFC 3339, UTC), NEVER for none."""
    whole = text(value).partition(".")[0].rstrip("Z")
    try:
        return datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return NEVER
