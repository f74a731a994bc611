# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists, mappings and lengths of time as text, as surveys, CI variables and ``-e name=value`` send them; pure.

The one grammar of every option of such a kind. A blank text and null mean that the option is not given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ._errors import InvalidOptionError
from ._json import JsonError, parse_json

_SEPARATOR = re.compile(r"[,\r\n]+")
_QUOTED = re.compile(r'"([^"]*)"')
# Far beyond any use, and below what an API or a time can hold.
LONGEST = 100 * 365 * 86400
_UNITS = (604800, 86400, 3600, 60, 1)
_WRITTEN = "".join(rf"(?:([0-9]{{1,12}}){unit})?" for unit in "wdhms")


def is_blank(value: Any) -> bool:
    """Return whether a value is as good as not given: null, or a text of nothing but blanks."""
    return value is None or (isinstance(value, str) and not value.strip())


def unquoted(text: str) -> str:
    """Return what stands in double quotes, or a text without them as it is.

    Ansible reads text of a survey as YAML, from ansible-core 2.19 on: only in quotes does 1.10 not become 1.1.
    """
    quoted = _QUOTED.fullmatch(text.strip())
    return quoted[1] if quoted else text


def as_list(option: str, value: Any) -> list[Any] | None:
    """Return the entries of a list, or of a text with one; None where nothing is given.

    A text is a JSON list, or entries separated by commas or line ends, each with or without double quotes, whose blanks
    do not count. Raises InvalidOptionError for a text that begins like a list and is none, and for any other value.
    """
    if is_blank(value):
        return None
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("["):
            found = _written(text)
            if not isinstance(found, list):
                raise InvalidOptionError(
                    f"{option} begins like a list and is none: {_shown(text)}",
                    hint="A shell takes quotes away: put the whole list in single quotes, or separate by commas alone",
                )
            return found
        return [entry for entry in (unquoted(part).strip() for part in _SEPARATOR.split(text)) if entry]
    if isinstance(value, Mapping):
        raise InvalidOptionError(f"{option} is a mapping, and a list is wanted")
    return [value]


def as_pattern(option: str, text: str | None) -> re.Pattern[str] | None:
    """Return a regular expression, None where none is given; raises InvalidOptionError for what is none."""
    if not text:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise InvalidOptionError(f"{option} {text!r} is no regular expression: {error}") from None


def as_texts(option: str, value: Any) -> list[str] | None:
    """Return the texts of a list as ``as_list`` reads it; None where nothing is given.

    Raises InvalidOptionError for an entry that is neither a text nor a whole number: YAML makes 1.1 of 1.10.
    """
    entries = as_list(option, value)
    return None if entries is None else [_text(option, entry) for entry in entries]


def as_mapping(option: str, value: Any) -> dict[str, Any] | None:
    """Return a mapping, or that of a text: JSON, or ``key=value`` separated by commas or line ends.

    None where nothing is given; raises InvalidOptionError for anything else.
    """
    if is_blank(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): entry for key, entry in value.items()}
    found = _written(value.strip()) if isinstance(value, str) and value.strip().startswith("{") else None
    if isinstance(found, dict):
        return {str(key): entry for key, entry in found.items()}
    pairs = [str(entry).partition("=") for entry in as_list(option, value) or ()]
    if found is None and pairs and all(key.strip() and sign for key, sign, _value in pairs):
        return {key.strip(): entry.strip() for key, _sign, entry in pairs}
    if pairs or found is not None:
        raise InvalidOptionError(f"{option} is no mapping", hint="Write it as a mapping, as JSON, or as key=value")
    return {}


def seconds_of(name: str, value: Any) -> int:
    """Return the seconds that the option ``name`` says; raises InvalidOptionError for what is no length of time."""
    text = str(value).strip()
    found = re.fullmatch(_WRITTEN, text, re.IGNORECASE)
    if text and found:
        seconds = sum(int(number) * unit for number, unit in zip(found.groups(), _UNITS) if number)
    elif re.fullmatch("[0-9]{1,12}", text):
        seconds = int(text)
    else:
        raise InvalidOptionError(
            f"{name} {text[:100]!r} is no length of time", hint="Write it as 24h, 2w, 1d12h, 90m, or in seconds"
        )
    if seconds > LONGEST:
        raise InvalidOptionError(f"{name} {text!r} is too long: more than 100 years")
    return seconds


def _text(option: str, entry: Any) -> str:
    if isinstance(entry, str):
        if not entry.strip():
            raise InvalidOptionError(
                f"an entry of {option} is empty",
                hint="The variable or command that it comes from gave nothing: give a value",
            )
        return entry.strip()
    if isinstance(entry, int) and not isinstance(entry, bool):
        return str(entry)
    if isinstance(entry, (float, bool)):
        example = "yes and on as true" if isinstance(entry, bool) else "1.10 as 1.1"
        raise InvalidOptionError(
            f"{option} holds {entry!r}, which may not be what was written: YAML reads {example}",
            hint="Put it in quotes",
        )
    hint = "Put it in quotes" if hasattr(entry, "isoformat") else None  # a date of YAML
    raise InvalidOptionError(f"{option} holds {_shown(str(entry))}, which is no text", hint=hint)


def _written(text: str) -> Any:
    """Return the value of a text in JSON, or as Python writes it, which templates print; None for any other."""
    try:
        return parse_json(text)
    except JsonError:
        pass
    import ast  # for this rare text alone, as it loads a good deal

    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _shown(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
