# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for plays over zones: there is always a host that can tell, and entries of zones from the inventory."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from tests.unit.plugins.filter.test_filters import loaded

GROUPS: dict[str, list[str]] = {"all": ["a-1", "b-1", "web"], "production": ["a-1"], "ungrouped": ["web"]}


@pytest.mark.parametrize(
    ("pattern", "limit", "hosts"),
    [
        ("all", "", ["a-1", "b-1", "web"]),
        ("all:!web", "", ["a-1", "b-1"]),
        ("production", "", ["a-1"]),
        (["a-1", "web"], "", ["a-1", "web"]),
        ("all", "b-1", ["b-1"]),
        ("localhost", "", ["localhost"]),
        ("staging", "", ["a-1"]),
        ("staging", "b-1", ["b-1"]),
        ("production", "b-1", ["b-1"]),
    ],
)
def test_hosts_of_a_pattern_or_one_that_can_tell(pattern: Any, limit: str, hosts: list[str]) -> None:
    assert loaded("zone_hosts")(pattern, GROUPS, limit) == hosts


def test_without_an_inventory_localhost_tells() -> None:
    assert loaded("zone_hosts")("all", {"all": [], "ungrouped": []}) == ["localhost"]


def test_without_an_inventory_and_with_a_limit_the_filter_tells() -> None:
    with pytest.raises(AnsibleFilterError, match=r"has to be called zones\.yml or end in \.zones\.yml"):
        loaded("zone_hosts")("all", {"all": []}, "a-1")


def test_entries_of_zones() -> None:
    hostvars = {"a-1": {"appuio_token": "t"}, "b-1": {"appuio_zone": "b-2", "appuio_namespace": "shop"}}
    assert loaded("zone_entries")(["a-1", "b-1"], hostvars) == [
        {"zone": "a-1", "token": "t"},
        {"zone": "b-2", "namespace": "shop"},
    ]


@pytest.mark.parametrize(("hosts", "sentence"), [("all", "takes a list of hosts"), (["c"], "has no host c")])
def test_entries_of_nobody(hosts: Any, sentence: str) -> None:
    with pytest.raises(AnsibleFilterError, match=sentence):
        loaded("zone_entries")(hosts, {"a-1": {}})


def test_names_of_a_role_have_its_prefix() -> None:
    names = ["image_pusher_role", "image_pusher_tokne", "image_pusher_x", "appuio_mine", "mine"]
    known = ["image_pusher_role", "image_pusher_token"]
    assert loaded("variable_problems")({}, {}, names, known, prefix="image_pusher_") == [
        "image_pusher_tokne is no variable of appuio.registry: is image_pusher_token meant?",
        "image_pusher_x is no variable of appuio.registry: variables of your own begin otherwise",
    ]


def test_problems_hold_no_secret() -> None:
    options = {"appuio_token": {"type": "str", "no_log": True}, "appuio_jobs": {"type": "int"}}
    given = {"appuio_token": "sha256~hidden", "appuio_jobs": "sha256~hidden"}
    (problem,) = loaded("variable_problems")(given, options)
    assert "appuio_jobs" in problem
    assert "hidden" not in problem


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({"appuio_a": "x", "appuio_b": ""}, []),
        ({"appuio_a": "x", "appuio_b": "x"}, ["parameters are mutually exclusive: appuio_a|appuio_b"]),
        ({"appuio_b": " "}, ["one of the following is required: appuio_a, appuio_b"]),
    ],
)
def test_of_two_variables_exactly_one_is_given(given: dict[str, str], problems: list[str]) -> None:
    options, pair = {"appuio_a": {"type": "str"}, "appuio_b": {"type": "str"}}, [["appuio_a", "appuio_b"]]
    assert loaded("variable_problems")(given, options, required_one_of=pair, mutually_exclusive=pair) == problems


def test_results_outcome_table_and_text() -> None:
    one = {"zone": "a-1", "digest": "sha256:" + "a" * 64, "changed": True, "failed": False, "reason": "new"}
    results = loaded("zone_results")(["a-1"], ["a-1"], {"a-1": {"pushed": {"zones": [one]}}}, "pushed")
    assert results == [one]
    assert loaded("zone_table")(results, ["zone", "changed", "reason"])[1].split() == ["a-1", "yes", "new"]
    outcome = loaded("outcome")(results, "push")
    assert outcome["digest"] == one["digest"]
    assert f"APPUIO_DIGEST={one['digest']}\n" in loaded("outcome_text")(outcome, "push.env")
