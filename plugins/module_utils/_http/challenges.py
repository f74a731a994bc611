# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server asks of us with 401: the challenges of its WWW-Authenticate headers (RFC 9110, 11.6.1); pure."""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST_HEADER = 8192
MOST_CHALLENGES = 16
_SEPARATOR = re.compile(r"[\s,]*")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_EQUALS = re.compile(r"\s*=\s*")
_QUOTED = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"')
_PLAIN = re.compile(r'[^\s,"]*')
_ESCAPED = re.compile(r"\\(.)")


class Challenge(NamedTuple):
    """One scheme, in lower case, with its parameters."""

    scheme: str
    parameters: dict[str, str]


def parse_challenges(values: list[str]) -> list[Challenge]:
    """Return the challenges of all WWW-Authenticate headers, in their order; what is unreadable is left out.

    Each character is looked at once, and of a header no more than ``LONGEST_HEADER`` of them.
    """
    challenges: list[Challenge] = []
    for value in values:
        challenges += _challenges(value[:LONGEST_HEADER])
    return challenges[:MOST_CHALLENGES]


def _challenges(text: str) -> list[Challenge]:
    challenges: list[Challenge] = []
    position = 0
    while True:
        position = _end(_SEPARATOR, text, position)
        if position == len(text):
            return challenges
        token = _TOKEN.match(text, position)
        if token is None:
            position += 1
            continue
        equals = _EQUALS.match(text, token.end())
        if equals is None or not challenges:
            challenges.append(Challenge(token.group().lower(), {}))
            position = token.end()
            continue
        quoted = _QUOTED.match(text, equals.end())
        if quoted is not None:
            content, position = _ESCAPED.sub(r"\1", quoted.group(1)), quoted.end()
        else:
            position = _end(_PLAIN, text, equals.end())
            content = text[equals.end() : position]
        challenges[-1].parameters.setdefault(token.group().lower(), content)


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Return where a pattern that matches everywhere, if only nothing, ends."""
    match = pattern.match(text, position)
    return match.end() if match else position
