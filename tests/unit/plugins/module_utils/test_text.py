# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists and mappings as text: every way in which surveys, CI variables and command lines write them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._text import as_list, as_mapping, as_texts


@pytest.mark.parametrize(
    ("written", "entries"),
    [
        (["a", "b"], ["a", "b"]),
        ("frontend", ["frontend"]),
        ("a,b", ["a", "b"]),
        (" a , b,", ["a", "b"]),
        ("a\nb\r\n\nc\n", ["a", "b", "c"]),
        ('["a", "b"]', ["a", "b"]),
        ("['a', 'b']", ["a", "b"]),
        ("[]", []),
        ([], []),
        ([7, "v1"], ["7", "v1"]),
        (8, ["8"]),
        ("1.10", ["1.10"]),
        ('"1.10"', ["1.10"]),
        (' "1.10" , "2"\n3', ["1.10", "2", "3"]),
        ('""', []),
        ("", None),
        (" \n", None),
        (None, None),
    ],
)
def test_a_list_of_texts(written: Any, entries: list[str] | None) -> None:
    assert as_texts("tags", written) == entries


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ([1.10], r"tags holds 1\.1, .*quotes"),
        (1.10, r"tags holds 1\.1, .*quotes"),
        ("[1.10]", r"tags holds 1\.1, .*quotes"),
        ([True], "tags holds True"),
        ([""], "an entry of tags is empty.*variable"),
        ('["a"', "tags begins like a list and is none"),
        ("[a,b]", r"tags begins like a list and is none: \[a,b\].*single quotes"),
        ("[" * 100000, "tags begins like a list and is none"),
        ({"a": 1}, "tags is a mapping"),
        ([{"a": 1}], "which is no text"),
    ],
)
def test_what_is_no_list_of_texts(written: Any, problem: str) -> None:
    with pytest.raises(InvalidOptionError, match=problem):
        as_texts("tags", written)


def test_entries_of_a_list_may_be_mappings() -> None:
    assert as_list("accounts", '[{"namespace": "shop"}]') == [{"namespace": "shop"}]
    assert as_list("accounts", [{"namespace": "shop"}]) == [{"namespace": "shop"}]


@pytest.mark.parametrize(
    ("written", "entries"),
    [
        ({"team": "shop", 5: 6}, {"team": "shop", "5": 6}),
        ('{"team": "shop"}', {"team": "shop"}),
        ("{'team': 'shop'}", {"team": "shop"}),
        ("team=shop", {"team": "shop"}),
        ("team=shop, a/b = c=d\nx=", {"team": "shop", "a/b": "c=d", "x": ""}),
        ({}, {}),
        ([], {}),
        ("", None),
        (None, None),
    ],
)
def test_a_mapping(written: Any, entries: dict[str, Any] | None) -> None:
    assert as_mapping("labels", written) == entries


@pytest.mark.parametrize("written", ["team", "=shop", "{team", "{'a'}", ["team"], 5])
def test_what_is_no_mapping(written: Any) -> None:
    with pytest.raises(InvalidOptionError, match="labels is no mapping"):
        as_mapping("labels", written)
