# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs of a set in zones in memory: what is asked, what moves, what is noted, and what goes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.plugins.module_utils._sync.fake_set import FakeSet, fake_set

__all__ = ["fake_set"]


def test_what_is_no_longer_declared_goes_and_nothing_else(fake_set: FakeSet) -> None:
    fake_set.sync(fake_set.image("x", "app", "1", "2"), fake_set.image("y", "gone", "1"), delete="managed")
    assert fake_set.noted("app") == [{"1": "x", "2": "x"}] * 2
    for registry in fake_set.registries.values():
        registry.put("app", "theirs", "theirs")
    result = fake_set.sync(fake_set.image("x", "app", "1"), delete="managed")
    assert {(one["name"], one["tag"]) for one in result["deleted"]} == {("app", "2"), ("gone", "1")}
    assert fake_set.named("app") == [{"1": "x", "theirs": "another"}] * 2
    assert fake_set.noted("app") == [{"1": "x"}] * 2
    assert [one["name"] for one in result["deleted_repositories"]] == ["gone"] * 2
    assert not fake_set.sync(fake_set.image("x", "app", "1"), delete="managed")["changed"]


def test_a_tag_goes_also_where_a_declared_one_points_to_the_same_image(fake_set: FakeSet) -> None:
    fake_set.sync(fake_set.image("x", "app", "1", "latest"), delete="managed")
    fake_set.sync(fake_set.image("x", "app", "1"), delete="managed")
    assert fake_set.named("app") == [{"1": "x"}] * 2


ONCE_MORE = "What is no longer declared goes at the end of this run, and makes room: run it once more"
WITHOUT_NEW = "run it once without the new entries, and then with them"


@pytest.mark.parametrize(
    ("options", "hint"),
    [({}, ONCE_MORE), ({"keep_going": False}, WITHOUT_NEW), ({"atomic": "set"}, WITHOUT_NEW)],
    ids=["as it is", "keep_going", "set"],
)
def test_what_goes_makes_room_in_the_quota_for_the_next_run(
    fake_set: FakeSet, options: dict[str, Any], hint: str
) -> None:
    stays, new = fake_set.image("x", "stays", "1"), fake_set.image("z", "new", "1")
    managing = {"delete": "managed", "check_quota": "fail", **options}
    fake_set.sync(stays, fake_set.image("y", "gone", "1"), **managing)
    fake_set.apis["b"].quota = {"openshift.io/imagestreams": 2}
    warned = fake_set.sync(stays, new, check=True, **{**managing, "check_quota": "warn"})["warnings"]
    assert len(warned) == 1
    assert warned[0].startswith(
        "zone b: for all images of the set in shop, the quota images leaves 0 of 2 imagestreams"
    )
    # With a warning alone, the registry decides, and what else there is to do is done.
    assert warned[0].endswith(WITHOUT_NEW if options == {"keep_going": False} else ONCE_MORE)
    error = fake_set.refused(stays, new, **managing)
    assert hint in str(error)
    deleted = [(one["zone"], one["name"]) for one in error.result["deleted"]]
    assert deleted == ([("a", "gone"), ("b", "gone")] if hint == ONCE_MORE else [])
    assert fake_set.named("new") == [{}, {}]
    if hint == WITHOUT_NEW:
        assert len(fake_set.sync(stays, **managing)["deleted"]) == 2
    assert fake_set.sync(stays, new, **managing)["changed"]
    assert fake_set.named("new") == [{"1": "z"}] * 2


def test_where_the_quota_would_not_be_enough_either_nobody_promises_it(fake_set: FakeSet) -> None:
    stays = fake_set.image("x", "stays", "1")
    fake_set.sync(stays, fake_set.image("y", "gone", "1"), delete="managed")
    fake_set.apis["b"].quota = {"openshift.io/imagestreams": 2}
    more = [fake_set.image("z", name, "1") for name in ("new", "other")]
    error = fake_set.refused(stays, *more, delete="managed", check_quota="fail")
    assert "leaves 0 of 2 imagestreams, and 2 are needed" in str(error)
    assert "Remove tags that nobody needs, or ask for a larger quota" in str(error)
    # What an image that fails has in its own repository stays, and makes no room.
    fake_set.sync(stays, fake_set.image("y", "new", "old"), delete="managed")
    fake_set.apis["b"].quota = {"openshift.io/imagestreams": 2, "openshift.io/imagestreamtags": 2}
    error = fake_set.refused(stays, fake_set.image("z", "new", "1"), delete="managed", check_quota="fail")
    assert "Remove tags that nobody needs" in str(error)
    assert error.result["deleted"] == []
