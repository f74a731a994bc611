# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists that come in pages; pure.

Source: Kubernetes API concepts, "Retrieving large results sets in chunks".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .._errors import ServerError
from .errors import no_api

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
        # An empty list has null for its items. What has none is no list, and nothing may be taken for empty by mistake.
        items = answer.get("items", "")
        if items is not None and not isinstance(items, list):
            raise no_api(f"the API answered with something else than the {what}", step)
        for item in items or ():
            if isinstance(item, dict) and _identity(item) not in seen:
                seen.add(_identity(item))
                yield item
        metadata = answer.get("metadata")
        following = str((metadata if isinstance(metadata, Mapping) else {}).get("continue") or "")
        if not following:
            return
    raise no_api(f"the {what} does not end after {MOST_PAGES} pages", step)


def _identity(item: Mapping[str, Any]) -> Any:
    metadata = item.get("metadata")
    known = metadata if isinstance(metadata, Mapping) else {}
    return str(known.get("uid") or (known.get("namespace"), known.get("name")))
