# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches and applies change what they name and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.zone.api.apply import ApplyConflict, apply, note_update, read_owners
from tests.zone.api.patch import BadPatch, json_patch, merge_patch, strategic_merge_patch

POD = {"spec": {"containers": [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}]}}


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": "text"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({}, {"a": {"b": None}}, {"a": {}}),
    ],
)
def test_merge_patch(target: Any, patch: Any, result: Any) -> None:
    assert merge_patch(target, patch) == result


def test_strategic_merge_patch_merges_lists_by_their_key() -> None:
    patch = {"spec": {"containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}]}, {"name": "c"}]}}
    containers = strategic_merge_patch(POD, patch)["spec"]["containers"]
    assert [entry["name"] for entry in containers] == ["a", "b", "c"]
    assert containers[0] == {
        "name": "a",
        "image": "1",
        "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}],
    }


def test_strategic_merge_patch_has_directives() -> None:
    gone = {"spec": {"containers": [{"name": "a", "$patch": "delete"}], "$setElementOrder/containers": []}}
    assert strategic_merge_patch(POD, gone) == {"spec": {"containers": [{"name": "b"}]}}
    assert strategic_merge_patch({"a": {"b": 1}}, {"a": {"$patch": "replace", "c": 2}}) == {"a": {"c": 2}}
    subjects = {"subjects": [{"name": "x"}]}
    assert strategic_merge_patch(subjects, {"subjects": [{"name": "y"}]}) == {"subjects": [{"name": "y"}]}
    with pytest.raises(BadPatch):
        strategic_merge_patch(POD, {"spec": {"containers": [{"image": "x"}]}})


def test_json_patch() -> None:
    operations = [
        {"op": "test", "path": "/a", "value": 1},
        {"op": "replace", "path": "/a", "value": 2},
        {"op": "add", "path": "/list/-", "value": "z"},
        {"op": "remove", "path": "/list/0"},
        {"op": "copy", "from": "/a", "path": "/b~1c"},
    ]
    assert json_patch({"a": 1, "list": ["x", "y"]}, operations) == {"a": 2, "list": ["y", "z"], "b/c": 2}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/none"},
        {"op": "test", "path": "/a", "value": 2},
        {"op": "jump", "path": "/a"},
        {"op": "add", "path": "a", "value": 1},
        {"path": "/a"},
        "remove",
        None,
        {"op": "add", "path": 5, "value": 1},
        {"op": "replace", "path": "/a/b/c", "value": 1},
    ],
)
def test_json_patches_that_cannot_be_applied(operation: Any) -> None:
    with pytest.raises(BadPatch):
        json_patch({"a": 1}, [operation])


@pytest.mark.parametrize("operations", [{"op": "remove"}, "text", 5, None])
def test_a_json_patch_is_a_list(operations: Any) -> None:
    with pytest.raises(BadPatch):
        json_patch({"a": 1}, operations)


def config_map(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


def test_apply_owns_what_it_applied_and_drops_what_it_no_longer_wants() -> None:
    first = apply(config_map(), config_map(a="1", b="1"), "one", force=False)
    second = apply(first, config_map(b="1", c="2"), "two", force=False)
    assert second["data"] == {"a": "1", "b": "1", "c": "2"}
    third = apply(second, config_map(), "one", force=False)
    assert third["data"] == {"b": "1", "c": "2"}
    assert read_owners(third)[("two", "Apply")] == {("data", "b"), ("data", "c")}


def test_apply_conflicts_with_what_others_manage() -> None:
    live = note_update({**config_map(), "metadata": {}}, config_map(a="1"), "editor")
    with pytest.raises(ApplyConflict) as caught:
        apply(live, config_map(a="2"), "one", force=False)
    assert caught.value.conflicts == [("editor", ("data", "a"))]
    forced = apply(live, config_map(a="2"), "one", force=True)
    assert forced["data"] == {"a": "2"}
    assert ("editor", "Update") not in read_owners(forced)
    assert apply(live, config_map(a="1"), "one", force=False)["data"] == {"a": "1"}
