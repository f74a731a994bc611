# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What surveys, CI variables and YAML make of options, and what is refused because it is not what was meant."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._argspec import (
    CONNECTION,
    CREDENTIALS,
    ZONE,
    ZONES,
    ArgumentSpec,
    readable_parameters,
)
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError

SPEC = (
    ZONE
    + ZONES
    + CREDENTIALS
    + CONNECTION
    + ArgumentSpec(
        options={
            "name": {"type": "str"},
            "tag": {"type": "str"},
            "tags": {"type": "list", "elements": "str"},
            "accounts": {"type": "list", "elements": "dict"},
            "labels": {"type": "dict"},
            "select": {
                "type": "dict",
                "options": {
                    "semver": {"type": "str"},
                    "newest": {"type": "int"},
                    "tags": {"type": "list", "elements": "str", "aliases": ["tag"]},
                },
            },
            "existing_tags": {"type": "str", "default": "overwrite"},
            "jobs": {"type": "int", "default": 4},
            "force": {"type": "bool", "default": False},
        },
        zone_options=("name",),
    )
)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"tags": "a\nb"}, {"tags": ["a", "b"]}),
        ({"tags": '["a", "b"]'}, {"tags": ["a", "b"]}),
        ({"tags": "a, b"}, {"tags": ["a", "b"]}),
        ({"tags": "frontend"}, {"tags": ["frontend"]}),
        ({"tags": [1, "1.10"]}, {"tags": ["1", "1.10"]}),
        ({"tags": []}, {"tags": []}),
        ({"tags": None}, {"tags": None}),
        ({"zones": "a-b-1\na-b-2"}, {"zones": ["a-b-1", "a-b-2"]}),
        ({"labels": "a=b, c=d"}, {"labels": {"a": "b", "c": "d"}}),
        ({"existing_tags": "", "jobs": " ", "force": ""}, {}),
        ({"ca_cert": "", "verify_ssl": "", "registry": "", "host": None}, {"host": None}),
        ({"tag": '"1.10"', "tags": '"1.10"'}, {"tag": "1.10", "tags": ["1.10"]}),
        ({"tag": 'a"b', "token": '"secret"'}, {"tag": 'a"b', "token": '"secret"'}),
        ({"select": {"semver": "", "newest": 3, "new": 1.1}}, {"select": {"semver": "", "newest": 3, "new": 1.1}}),
        ({"select": {"semver": '"1.10"', "tag": "a, b"}}, {"select": {"semver": "1.10", "tag": ["a", "b"]}}),
        ({"labels": {"a": 1.5}}, {"labels": {"a": 1.5}}),
        ({"name": 17, "retry_delay": 0.5}, {"name": 17, "retry_delay": 0.5}),
    ],
)
def test_text_and_blanks_are_read_as_they_were_meant(given: dict[str, Any], read: dict[str, Any]) -> None:
    assert readable_parameters(given, SPEC) == read


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tags": [1.1]}, "quotes"),
        ({"tags": 1.1}, "quotes"),
        ({"tag": 1.1}, "quotes"),
        ({"select": {"semver": 1.1}}, r"select\.semver is the number 1\.1.*quotes"),
        ({"select": {"tag": [1.1]}}, r"select\.tag holds 1\.1.*quotes"),
        ({"tags": ["a", ""]}, "an entry of tags is empty"),
        ({"tags": ""}, "tags is empty.*variable"),
        ({"token": ""}, "token is empty.*variable or command"),
        ({"api_key": "  "}, "api_key is empty"),
        ({"tags": "[a"}, "tags begins like a list"),
        ({"labels": "a"}, "labels is no mapping"),
    ],
)
def test_what_is_not_what_was_meant_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOptionError, match=message):
        readable_parameters(given, SPEC)


def test_an_entry_of_zones_has_the_shared_options_without_defaults() -> None:
    options = SPEC.entry_options()
    assert {"zone", "namespace", "token", "ca_cert", "timeout", "name"} <= set(options)
    assert "tags" not in options
    assert not any("default" in rule or "required" in rule for rule in options.values())
    assert options["token"]["no_log"] is True
    assert options["ca_cert"]["type"] == "path"
