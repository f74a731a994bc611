# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose the tags of an ImageStream are, by what is noted in it, whoever has written there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._image_set.entry import EVERY
from ansible_collections.appuio.registry.plugins.module_utils._sync.managed import (
    COPIED,
    CREATED_BY,
    MANAGED_TAGS,
    UNKNOWN,
    Declared,
    StreamTags,
    managed_tags,
    new_stream,
    plan_stream,
    with_managed_tags,
)

KEY = ("zone", "shop", "app")
A, B, C = (f"sha256:{letter * 64}" for letter in "abc")


def stream(tags: dict[str, str], **annotations: Any) -> dict[str, Any]:
    """Return an ImageStream with these tags and annotations; a set is named by ``noted`` or ``noted_NAME``."""
    named = {name.replace("noted_", f"{MANAGED_TAGS}.").replace("noted", MANAGED_TAGS): json.dumps(value)
             for name, value in annotations.items() if name.startswith("noted")}  # fmt: skip
    more = {name: value for name, value in annotations.items() if not name.startswith("noted")}
    items = [
        {"tag": tag, "items": [{"image": digest, "created": "2026-01-01T00:00:00Z"}]} for tag, digest in tags.items()
    ]
    return {
        "metadata": {"name": "app", "namespace": "shop", "annotations": {**named, **more}, "resourceVersion": "7"},
        "status": {"tags": items},
    }


def planned(document: dict[str, Any], *declared: str, unknown: bool = False, set_name: str = "") -> StreamTags:
    tags = {KEY: declared} if declared else {}
    return plan_stream(document, set_name, KEY, Declared(tags, frozenset([KEY] if unknown else [])))


def test_only_what_is_noted_and_undeclared_may_go() -> None:
    found = planned(stream({"1": A, "2": B, "theirs": C}, noted={"1": A, "2": B}), "2")
    assert (found.going, found.kept, found.forgotten) == (frozenset({"1"}), (), frozenset())


@pytest.mark.parametrize(("tags", "kept"), [({"1": B}, f"somebody else has moved it since, from {A}"), ({}, None)])
def test_what_is_not_as_it_was_brought_is_no_longer_ours(tags: dict[str, str], kept: str | None) -> None:
    found = planned(stream(tags, noted={"1": A}), "2")
    assert (found.going, found.forgotten) == (frozenset(), frozenset({"1"}))
    assert [one.reason for one in found.kept] == ([kept] if kept else [])


def test_nothing_goes_and_nothing_is_forgotten_while_it_is_not_known_what_is_declared() -> None:
    found = planned(stream({"1": A, "2": C}, noted={"1": A, "2": B}), "3", unknown=True)
    assert (found.going, found.forgotten) == (frozenset(), frozenset())
    assert {one.reason for one in found.kept} == {UNKNOWN}


def test_what_is_copied_from_here_stays_and_is_not_forgotten() -> None:
    document = stream({"1": A, "2": B, "3": C}, noted={"1": A, "2": B, "3": C}, **{CREATED_BY: MANAGED_TAGS})
    for unknown in (frozenset(), frozenset([KEY])):
        found = plan_stream(document, "", KEY, Declared({}, unknown, {KEY: {"1", B}}))
        assert {one.tag for one in found.kept if one.reason == COPIED} == {"1", "2"}
        assert (found.going, found.forgotten) == (frozenset() if unknown else frozenset({"3"}), frozenset())
        assert not found.created


def test_sets_with_names_know_their_own_tags_and_share_what_both_declare() -> None:
    document = stream({"1": A, "2": B}, noted={"1": A}, noted_apps={"1": A, "2": B})
    assert planned(document, "3").going == frozenset()
    assert [one.reason for one in planned(document, "3").kept] == ["another set declares it, too"]
    assert planned(document, "2").shared == {"2": B}
    assert planned(document, "1", set_name="apps").going == {"2"}
    moved = stream({"2": C}, noted_apps={"2": B})
    assert planned(moved, "2").shared == {}


@pytest.mark.parametrize("value", ["", "{", "[]", "7", '{"1": 7}', '{"1": "sha256:x"}', '{"a b": "' + A + '"}', "null"])
def test_an_annotation_that_is_none_makes_nothing_ours(value: str) -> None:
    document = stream({"1": A})
    document["metadata"]["annotations"] = {MANAGED_TAGS: value}
    assert managed_tags(document, "") == {}
    assert planned(document, "2").going == frozenset()


def test_a_stream_goes_only_where_its_own_set_has_created_it_and_declares_nothing_in_it() -> None:
    document = new_stream("shop", "app", "base", {"1": A})
    assert document["metadata"]["annotations"][CREATED_BY] == f"{MANAGED_TAGS}.base"
    assert planned(document, set_name="base").created
    assert not planned(document, set_name="").created
    assert not planned(document, "1", set_name="base").created
    assert not planned(document, unknown=True, set_name="base").created
    assert not planned(stream({})).created


def test_what_is_noted_is_changed_in_the_version_that_was_read() -> None:
    change = with_managed_tags(stream({}), "base", {"2": B, "1": A})
    assert change["metadata"]["resourceVersion"] == "7"
    assert change["metadata"]["annotations"] == {f"{MANAGED_TAGS}.base": f'{{"1":"{A}","2":"{B}"}}'}
    assert with_managed_tags(stream({}), "", {})["metadata"]["annotations"] == {MANAGED_TAGS: None}


def test_nothing_goes_from_a_namespace_whose_images_are_not_known() -> None:
    document = stream({"1": A}, noted={"1": A}, **{CREATED_BY: MANAGED_TAGS})
    found = plan_stream(document, "", KEY, Declared({}, frozenset([(*KEY[:2], EVERY)])))
    assert (found.going, found.forgotten, found.created) == (frozenset(), frozenset(), False)
    assert [one.reason for one in found.kept] == [UNKNOWN]
    another = plan_stream(document, "", KEY, Declared({}, frozenset([("zone", "other", EVERY)])))
    assert (another.going, another.created) == (frozenset({"1"}), True)
