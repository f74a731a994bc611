# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One grammar for every length of time."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._text import LONGEST, seconds_of
from hypothesis import given
from hypothesis import strategies as some


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("24h", 86400),
        ("1d12h", 129600),
        ("90m", 5400),
        ("1h30m15s", 5415),
        ("3600", 3600),
        (3600, 3600),
        ("0", 0),
        ("2w", 1209600),
        ("1w1d1h1m1s", 694861),
        ("30D", 2592000),
        (" 5s\n", 5),
        (f"{LONGEST}s", LONGEST),
    ],
)
def test_a_length_of_time(written: Any, seconds: int) -> None:
    assert seconds_of("grace", written) == seconds


@pytest.mark.parametrize("written", ["", "soon", "h", "-5m", "1.5h", "5 m", "1h1d", "1d1w", "3 months", "²", "٣", True])
def test_what_is_no_length_of_time(written: Any) -> None:
    with pytest.raises(InvalidOptionError, match=r"^grace .* is no length of time\. Write it as 24h"):
        seconds_of("grace", written)


@pytest.mark.parametrize("written", ["5300w", f"{LONGEST + 1}", "999999999999w"])
def test_what_is_longer_than_anybody_lives(written: str) -> None:
    with pytest.raises(InvalidOptionError, match=r"^older_than .* is too long"):
        seconds_of("older_than", written)


@given(some.text() | some.from_regex(r"\A[0-9wdhms]*\Z"))
def test_any_text_is_a_length_of_time_or_a_typed_error(written: str) -> None:
    try:
        assert 0 <= seconds_of("grace", written) <= LONGEST
    except InvalidOptionError:
        pass
