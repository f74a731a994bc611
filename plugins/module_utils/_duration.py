# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lengths of time as people write them: ``2w``, ``24h``, ``1d12h``, ``90m``, or a number of seconds; pure.

The one grammar of every option that is a length of time.
"""

from __future__ import annotations

import re
from typing import Any

from ._errors import InvalidOptionError

# Far beyond any use, and below what an API or a time can hold.
LONGEST = 100 * 365 * 86400
_UNITS = (604800, 86400, 3600, 60, 1)
_WRITTEN = re.compile("".join(rf"(?:([0-9]{{1,12}}){unit})?" for unit in "wdhms"), re.IGNORECASE)
_SECONDS = re.compile("[0-9]{1,12}")


def seconds_of(name: str, value: Any) -> int:
    """Return the seconds that the option ``name`` says; raises InvalidOptionError for what is no length of time."""
    text = str(value).strip()
    found = _WRITTEN.fullmatch(text)
    if text and found:
        seconds = sum(int(number) * unit for number, unit in zip(found.groups(), _UNITS) if number)
    elif _SECONDS.fullmatch(text):
        seconds = int(text)
    else:
        raise InvalidOptionError(
            f"{name} {text[:100]!r} is no length of time", hint="Write it as 24h, 2w, 1d12h, 90m, or in seconds"
        )
    if seconds > LONGEST:
        raise InvalidOptionError(f"{name} {text!r} is too long: more than 100 years")
    return seconds
