# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and values of the playbooks' variables, and the entries of zones that they amount to."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._variables import (
    entry_of,
    mistaken_variables,
    readable_variables,
    unknown_variables,
)

KNOWN = ["appuio_existing_tags", "appuio_tags", "appuio_token", "appuio_tag"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("appuio_existing_tag", "appuio_existing_tags"),
        ("appuio_tagss", "appuio_tags"),
        ("appuio_tokne", "appuio_token"),
    ],
)
def test_an_unknown_variable_is_named_with_the_nearest(name: str, nearest: str) -> None:
    assert unknown_variables([name], KNOWN) == [f"{name} is no variable of appuio.registry: is {nearest} meant?"]


def test_a_variable_that_is_like_no_other_is_named_alone() -> None:
    assert unknown_variables(["appuio_elephants"], KNOWN) == [
        "appuio_elephants is no variable of appuio.registry: variables of your own begin otherwise"
    ]


def test_known_variables_and_those_of_others_are_right() -> None:
    assert unknown_variables([*KNOWN, "_appuio_entry", "tags", "image_pusher_token"], KNOWN) == []


def test_a_variable_of_another_playbook_is_not_passed_over_where_it_stands_for_one_of_this() -> None:
    mistaken = {"appuio_tag": "appuio_tags"}
    push: dict[str, dict[str, str]] = {"appuio_tags": {}}
    rollback: dict[str, dict[str, str]] = {"appuio_tag": {}}
    (sentence,) = mistaken_variables(["appuio_tag"], push, {}, mistaken)
    assert sentence == "appuio_tag is a variable of other playbooks: is appuio_tags meant?"
    assert mistaken_variables(["appuio_tag"], push, {"appuio_tags": ["1"]}, mistaken) == []
    assert mistaken_variables(["appuio_tag"], rollback, {}, mistaken) == []
    assert mistaken_variables(["appuio_tag"], {"appuio_keep": {}}, {}, mistaken) == []


@pytest.mark.parametrize(
    ("rule", "given", "wanted"),
    [
        ({"type": "list", "elements": "str"}, "a, b", ["a", "b"]),
        ({"type": "list", "elements": "str"}, '["a", "b"]', ["a", "b"]),
        ({"type": "list", "elements": "str"}, "a\nb\n", ["a", "b"]),
        ({"type": "list", "elements": "str"}, [], []),
        ({"type": "dict"}, "team=shop", {"team": "shop"}),
        ({"type": "bool"}, "yes", "yes"),
        ({"type": "str"}, 7, 7),
    ],
)
def test_text_is_read_as_the_type_says(rule: dict[str, Any], given: Any, wanted: Any) -> None:
    assert readable_variables({"appuio_x": given}, {"appuio_x": rule}) == ({"appuio_x": wanted}, [])


@pytest.mark.parametrize("blank", ["", "  ", "\n", None])
def test_a_blank_is_as_good_as_not_given(blank: Any) -> None:
    options = {"appuio_x": {"type": "str"}, "appuio_y": {"type": "bool"}}
    assert readable_variables({"appuio_x": blank, "appuio_y": blank}, options) == ({}, [])


@pytest.mark.parametrize("given", [[1.10], 1.10, ["1.0", 1.2]])
def test_a_version_that_yaml_has_altered_is_refused(given: Any) -> None:
    _readable, (sentence,) = readable_variables(
        {"appuio_tags": given}, {"appuio_tags": {"type": "list", "elements": "str"}}
    )
    assert "appuio_tags" in sentence
    assert "quotes" in sentence


def test_variables_of_other_playbooks_are_left_aside() -> None:
    assert readable_variables({"appuio_keep": "many"}, {}) == ({}, [])


def test_an_entry_has_what_the_host_has() -> None:
    variables = {
        "appuio_zone": "cloudscale-lpg-2",
        "appuio_registry": "r.example",
        "appuio_host": "https://a.example",
        "appuio_namespace": "shop",
        "appuio_token": "t",
        "appuio_ca_cert": "ca.pem",
        "appuio_validate_certs": False,
        "appuio_retries": 0,
        "appuio_proxy": " ",
        "appuio_source": "oci:build",
        "ansible_connection": "local",
    }
    assert entry_of("lpg", variables) == {
        "zone": "cloudscale-lpg-2",
        "registry": "r.example",
        "host": "https://a.example",
        "namespace": "shop",
        "token": "t",
        "ca_cert": "ca.pem",
        "validate_certs": False,
        "retries": 0,
    }


def test_the_zone_is_the_host_where_nothing_else_is_told() -> None:
    assert entry_of("cloudscale-lpg-2", {"appuio_zone": ""}) == {"zone": "cloudscale-lpg-2"}


def test_an_auth_file_is_a_credential_where_there_is_no_other() -> None:
    assert entry_of("a", {"appuio_auth_file": "auth.json"}) == {"zone": "a", "auth_file": "auth.json"}
    assert entry_of("a", {"appuio_auth_file": "auth.json", "appuio_token": "t"}) == {"zone": "a", "token": "t"}
