# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tags a selection takes, of few and of thousands, whatever their names look like."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._image_set.select import (
    VersionRange,
    parse_selection,
    parse_version,
)
from hypothesis import given
from hypothesis import strategies as st

TAGS = [
    "latest", "1", "1.2", "1.2.0", "1.2.3", "1.2.10", "1.10.0", "1.10.1-rc.1", "2.0.0-rc1", "2.0.0", "v2.1.0",
    "2.1.0-alpine", "20240101", "nightly-7", "nightly-12", "1.2.3.4", "1.x", "sha256-" + "a" * 64,
    "sha256-" + "b" * 64 + ".sig",
]  # fmt: skip


def selected(**select: Any) -> list[str]:
    return parse_selection(select).tags(TAGS)


def test_versions_have_the_order_of_semantic_versioning() -> None:
    ordered = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
    ]
    ordered += ["1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0"]
    versions = [parse_version(text) for text in ordered]
    assert None not in versions
    assert versions == sorted(versions)  # type: ignore[type-var]


@pytest.mark.parametrize("text", ["", "latest", "1.2.3.4", "v", "1..2", "x1.2", "1.2.", "1.2.3-", "²", "1.2.3 "])
def test_what_is_no_version_is_none(text: str) -> None:
    assert parse_version(text) is None


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    parse_version(text)
    with suppress(InvalidOptionError):
        VersionRange(text).includes(parse_version("1.2.3"))


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">=1.2 <2", ["1.2", "1.2.0", "1.10.0"], ["1.1.9", "2.0.0", "2.0.0-rc1", "1.10.1-rc.1"]),
        (">= 1.2, < 2", ["1.2.0"], ["2.0.0"]),
        ("^1.2.3", ["1.2.3", "1.9.0"], ["1.2.2", "2.0.0"]),
        ("^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0", "0.2.2"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4"]),
        ("^0", ["0.9.9"], ["1.0.0"]),
        ("~1.2.3", ["1.2.9"], ["1.3.0", "1.2.2"]),
        ("~1", ["1.9.9"], ["2.0.0"]),
        ("1.2", ["1.2.0", "1.2.9"], ["1.3.0"]),
        ("1.2.x", ["1.2.0", "1.2.9"], ["1.3.0"]),
        ("1.*", ["1.9.0"], ["2.0.0", "0.9.0"]),
        ("=1.2.3", ["1.2.3", "v1.2.3", "1.2.3_build"], ["1.2.4"]),
        ("<1 || >=3", ["0.9.0", "3.0.0"], ["1.0.0", "2.9.9"]),
        ("*", ["0.0.1", "9.9.9"], ["1.0.0-rc1"]),
        (">=1 !=1.3.0", ["1.2.0"], ["1.3.0"]),
        (">=2.0.0-rc1", ["2.0.0-rc1", "2.0.0-rc2", "2.0.0"], ["2.0.0-beta", "2.1.0-rc1"]),
    ],
)
def test_a_range_includes(text: str, inside: list[str], outside: list[str]) -> None:
    found = VersionRange(text)
    assert [one for one in inside if not found.includes(parse_version(one))] == []
    assert [one for one in outside if found.includes(parse_version(one))] == []


def test_prereleases_are_in_a_range_when_asked_for_but_never_beyond_its_end() -> None:
    found = VersionRange(">=1.2 <2")
    assert found.includes(parse_version("1.10.1-rc.1"), prereleases=True)
    assert not found.includes(parse_version("2.0.0-rc1"), prereleases=True)


@pytest.mark.parametrize("text", ["", " ", "latest", ">=", ">=x", "1.2 - 2.0", "1.2 ||", ">1.x", "=>1", "1.2.3.4"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidOptionError, match="range of versions"):
        VersionRange(text)


def test_without_conditions_all_tags_but_referrers_are_selected() -> None:
    assert set(selected()) == {tag for tag in TAGS if not tag.startswith("sha256-")}


def test_ranges_leave_out_what_is_no_version() -> None:
    assert selected(semver=">=1.2 <2") == ["1.10.0", "1.2.10", "1.2.3", "1.2.0", "1.2"]
    assert selected(semver=">=1.2 <2", prereleases=True)[:2] == ["1.10.1-rc.1", "1.10.0"]


def test_the_latest_of_each_minor_or_major_version() -> None:
    assert selected(semver="<3", latest_per="minor") == ["v2.1.0", "2.0.0", "1.10.0", "1.2.10", "1"]
    assert selected(semver="<3", latest_per="major") == ["v2.1.0", "1.10.0"]
    assert selected(semver="<3", latest_per="minor", newest=2) == ["v2.1.0", "2.0.0"]


def test_the_newest_are_counted_by_version_and_then_by_name() -> None:
    assert selected(newest=3) == ["20240101", "v2.1.0", "2.0.0"]
    assert selected(match="^nightly-", newest=1) == ["nightly-12"]
    assert selected(newest=2, prereleases=True, exclude="^2024") == ["v2.1.0", "2.1.0-alpine"]


def test_the_version_may_be_a_part_of_the_tag() -> None:
    tags = ["3.9.1-alpine", "3.10.0-alpine", "3.10.0", "3.11.0-rc1-alpine", "alpine"]
    found = parse_selection({"match": r"^(?P<version>.*)-alpine$", "semver": ">=3.9", "newest": 1})
    assert found.tags(tags) == ["3.10.0-alpine"]


@pytest.mark.parametrize("select", [{"match": "("}, {"exclude": "["}, {"newest": 0}, {"semver": "new"}])
def test_a_selection_that_cannot_be_meant_is_refused(select: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionError):
        parse_selection(select)


def test_two_thousand_tags_are_selected_from() -> None:
    tags = [f"{number // 100}.{number // 10 % 10}.{number % 10}" for number in range(2000)]
    found = parse_selection({"semver": ">=3 <19.5", "latest_per": "minor", "newest": 3})
    assert found.tags([*tags, *(f"build-{tag}" for tag in tags)]) == ["19.4.9", "19.3.9", "19.2.9"]
