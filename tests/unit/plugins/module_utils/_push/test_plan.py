# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done in a zone, and why."""

from __future__ import annotations

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import OCI_MANIFEST
from ansible_collections.appuio.registry.plugins.module_utils._push.options import PushOptions, parse_options
from ansible_collections.appuio.registry.plugins.module_utils._push.plan import ZonePlan, ZoneState, plan_zone
from ansible_collections.appuio.registry.plugins.module_utils._push.result import (
    PushedImage,
    PushPlan,
    ZoneResult,
    failure,
)

IMAGE, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
PUSHED = PushedImage("oci:app", IMAGE, OCI_MANIFEST)
PLACE = ZonePlan("lpg", "registry.example", "shop/app")


def state(digests: dict[str, str | None]) -> ZoneState:
    return ZoneState(digests, frozenset(tag for tag, digest in digests.items() if digest == IMAGE))


@pytest.mark.parametrize(
    ("before", "existing", "force", "needed", "after"),
    [
        (None, "overwrite", False, True, IMAGE),
        (None, "keep", False, True, IMAGE),
        (None, "fail", False, True, IMAGE),
        (IMAGE, "overwrite", False, False, IMAGE),
        (IMAGE, "fail", False, False, IMAGE),
        (IMAGE, "overwrite", True, True, IMAGE),
        (OTHER, "overwrite", False, True, IMAGE),
        (OTHER, "keep", False, False, OTHER),
        (OTHER, "keep", True, False, OTHER),
    ],
)
def test_one_tag(before: str | None, existing: str, force: bool, needed: bool, after: str) -> None:
    options = PushOptions("app", ("1.0",), existing_tags=existing, force=force)
    planned = plan_zone(PLACE, options, state({"1.0": before}))
    (tag,) = planned.tags
    assert (tag.needed, planned.changed) == (needed, needed)
    assert PushPlan(PUSHED, (planned,)).diff()["after"] == {"registry.example/shop/app": {"1.0": after}}
    assert tag.reason in planned.reason


def test_a_tag_that_must_not_move_stops_everything() -> None:
    options = PushOptions("app", ("new", "1.0"), existing_tags="fail")
    planned = plan_zone(PLACE, options, state({"new": None, "1.0": OTHER}))
    assert not planned.changed
    assert OTHER in str(planned.error)


@pytest.mark.parametrize(("holds", "force", "needed"), [(False, False, True), (True, False, False), (True, True, True)])
def test_without_tags(holds: bool, force: bool, needed: bool) -> None:
    planned = plan_zone(PLACE, PushOptions("app", (), force=force), ZoneState({}, readable=holds))
    assert planned.changed is needed


def test_diff_and_prediction_follow_the_plan() -> None:
    planned = plan_zone(PLACE, PushOptions("app", ("1.0", "2.0")), state({"1.0": OTHER, "2.0": None}))
    plan = PushPlan(PUSHED, (planned,))
    where = "registry.example/shop/app"
    assert plan.diff() == {
        "before": {where: {"1.0": OTHER, "2.0": None}},
        "after": {where: {"1.0": IMAGE, "2.0": IMAGE}},
    }
    (zone,) = plan.predict()["zones"]
    assert zone["previous_digest"] == {"1.0": OTHER, "2.0": None}
    assert (zone["changed"], zone["reference"]) == (True, f"{where}:1.0")


def test_of_several_zones_the_one_that_failed_is_told() -> None:
    from ansible_collections.appuio.registry.plugins.module_utils._errors import CancelledError, ForbiddenError

    plan = PushPlan(PUSHED, (PLACE, PLACE))
    results = [ZoneResult(error=CancelledError("left")), ZoneResult(error=ForbiddenError("no right", zone="lpg"))]
    error = failure(plan, results)
    assert str(error) == "zone lpg: no right"
    assert [zone["failed"] for zone in error.result["zones"]] == [True, True]


def test_defaults_come_from_the_source() -> None:
    assert parse_options({"jobs": 4}, "app", "1.0").tags == ("1.0",)
    assert parse_options({"jobs": 4}, "app", None).tags == ("latest",)
    assert parse_options({"jobs": 4, "tags": []}, "app", "1.0").tags == ()
    assert parse_options({"jobs": 4, "tags": ["a", "a"], "name": "other"}, "app", None).tags == ("a",)


@pytest.mark.parametrize(
    "options", [{"jobs": 0}, {"jobs": 33}, {"jobs": 4, "name": "a/b"}, {"jobs": 4, "tags": ["a b"]},
                {"jobs": 4, "expected_digest": "latest"}, {"jobs": 4, "platforms": ["linux"]}],
)  # fmt: skip
def test_what_cannot_be_meant(options: dict[str, object]) -> None:
    with pytest.raises(InvalidOptionError):
        parse_options(options, "app", None)


def test_a_short_digest_is_told_where_the_long_one_is() -> None:
    for short in ("sha256:abcdef012345", "abcdef012345", "abcdef012345..."):
        with pytest.raises(InvalidOptionError, match=r"expected_digest .* It is shortened: appuio_image_info"):
            parse_options({"jobs": 4, "expected_digest": short}, "app", "1.0")
