# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with a tag, by what it is to point to, what it points to, and what moves it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    CancelledError,
    InvalidOptionError,
    NotFoundError,
)
from ansible_collections.appuio.registry.plugins.module_utils._tag.options import (
    Origin,
    TagOptions,
    parse_options,
    parse_origin,
)
from ansible_collections.appuio.registry.plugins.module_utils._tag.plan import (
    TagState,
    ZonePlan,
    plan_zone,
    wanted_digest,
)
from ansible_collections.appuio.registry.plugins.module_utils._tag.result import TagPlan, ZoneResult, failure

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
PLACE = ZonePlan("lpg", "registry.example", "shop", "app", "prod")
HERE = "shop/app"


def wanted(**options: Any) -> TagOptions:
    return TagOptions("app", "prod", **options)


@pytest.mark.parametrize(
    ("text", "origin", "repository"),
    [
        ("staging", Origin("staging"), "shop/app"),
        (A, Origin(A), "shop/app"),
        ("base:1.0", Origin("1.0", "base"), "shop/base"),
        ("test/app:1.0", Origin("1.0", "app", "test"), "test/app"),
        (f"test/app@{A}", Origin(A, "app", "test"), "test/app"),
        (f"base@{A}", Origin(A, "base"), "shop/base"),
    ],
)
def test_where_an_image_is(text: str, origin: Origin, repository: str) -> None:
    assert parse_origin(text) == origin
    assert origin.repository("shop", "app") == repository


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("test/app", "names no tag"),
        ("registry.example.com/test/app:1.0", "not in the same zone"),
        ("app@latest", "no digest after the @"),
        ("a b", "is not a tag"),
        ("App:1", "is not an image name"),
    ],
)
def test_where_no_image_can_be(text: str, told: str) -> None:
    with pytest.raises(InvalidOptionError, match=told):
        parse_origin(text)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"from": "prod"}, "the tag prod itself"),
        ({"from": "app:prod"}, "the tag prod itself"),
        ({"state": "absent", "from": "x"}, "from is for state present"),
        ({"from": "x", "to_digest": A}, "to_digest is for state rolled_back"),
        ({"state": "rolled_back", "to_digest": "latest"}, "is not a digest"),
        ({"state": "rolled_back", "expected_digest": A, "revision": 0}, "revision is 1"),
    ],
)
def test_what_cannot_be_meant(options: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidOptionError, match=told):
        parse_options({"name": "app", "tag": "prod", "revision": 1, **options})


def test_numbers_may_be_text() -> None:
    options = {"name": "app", "tag": "prod", "state": "rolled_back", "expected_digest": A, "revision": "2"}
    assert parse_options(options).revision == 2


@pytest.mark.parametrize(
    ("before", "after", "options", "changed", "reason"),
    [
        (None, A, {}, True, "does not exist yet"),
        (A, A, {}, False, "points to this image already"),
        (B, A, {}, True, "points to another image"),
        (B, A, {"expected_digest": B}, True, "points to another image"),
        (A, A, {"expected_digest": B}, False, "points to this image already"),
        (B, A, {"state": "rolled_back", "to_digest": A}, True, "is rolled back from"),
        (B, None, {"state": "absent"}, True, "is to be absent"),
        (B, None, {"state": "absent", "expected_digest": B}, True, "is to be absent"),
        (None, None, {"state": "absent"}, False, "does not exist"),
    ],
)
def test_what_is_to_be_done(
    before: str | None, after: str | None, options: dict[str, Any], changed: bool, reason: str
) -> None:
    planned = plan_zone(PLACE, wanted(**options), TagState(before, exists=bool(before)), after, HERE)
    assert planned.changed is changed
    assert planned.reason.startswith(reason)
    assert planned.error is None
    plan = TagPlan((planned,))
    assert plan.predict()["changed"] is changed
    assert plan.diff() == {
        "before": {"registry.example/shop/app": {"prod": before}},
        "after": {"registry.example/shop/app": {"prod": after if changed else before}},
    }


@pytest.mark.parametrize(
    ("points_to", "options"),
    [
        (B, {"expected_digest": C}),
        (None, {"expected_digest": C}),
        (B, {"state": "absent", "expected_digest": C}),
        (B, {"state": "rolled_back", "to_digest": A, "expected_digest": C}),
    ],
)
def test_somebody_was_faster(points_to: str | None, options: dict[str, Any]) -> None:
    after = None if options.get("state") == "absent" else A
    planned = plan_zone(PLACE, wanted(**options), TagState(points_to, exists=bool(points_to)), after, HERE)
    assert not planned.changed
    assert f"not to {C}" in str(planned.error)
    with pytest.raises(AppuioError, match="lpg"):
        TagPlan((planned,)).predict()


@pytest.mark.parametrize(
    ("history", "revision", "after"),
    [((B, A), 1, A), ((B, A, C), 2, C), ((A, B), 1, A), ((), 1, None)],
)
def test_back_in_the_history_only_from_the_bad_image(
    history: tuple[str, ...], revision: int, after: str | None
) -> None:
    back = wanted(state="rolled_back", expected_digest=B, revision=revision)
    state = TagState(history[0] if history else None, bool(history), history)
    assert wanted_digest(back, state, None) == after
    planned = plan_zone(PLACE, back, state, after, HERE)
    assert planned.changed is (history[:1] == (B,))
    assert planned.error is None


def test_a_history_that_is_too_short_or_not_known() -> None:
    back = wanted(state="rolled_back", expected_digest=B, revision=2)
    with pytest.raises(AppuioError, match="goes back 1 images, not 2"):
        wanted_digest(back, TagState(B, True, (B, A)), None)
    with pytest.raises(AppuioError, match="no route"):
        wanted_digest(back, TagState(B, True, shut=AppuioError("no route")), None)


def test_a_revision_that_is_the_bad_image_again_is_no_rollback() -> None:
    """After a rollback and the same bad image once more, it stands in the history twice."""
    state = TagState(B, True, (B, A, B))
    with pytest.raises(NotFoundError, match=f"pointed to {B} 2 images before, too.*Give another revision"):
        wanted_digest(wanted(state="rolled_back", expected_digest=B, revision=2), state, None)
    assert wanted_digest(wanted(state="rolled_back", expected_digest=B), state, None) == A


def test_what_follows_is_left_alone() -> None:
    state = TagState(B, True, (B,), followed="the tag app:next")
    refused = plan_zone(PLACE, wanted(), state, A, HERE)
    assert "follows the tag app:next" in str(refused.error)
    kept = plan_zone(PLACE, wanted(following="keep"), state, A, HERE)
    assert (kept.changed, kept.error, kept.after) == (False, None, B)
    assert plan_zone(PLACE, wanted(state="absent"), state, None, HERE).changed
    assert plan_zone(PLACE, wanted(), TagState(B, True, (B,), pinned=f"app@{B}"), A, HERE).reason.endswith("go past it")
    assert plan_zone(PLACE, wanted(), TagState(B, True), A, HERE).reason.endswith("as the API could not be asked")


def test_the_reason_says_how() -> None:
    assert "no more than the right to push" in plan_zone(PLACE, wanted(), TagState(B), A, HERE).reason
    mounted = plan_zone(PLACE, wanted(), TagState(B), A, "test/app")
    assert mounted.mounts
    assert "mounted from test/app" in mounted.reason


def test_a_failure_tells_of_causes_and_of_all_zones() -> None:
    plan = TagPlan(tuple(ZonePlan(name, "r", "shop", "app", "prod", A, B, True) for name in ("one", "two", "three")))
    results = [
        ZoneResult(error=CancelledError("left as it was", zone="one"), rolled_back=True),
        ZoneResult(error=AppuioError("no", zone="two")),
        ZoneResult(changed=True),
    ]
    error = failure(plan, results)
    assert str(error) == "zone two: no"
    told = error.result["zones"]
    assert [zone["digest"] for zone in told] == [A, A, B]
    assert [zone["failed"] for zone in told] == [True, True, False]
    assert error.result["digest"] is None


def test_a_tag_does_not_go_back_to_what_is_no_image_and_is_never_removed_for_it() -> None:
    """``oc tag --reference`` leaves an event without an image, which once took the tag away."""
    options = wanted(state="rolled_back", expected_digest=A)
    state = TagState(A, True, history=(A, "", C), references=("", "quay.io/base/app:1.0", ""))
    with pytest.raises(NotFoundError, match=r"of this zone before, but was a reference to quay\.io/base/app:1\.0"):
        wanted_digest(options, state, None)
    assert wanted_digest(wanted(state="rolled_back", expected_digest=A, revision=2), state, None) == C


@pytest.mark.parametrize("short", ["sha256:abcdef012345", "abcdef012345", "sha256:abcdef012345..."])
def test_a_short_digest_is_told_where_the_long_one_is(short: str) -> None:
    with pytest.raises(InvalidOptionError, match="It is shortened: appuio_image_info"):
        parse_options({"name": "app", "tag": "prod", "revision": 1, "state": "rolled_back", "expected_digest": short})


@pytest.mark.parametrize("short", ["sha256:abcdef012345", "app@sha256:abcdef012345", "app@abcdef012345"])
def test_a_short_digest_is_no_tag_to_move_to(short: str) -> None:
    """It once was a tag of the image stream sha256."""
    with pytest.raises(InvalidOptionError, match="It is shortened: appuio_image_info"):
        parse_origin(short)


def test_a_rollback_that_finds_the_bad_image_nowhere_says_so() -> None:
    options = wanted(state="rolled_back", expected_digest=A)
    zones = tuple(
        plan_zone(PLACE, options, TagState(digest, True, history=(digest,)), digest, HERE) for digest in (B, C)
    )
    result = TagPlan(zones).predict()
    assert not result["changed"]
    assert result["reason"].startswith("0 of 2 zones changed: points to")
    assert "not to the image to roll back from, sha256:" in result["reason"]
    assert B[:19] in result["reason"]
    assert C[:19] in result["reason"]
