# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one reader of JSON that others wrote: bounded in size and depth, and every fault is one kind of error; pure.

Source: RFC 8259, section 9 ("An implementation may set limits on the size of texts that it accepts").
"""

from __future__ import annotations

import json
import re
from typing import Any

from ._errors import SourceError

LARGEST_DOCUMENT = 16 * 1024 * 1024
DEEPEST = 100
_MOST_DIGITS = 100
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class JsonError(ValueError):
    """A text is no JSON, or none that is read here; the message continues a sentence that began with its name."""


def parse_json(text: bytes | str, largest: int = LARGEST_DOCUMENT) -> Any:
    """Return the value of a JSON text in UTF-8 of at most ``largest`` bytes; raises JsonError and nothing else."""
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
    if len(content) > largest:
        raise JsonError(f"is larger than {largest // 1024} KiB")
    try:
        value = json.loads(content.decode("utf-8-sig"), parse_int=_integer, parse_constant=_constant)
        # Without this a text that no terminal, file name or header can hold travels on, and breaks something later.
        if _SURROGATE.search(content):
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise JsonError(f"is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except UnicodeError:
        raise JsonError("is not JSON: it holds text that is not Unicode") from None
    except RecursionError:
        raise JsonError(f"is nested more than {DEEPEST} levels deep") from None
    # A value that the parser could still take would end what walks it later, so the depth is bounded here.
    if content.count(b"[") + content.count(b"{") > DEEPEST and _depth(value) > DEEPEST:
        raise JsonError(f"is nested more than {DEEPEST} levels deep")
    return value


def parse_object(text: bytes | str, what: str, largest: int = LARGEST_DOCUMENT) -> dict[str, Any]:
    """Return the JSON object that a text of the source is; ``what`` names it in the SourceError that is raised."""
    try:
        value = parse_json(text, largest)
    except JsonError as error:
        raise SourceError(f"{what} {error}") from None
    if not isinstance(value, dict):
        raise SourceError(f"{what} is not a JSON object")
    return value


def _integer(digits: str) -> int:
    """Python 3.9 takes quadratic time for a number of millions of digits; no field of ours has more than twenty."""
    if len(digits) > _MOST_DIGITS:
        raise JsonError(f"has a number of {len(digits)} digits")
    return int(digits)


def _constant(name: str) -> Any:
    raise JsonError(f"is not JSON: {name} is no number")


def _depth(value: Any) -> int:
    """Level by level, as a recursion is what is to be avoided."""
    depth, level = 0, [value]
    while level:
        depth += 1
        if depth > DEEPEST:
            break
        level = [
            child
            for one in level
            if isinstance(one, (dict, list))
            for child in (one.values() if isinstance(one, dict) else one)
        ]
    return depth
