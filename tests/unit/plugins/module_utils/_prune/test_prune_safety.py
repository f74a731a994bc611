# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No plan takes away an image that somebody uses: not by a history, not under an index, not for whoever follows."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_streams import ImageStream, parse_stream
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_usage import Usage, held_images
from ansible_collections.appuio.registry.plugins.module_utils._prune.history import history_trims
from ansible_collections.appuio.registry.plugins.module_utils._prune.names import is_build, version_key
from ansible_collections.appuio.registry.plugins.module_utils._prune.options import SPEC, PruneOptions, parse_options
from ansible_collections.appuio.registry.plugins.module_utils._prune.plan import Decision, decide, limited
from ansible_collections.appuio.registry.plugins.module_utils._prune.report import PrunePlan, ZonePrune
from hypothesis import given
from hypothesis import strategies as some

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DEFAULTS = {name: rule.get("default") for name, rule in SPEC.options.items()}


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def item(number: int, age: int) -> dict[str, Any]:
    created = f"{NOW - timedelta(days=age):%Y-%m-%dT%H:%M:%SZ}"
    return {"image": digest(number) if number else "", "created": created, "dockerImageReference": "x", "generation": 1}


def stream(tags: Mapping[str, Sequence[int]], specs: Mapping[str, Any] | None = None, name: str = "app") -> ImageStream:
    """A stream whose tags have pointed to these images, newest first, the oldest tag first; 0 is no image."""
    document = {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"tags": [{"name": tag, **spec} for tag, spec in (specs or {}).items()]},
        "status": {
            "tags": [
                {"tag": tag, "items": [item(number, 100 - at + later) for later, number in enumerate(numbers)]}
                for at, (tag, numbers) in enumerate(tags.items())
            ]
        },
    }
    return parse_stream(document)


def options(**given: Any) -> PruneOptions:
    return parse_options({**DEFAULTS, **given})


def gone(found: Sequence[Decision]) -> set[str]:
    return {one.tag for one in found if one.goes}


def why(found: Sequence[Decision], tag: str) -> str:
    return next(one.reason for one in found if one.tag == tag)


def test_a_tag_stays_whose_history_holds_an_image_in_use() -> None:
    usage = Usage(digests={digest(7): "Deployment shop/web"})
    found = decide(stream({"1.0": [8, 7], "1.1": [9], "1.2": [10]}), options(keep=1), usage, NOW)
    assert gone(found) == {"1.1"}
    assert why(found, "1.0") == f"an earlier image of it, {digest(7)}, is used by Deployment shop/web"


def test_a_tag_stays_whose_index_has_an_image_in_use() -> None:
    usage = Usage(digests={digest(70): "Pod shop/web"})
    tags = stream({"1.0": [7], "1.1": [9], "1.2": [10]})
    found = decide(tags, options(keep=1), usage, NOW, {digest(7): frozenset({digest(70), digest(71)})})
    assert gone(found) == {"1.1"}
    assert why(found, "1.0") == f"an image of its index, {digest(70)}, is used by Pod shop/web"


def test_one_tag_that_holds_an_image_is_enough() -> None:
    usage = Usage(digests={digest(7): "Pod shop/web"})
    found = decide(stream({"1.0": [1, 7], "1.1": [2, 7], "1.2": [3, 7], "1.3": [4]}), options(keep=1), usage, NOW)
    assert gone(found) == {"1.0", "1.1"}
    found = decide(stream({"1.0": [1, 7], "1.1": [2, 7], "1.3": [4, 7]}), options(keep=1), usage, NOW)
    assert gone(found) == {"1.0", "1.1"}


def test_history_of_an_index_in_use_stays() -> None:
    tags = stream({"1.0": [1, 2, 3]})
    usage = Usage(digests={digest(20): "Pod"})
    wanted = options(revisions=1)
    (trim,) = history_trims(
        [tags], decide(tags, wanted, usage, NOW), wanted, usage, NOW, {"app": {digest(2): frozenset({digest(20)})}}
    )
    assert [event.digest for event in trim.events] == [digest(3)]


def test_a_tag_that_points_to_the_same_image_as_one_that_stays_stays() -> None:
    tags = stream({"1.0": [1], "1.1": [2], "1.2": [3], "1.3": [3], "1.4": [1]})
    found = decide(tags, options(keep=1), Usage(), NOW)
    assert gone(found) == {"1.1", "1.2", "1.3"}
    assert why(found, "1.0") == "it points to the same image as 1.4, which stays"
    found = decide(stream({"1.0": [1], "1.1": [2], "production": [1]}), options(keep=0), Usage(), NOW)
    assert gone(found) == {"1.1"}


def test_moving_tags_go_only_where_match_names_them() -> None:
    names = ["staging", "production", "latest", "production-2", "main", "feature-x"]
    tags = stream({name: [number] for number, name in enumerate(names, 1)} | {"b-1": [50], "b-2": [51]})
    found = decide(tags, options(keep=1), Usage(), NOW)
    assert gone(found) == {"b-1"}
    assert {why(found, name) for name in names} == {
        "its name is neither a version nor a build, so it goes only where match names it"
    }
    assert gone(decide(tags, options(keep=0, match="^(staging|latest)$"), Usage(), NOW)) == {"staging", "latest"}


def test_a_number_makes_no_build_of_a_tag_that_has_moved() -> None:
    tags = stream({"pr-1": [1, 2], "pr-2": [3], "zone-lpg-2": [4, 5], "main-1a2b3c4": [6, 7], "pr-3": [8]})
    assert gone(decide(tags, options(keep=1), Usage(), NOW)) == {"pr-2", "main-1a2b3c4"}
    assert gone(decide(tags, options(keep=0, match="^pr-"), Usage(), NOW)) == {"pr-1", "pr-2", "pr-3"}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("version", "1 1.2 v1.2.3 2.0.0-rc.1"),
        ("build", "main-123 sha-1a2b3c4 1a2b3c4d build-7 pr-12 t199 production-20260101 1.2.3.4 b17 develop.55"),
        ("neither", "latest main production prod-2 deadbeef node18 production-eu-2 release-1.2 stable test-1 uat.3"),
    ],
)
def test_what_names_say(kind: str, names: str) -> None:
    for name in names.split():
        found = "version" if version_key(name) else "build" if is_build(name) else "neither"
        assert found == kind, name


def test_signatures_stay_as_long_as_their_image() -> None:
    signature = f"sha256-{1:064x}.sig"
    orphan = f"sha256-{99:064x}.sig"
    found = decide(stream({signature: [20], orphan: [21], "1.0": [2, 1], "1.1": [3]}), options(keep=0), Usage(), NOW)
    assert gone(found) == {orphan, "1.0", "1.1"}
    assert why(found, signature) == f"it belongs to {digest(1)}, which is here"


def test_references_are_no_old_images() -> None:
    elsewhere = {"from": {"kind": "DockerImage", "name": "quay.io/a/b:1"}}
    specs = {"1.0": {**elsewhere, "reference": True}, "1.1": elsewhere, "1.2": {**elsewhere, "reference": True}}
    tags = stream({"1.0": [0], "1.2": [5], "1.3": [0], "1.4": [1], "1.5": [2]}, specs)
    found = decide(tags, options(keep=0), Usage(), NOW)
    assert gone(found) == {"1.4", "1.5"}
    assert why(found, "1.1") == "it is a reference, to no image of this repository (quay.io/a/b:1)"
    assert why(found, "1.3") == "it is a reference, to no image of this repository"
    assert gone(decide(tags, options(keep=1), Usage(), NOW)) == {"1.4"}


def test_of_tags_pushed_in_one_second_the_higher_number_is_newer() -> None:
    status = [{"tag": f"b-{number}", "items": [item(number, 9)]} for number in (10, 8, 11, 9)]
    found = parse_stream({"metadata": {"name": "app"}, "status": {"tags": status}})
    assert gone(decide(found, options(keep=2), Usage(), NOW)) == {"b-8", "b-9"}


def test_a_tag_of_unknown_age_stays() -> None:
    document = {"metadata": {"name": "app"}, "status": {"tags": [
        {"tag": "b-1", "items": [{"image": digest(1), "created": "2026-01-01T00:00:00+02:00"}]},
        {"tag": "b-2", "items": [{"image": digest(2), "created": "2026-01-01T00:00:00Z"}]},
        {"tag": "b-3", "items": [{"image": digest(3), "created": "2026-01-02T00:00:00Z"}]},
    ]}}  # fmt: skip
    found = decide(parse_stream(document), options(older_than="1d", keep=1), Usage(), NOW)
    assert gone(found) == {"b-2"}
    assert gone(decide(parse_stream(document), options(keep=1), Usage(), NOW)) == {"b-2"}


def follower(namespace: str, name: str, tag: str, origin: Mapping[str, Any], **status: Any) -> dict[str, Any]:
    spec = {"tags": [{"name": tag, "from": origin}]}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec, "status": status}


@pytest.mark.parametrize(
    ("origin", "home", "stays"),
    [
        ({"kind": "ImageStreamTag", "name": "app:1.0", "namespace": "shop"}, "prod",
         "it is followed by the tag prod/web:live"),
        ({"kind": "ImageStreamTag", "name": "app:1.0"}, "shop", "it is followed by the tag shop/web:live"),
        ({"kind": "ImageStreamTag", "name": "app:1.0"}, "prod", None),
        ({"kind": "ImageStreamTag", "name": "other:1.0", "namespace": "shop"}, "prod", None),
        ({"kind": "ImageStreamTag", "name": "1.0", "namespace": "shop"}, "shop", None),
        ({"kind": "ImageStreamImage", "name": f"app@{digest(1)}", "namespace": "shop"}, "prod",
         "it is used by ImageStreamTag prod/web:live"),
        ({"kind": "DockerImage", "name": "image-registry.openshift-image-registry.svc:5000/shop/app:1.0"}, "prod",
         "it is used by ImageStreamTag prod/web:live"),
        ({"kind": "DockerImage", "name": "quay.io/shop/app:1.0"}, "prod", None),
    ],
)  # fmt: skip
def test_what_tags_of_other_streams_follow_stays(origin: Mapping[str, Any], home: str, stays: str | None) -> None:
    usage = Usage()
    usage.learn_stream(follower(home, "web", "live", origin))
    found = decide(stream({"1.0": [1], "1.1": [2]}), options(keep=0, last_tag=True), usage, NOW)
    assert gone(found) == ({"1.1"} if stays else {"1.0", "1.1"})
    assert stays is None or why(found, "1.0") == stays


def test_images_that_tags_of_other_streams_point_to_stay() -> None:
    inside = "image-registry.openshift-image-registry.svc:5000"
    items = [{"dockerImageReference": f"{inside}/shop/app@{digest(2)}", "image": digest(2)},
             {"dockerImageReference": f"{inside}/prod/web@{digest(1)}", "image": digest(1)}]  # fmt: skip
    usage = Usage()
    usage.learn_stream(follower("prod", "web", "live", {}, tags=[{"tag": "live", "items": items}]))
    found = decide(stream({"1.0": [1], "1.1": [2], "1.2": [3]}), options(keep=1), usage, NOW)
    assert gone(found) == {"1.0"}


def test_a_tag_that_was_rolled_back_to_its_own_image_is_no_user_of_it() -> None:
    origin = {"kind": "ImageStreamImage", "name": f"app@{digest(1)}"}
    usage = Usage()
    usage.learn_stream(follower("shop", "app", "1.0", origin))
    usage.learn_stream(follower("shop", "app", "1.1", {"kind": "ImageStreamTag", "name": "app:1.1"}))
    assert gone(decide(stream({"1.0": [1], "1.1": [2]}), options(keep=1), usage, NOW)) == {"1.0"}


NAMES = [f"1.{number}" for number in range(5)] + [f"b-{number}" for number in range(4)] + ["staging", "latest"]
HISTORIES = some.dictionaries(
    some.sampled_from(NAMES), some.lists(some.integers(0, 9), min_size=1, max_size=4), min_size=1
)
CHILDREN = some.dictionaries(
    some.integers(1, 9).map(digest), some.frozensets(some.integers(6, 14).map(digest), max_size=3)
)


@given(HISTORIES, CHILDREN, some.sets(some.integers(1, 14)), some.integers(0, 3), some.booleans(), some.integers(1, 9),
       some.none() | some.integers(1, 2), some.sampled_from([None, "1", "b", "latest|b-1"]))  # fmt: skip
def test_whatever_is_used_can_be_pulled_after_a_prune(
    histories: dict[str, list[int]],
    children: dict[str, frozenset[str]],
    used: set[int],
    keep: int,
    last_tag: bool,
    most: int,
    revisions: int | None,
    match: str | None,
) -> None:
    """Every digest in use that could be pulled before can be pulled after, by a history or as the child of an index."""
    usage = Usage(digests={digest(number): "Pod" for number in used})
    tags = stream(histories)
    wanted = options(keep=keep, last_tag=last_tag, revisions=revisions, match=match)
    found = limited(decide(tags, wanted, usage, NOW, children), most)
    trims = history_trims([tags], found, wanted, usage, NOW, {"app": children})
    trimmed = {(trim.tag, event.digest) for trim in trims for event in trim.events}
    before = {one for tag in tags.tags.values() for one in held_images(tag, children)}
    after = set()
    for name in set(histories) - gone(found):
        kept = [number for number in histories[name] if (name, digest(number)) not in trimmed]
        after |= {digest(number) for number in [*histories[name][:1], *kept] if number}
    after |= {child for one in after for child in children.get(one, ())}
    assert {digest(number) for number in used} & before <= after
    staying = {tags.tags[name].digest for name in set(histories) - gone(found)}
    assert not any(tags.tags[name].digest in staying for name in gone(found) if len(gone(found)) < most)
    assert len(gone(found)) <= most
    assert last_tag or gone(found) != set(histories)


def calls(count: int) -> int:
    """Return how many functions are called to plan and report a prune of so many tags in as many streams as ten."""
    zone = ZonePrune("lpg", "shop")
    streams = [
        stream({f"b-{number}": [number + 9, number % 7 + 1] for number in range(count // 10)}, name=f"app{one}")
        for one in range(10)
    ]
    usage = Usage(digests={digest(number): "Pod" for number in range(0, count, 7)})
    wanted = options(keep=3, revisions=1, max_delete=count // 2, match=".")
    made = 0

    def counted(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal made
        made += event == "call"

    sys.setprofile(counted)
    try:
        decisions = [one for each in streams for one in decide(each, wanted, usage, NOW)]
        zone.decisions = tuple(limited(decisions, wanted.max_delete))
        zone.trims = tuple(history_trims(streams, zone.decisions, wanted, usage, NOW))
        assert len(zone.going) == count // 2
        plan = PrunePlan([zone])
        plan.diff()
        plan.predict()
    finally:
        sys.setprofile(None)
    return made


def test_twice_the_tags_are_twice_the_work() -> None:
    assert calls(4000) < 2.5 * calls(2000)
