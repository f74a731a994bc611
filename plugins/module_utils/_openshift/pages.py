# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists that come in pages; pure.

Source: Kubernetes API concepts, "Retrieving large results sets in chunks".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .._errors import ServerError

MOST_PAGES = 2000
_EXPIRED = 410


def every_item(fetch: Callable[[str], Mapping[str, Any]], what: str, step: str) -> Iterator[dict[str, Any]]:
    """Yield all objects of a list, each once, reading a page when it is wanted; ``fetch`` takes the continue token.

    A list that expires while it is read is begun again, once. What is no object is left aside. Raises ServerError
    for a list that does not end, and what ``fetch`` raises.
    """
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
        items = answer.get("items")
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and _identity(item) not in seen:
                seen.add(_identity(item))
                yield item
        metadata = answer.get("metadata")
        following = str((metadata if isinstance(metadata, Mapping) else {}).get("continue") or "")
        if not following:
            return
    raise ServerError(f"the {what} does not end after {MOST_PAGES} pages", step=step)


def _identity(item: Mapping[str, Any]) -> Any:
    metadata = item.get("metadata")
    known = metadata if isinstance(metadata, Mapping) else {}
    return str(known.get("uid") or (known.get("namespace"), known.get("name")))
