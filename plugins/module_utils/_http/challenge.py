# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WWW-Authenticate: which schemes a server offers (RFC 9110, 11.6.1); pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_PARAMETER = re.compile(r'\s*([A-Za-z0-9!#$%&\'*+.^_`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*(?:,|$)')
_SCHEME = re.compile(r"\s*,?\s*([A-Za-z][A-Za-z0-9-]*)(?:\s+|\s*,|\s*$)")


@dataclass(frozen=True)
class Challenge:
    """One scheme, in lower case, with its parameters."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)


def parse_challenges(values: list[str]) -> list[Challenge]:
    """Return the challenges of all WWW-Authenticate headers, in their order; what is unreadable is left out."""
    found = []
    for value in values:
        rest = value
        while scheme := _SCHEME.match(rest):
            rest = rest[scheme.end() :]
            parameters: dict[str, str] = {}
            while parameter := _PARAMETER.match(rest):
                name, quoted, plain = parameter.groups()
                text = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain
                parameters.setdefault(name.lower(), text)
                rest = rest[parameter.end() :]
            found.append(Challenge(scheme.group(1).lower(), parameters))
    return found
