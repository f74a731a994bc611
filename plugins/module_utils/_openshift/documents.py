# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members of API objects, and lists of objects, read so that an odd shape is an absent member; pure.

Source: Kubernetes API concepts, "Retrieving large results sets in chunks".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from .._errors import ServerError
from .errors import no_api
from .resources import ResourceType

NEVER = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LARGEST = 2**63 - 1
MOST_PAGES = 2000
_EXPIRED = 410


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


def named(found: dict[str, Any], resource: ResourceType, name: str, step: str) -> dict[str, Any]:
    """Return an answer that is the object of this name; raises ServerError for anything else."""
    if mapping(found.get("metadata")).get("name") != name:
        raise no_api(f"the API answered with something else than the {resource.kind} {name}", step)
    return found


def every_item(
    fetch: Callable[[str], Mapping[str, Any]], resource: ResourceType, step: str
) -> Iterator[dict[str, Any]]:
    """Yield all objects of a list, each once, reading a page when it is wanted; ``fetch`` takes the continue token.

    A list that expires while it is read is begun again, once. What is no object is left aside. Raises ServerError
    for a list that does not end, for an answer that is no list of these objects, and what ``fetch`` raises.
    """
    what = f"list of {resource.plural}"
    seen: set[Any] = set()
    following, expired = "", False
    for _page in range(MOST_PAGES):
        try:
            answer = fetch(following)
        except ServerError as error:
            if error.status != _EXPIRED or not following or expired:
                raise
            following, expired = "", True
            continue
        metadata = mapping(answer.get("metadata"))
        items = answer.get("items", "")
        if items is None and metadata.get("resourceVersion"):
            items = []  # Go's empty list
        if not _is_list(answer, items, resource):
            raise no_api(f"the API answered with something else than the {what}", step)
        for item in items:
            if isinstance(item, dict) and _identity(item) not in seen:
                seen.add(_identity(item))
                yield item
        following = str(metadata.get("continue") or "")
        if not following:
            return
    raise no_api(f"the {what} does not end after {MOST_PAGES} pages", step)


def _is_list(answer: Mapping[str, Any], items: Any, resource: ResourceType) -> bool:
    """Whether an answer is a list of these objects: nothing may be taken for empty by mistake.

    In a list, objects need not say their kind; one without a single object that has a name is none.
    """
    if answer.get("kind") != f"{resource.kind}List" or not isinstance(items, list):
        return False
    found = [mapping(item) for item in items]
    of_kind = all(item.get("kind", resource.kind) == resource.kind for item in found)
    return of_kind and (not found or any(mapping(item.get("metadata")).get("name") for item in found))


def _identity(item: Mapping[str, Any]) -> Any:
    known = mapping(item.get("metadata"))
    return str(known.get("uid") or (known.get("namespace"), known.get("name")))
