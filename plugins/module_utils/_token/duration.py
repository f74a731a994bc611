# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lengths of time as people write them: ``24h``, ``1d12h``, ``90m``, or a number of seconds; pure."""

from __future__ import annotations

import re
from typing import Any

from .._errors import InvalidOptionError

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_WRITTEN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def seconds_of(name: str, value: Any) -> int:
    """Return the seconds that the option ``name`` says; raises InvalidOptionError for what is no length of time."""
    text = str(value).strip()
    if text.isdigit():
        return int(text)
    found = _WRITTEN.fullmatch(text)
    if not text or found is None:
        raise InvalidOptionError(
            f"{name} {text!r} is no length of time", hint="Write it as 24h, 1d12h, 90m, or in seconds"
        )
    return sum(int(number) * unit for number, unit in zip(found.groups(), _UNITS.values()) if number)
