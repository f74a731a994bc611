# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each declared tag is, by the plan of a set."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._image_set.entry import EVERY
from ansible_collections.appuio.registry.plugins.module_utils._image_set.namespace_plan import LeftBehind
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import Manifest
from ansible_collections.appuio.registry.plugins.module_utils._prune.plan import Decision
from ansible_collections.appuio.registry.plugins.module_utils._prune.report import ZonePrune
from ansible_collections.appuio.registry.plugins.module_utils._push.plan import PlannedTag, ZonePlan
from ansible_collections.appuio.registry.plugins.module_utils._push.result import PushedImage, PushPlan
from ansible_collections.appuio.registry.plugins.module_utils._sync.image_plan import ImagePlan, declared_tags
from ansible_collections.appuio.registry.plugins.module_utils._sync.plan import SyncPlan

A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
SIGNATURE = Manifest(b"{}", "application/vnd.oci.image.manifest.v1+json")
TAGS = {
    "up_to_date": PlannedTag("same", A, True, False, "points to this image already"),
    "missing": PlannedTag("new", None, False, True, "does not exist yet"),
    "outdated": PlannedTag("moved", B, False, True, "points to another image"),
    "kept": PlannedTag("mine", B, False, False, "points to another image, and is kept"),
}


def image(*zones: ZonePlan, error: AppuioError | None = None, destinations: Any = (("a", "shop"),)) -> ImagePlan:
    plan = PushPlan(PushedImage("oci:build", A, None), zones) if zones else None
    return ImagePlan("entry 1 of images", "oci:build", "app", ("same",), destinations, plan, error)


def zone(*tags: PlannedTag, name: str = "a", error: AppuioError | None = None) -> ZonePlan:
    return ZonePlan(name, f"{name}.example", "shop/app", tags=tags, error=error)


@pytest.mark.parametrize("state", TAGS)
def test_what_is_planned_for_a_tag_says_what_it_is(state: str) -> None:
    tag = TAGS[state]
    (row,) = declared_tags([image(zone(tag))])
    assert row == {
        "zone": "a", "namespace": "shop", "name": "app", "tag": tag.tag, "state": state, "digest": tag.before,
        "wanted": A, "entry": "entry 1 of images", "source": "oci:build", "reason": tag.reason,
    }  # fmt: skip


def test_a_referrer_is_declared_with_its_image() -> None:
    tag = PlannedTag("sha256-a.sig", None, False, True, "travels with the image", SIGNATURE)
    (row,) = declared_tags([image(zone(tag))])
    assert (row["tag"], row["state"], row["wanted"]) == ("sha256-a.sig", "missing", SIGNATURE.digest)


def test_an_image_that_cannot_be_planned_leaves_its_repository_in_doubt() -> None:
    rows = declared_tags([image(error=AppuioError("no route"), destinations=(("a", "shop"), ("b", "lab")))])
    assert [(row["zone"], row["namespace"], row["tag"], row["state"]) for row in rows] == [
        ("a", "shop", "same", "unknown"),
        ("a", "shop", None, "unknown"),
        ("b", "lab", "same", "unknown"),
        ("b", "lab", None, "unknown"),
    ]
    assert {row["reason"] for row in rows} == {"no route"}


def test_a_zone_that_cannot_be_asked_is_not_known_and_the_others_are() -> None:
    down = zone(name="b", error=AppuioError("no route", zone="b"))
    rows = declared_tags([image(zone(TAGS["missing"]), down, destinations=(("a", "shop"), ("b", "shop")))])
    found = [(row["zone"], row["tag"], row["state"]) for row in rows]
    assert found == [("a", "new", "missing"), ("b", "same", "unknown"), ("b", None, "unknown")]


def test_a_tag_that_may_not_move_is_outdated_with_the_error() -> None:
    (row,) = declared_tags([image(zone(TAGS["outdated"], error=AppuioError("existing_tags is fail")))])
    assert (row["state"], row["reason"]) == ("outdated", "existing_tags is fail")


def test_what_cannot_be_copied_stays_where_it_is() -> None:
    pending = ImagePlan("entry 1 of images", "docker://a.example/shop", EVERY, destinations=(("b", "shop"),))
    left = [LeftBehind("app", "old", "it points to nothing"), LeftBehind("app", None, "its history")]
    (row,) = declared_tags([], [(pending, one) for one in left])
    assert [row[key] for key in ("zone", "name", "tag", "state")] == ["b", "app", "old", "kept"]
    assert row["reason"] == "it points to nothing"


def test_a_tag_that_is_copied_without_what_it_follows_has_one_row() -> None:
    pending = ImagePlan("entry 1 of images", "docker://b.example/shop", EVERY, destinations=(("a", "shop"),))
    rows = declared_tags([image(zone(TAGS["up_to_date"]))], [(pending, LeftBehind("app", "same", "that it follows"))])
    assert [(row["tag"], row["state"]) for row in rows] == [("same", "up_to_date")]


def test_check_mode_has_it_and_a_run_has_not() -> None:
    plan = SyncPlan([image(zone(TAGS["missing"]))])
    assert [row["state"] for row in plan.predict()["declared"]] == ["missing"]
    assert "declared" not in plan.result()


def test_where_nothing_is_begun_it_is_told_and_nothing_goes() -> None:
    gone = Decision("app", "1.0", A, None, True, "it is no longer declared")
    plan = SyncPlan([image(error=AppuioError("no route"))], [("a", "a.example")], [ZonePrune("a", "shop", (gone,))])
    with pytest.raises(AppuioError) as caught:
        plan.refuse()
    result = caught.value.result
    assert [row["state"] for row in result["declared"]] == ["unknown", "unknown"]
    assert result["deleted"] == []
    assert [(one["tag"], one["reason"]) for one in result["kept"]] == [("1.0", "nothing was begun, as images failed")]


def test_why_nothing_can_be_deleted_in_a_zone() -> None:
    zones = [ZonePrune("a", "shop", error=AppuioError("may not list pods")), ZonePrune("b", "shop")]
    plan = SyncPlan([image(zone(TAGS["up_to_date"]))], [("a", "a.example"), ("b", "b.example")], zones)
    with pytest.raises(AppuioError) as caught:
        plan.predict()
    assert [one["deletion_error"] for one in caught.value.result["zones"]] == ["may not list pods", None]
