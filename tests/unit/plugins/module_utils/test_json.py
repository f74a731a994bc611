# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON that others wrote: read, or refused with one kind of error that says where."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import SourceError
from ansible_collections.appuio.registry.plugins.module_utils._json import DEEPEST, JsonError, parse_json, parse_object
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: st.lists(children) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), children),
)


@given(VALUES)
def test_a_value_comes_back(value: object) -> None:
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary() | st.text())
def test_anything_else_is_one_kind_of_error(text: bytes | str) -> None:
    with suppress(JsonError):
        parse_json(text)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
@pytest.mark.parametrize("times", [DEEPEST + 1, 5000, 1_000_000])
def test_depth_is_bounded(opening: bytes, times: int) -> None:
    closing = opening.replace(b'"a":', b"").translate(bytes.maketrans(b"[{", b"]}"))[::-1]
    for text in (opening * times, opening * times + b"1" + closing * times):
        with pytest.raises(JsonError):
            parse_json(text)


def test_what_is_as_deep_as_is_allowed_is_read() -> None:
    assert parse_json(b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1)) is not None
    assert parse_json(json.dumps([[number] for number in range(1000)])) is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"a": 1,\n "b" 2}', r"line 2, column 6"),
        (b"", "line 1, column 1"),
        (b"\xff\xfe", "not Unicode"),
        (b'["\\ud800"]', "not Unicode"),
        ('["\ud800"]', "not Unicode"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"9" * 200, "200 digits"),
        (b"[" + b"9" * 5_000_000 + b"]", "digits"),
        (b" " * (17 << 20), "larger than"),
    ],
)
def test_what_is_refused_says_why(text: bytes | str, words: str) -> None:
    with pytest.raises(JsonError, match=words):
        parse_json(text)


def test_pairs_of_surrogates_are_text() -> None:
    assert parse_json(b'["\\ud83d\\ude00"]') == ["\N{GRINNING FACE}"]


@pytest.mark.parametrize("text", [b"[]", b"null", b"{", b"1"])
def test_an_object_is_asked_for_by_name(text: bytes) -> None:
    with pytest.raises(SourceError, match=r"^index\.json of app is not"):
        parse_object(text, "index.json of app")
