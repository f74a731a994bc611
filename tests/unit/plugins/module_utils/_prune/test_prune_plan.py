# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tags go and which stay, and why."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_streams import (
    ImageStream,
    StreamTag,
    TagEvent,
)
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_usage import Usage
from ansible_collections.appuio.registry.plugins.module_utils._prune.names import version_key
from ansible_collections.appuio.registry.plugins.module_utils._prune.options import SPEC, PruneOptions, parse_options
from ansible_collections.appuio.registry.plugins.module_utils._prune.plan import Decision, decide, limited
from hypothesis import given
from hypothesis import strategies as some

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DEFAULTS = {name: rule.get("default") for name, rule in SPEC.options.items()}


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def stream(*tags: tuple[str, int, int], **specs: Any) -> ImageStream:
    """An image stream of tags with the number of their digest and their age in days."""
    made = {
        name: StreamTag(name, (TagEvent(digest(number), NOW - timedelta(days=age)),), specs.get(name))
        for name, number, age in tags
    }
    return ImageStream(name="app", namespace="shop", tags=made)


def wanted(**options: Any) -> PruneOptions:
    return parse_options({**DEFAULTS, **options})


def gone(found: list[Decision]) -> set[str]:
    return {one.tag for one in found if one.goes}


def why(found: list[Decision], tag: str) -> str:
    return next(one.reason for one in found if one.tag == tag)


def test_the_newest_stay() -> None:
    found = decide(stream(("b1", 1, 3), ("b2", 2, 2), ("b3", 3, 1)), wanted(keep=1), Usage(), NOW)
    assert gone(found) == {"b1", "b2"}
    assert why(found, "b3") == "it is one of the 1 newest tags that are no versions"
    assert why(found, "b1") == "there are 2 newer tags that are no versions"


def test_versions_are_counted_by_their_order_and_by_themselves() -> None:
    tags = stream(("1.10.0", 1, 9), ("1.9.0", 2, 1), ("v2.0.0-rc.1", 3, 20), ("v2.0.0", 4, 19), ("main-7", 5, 50))
    found = decide(tags, wanted(keep=2), Usage(), NOW)
    assert gone(found) == {"1.10.0", "1.9.0"}
    assert why(found, "main-7") == "it is one of the 2 newest tags that are no versions"


def test_age_alone_and_both_together() -> None:
    tags = stream(("b1", 1, 40), ("b2", 2, 31), ("b3", 3, 29))
    assert gone(decide(tags, wanted(older_than="30d"), Usage(), NOW)) == {"b1", "b2"}
    assert gone(decide(tags, wanted(older_than="30d", keep=2), Usage(), NOW)) == {"b1"}
    assert gone(decide(tags, wanted(older_than="5w", keep=0), Usage(), NOW)) == {"b1"}


def test_patterns() -> None:
    tags = stream(("pr-1", 1, 9), ("pr-2", 2, 8), ("prod", 3, 90), ("other", 4, 99))
    found = decide(tags, wanted(keep=0, match="^pr", protect="^prod$"), Usage(), NOW)
    assert gone(found) == {"pr-1", "pr-2"}
    assert (why(found, "prod"), why(found, "other")) == ("protect matches", "match does not match")


def test_what_is_used_by_tag_or_digest_stays_and_so_does_what_points_to_the_same() -> None:
    usage = Usage(digests={digest(1): "Pod shop/web"}, tags={("shop", "app", "b2"): "Job shop/once"})
    tags = stream(("b1", 1, 90), ("b11", 1, 91), ("b2", 2, 92), ("b22", 2, 93), ("b3", 3, 94), ("b4", 4, 1))
    found = decide(tags, wanted(keep=1), usage, NOW)
    assert gone(found) == {"b3"}
    assert why(found, "b1") == why(found, "b11") == "it is used by Pod shop/web"
    assert why(found, "b22") == "it points to the same image as b2, which stays"


def test_what_is_protected_saves_other_names_of_the_same_image() -> None:
    found = decide(stream(("1.0", 1, 90), ("old-1", 1, 90), ("x-2", 2, 1)), wanted(keep=0, protect="^1"), Usage(), NOW)
    assert gone(found) == {"x-2"}


def test_tags_that_follow_and_are_followed_stay() -> None:
    follower = {"from": {"kind": "ImageStreamTag", "name": "app:1.0"}}
    base = {"from": {"kind": "DockerImage", "name": "x.io/base"}, "importPolicy": {"scheduled": True}}
    tags = stream(("1.0", 1, 9), ("prod", 2, 9), ("base", 3, 9), ("rest-1", 4, 9), prod=follower, base=base)
    usage = Usage()
    usage.learn_stream(
        {"metadata": {"name": "app", "namespace": "shop"}, "spec": {"tags": [{"name": "prod", **follower}]}}
    )
    found = decide(tags, wanted(keep=0), usage, NOW)
    assert gone(found) == {"rest-1"}
    assert why(found, "1.0") == "it is followed by the tag prod"


def test_the_last_tag_goes_only_when_told_to() -> None:
    tags = stream(("b1", 1, 9), ("b2", 2, 8))
    assert gone(decide(tags, wanted(keep=0), Usage(), NOW)) == {"b1"}
    assert gone(decide(tags, wanted(keep=0, last_tag=True), Usage(), NOW)) == {"b1", "b2"}


def test_at_most_so_many_the_oldest_first() -> None:
    found = limited(decide(stream(*((f"t{age}", age, age) for age in range(1, 6))), wanted(keep=1), Usage(), NOW), 2)
    assert gone(found) == {"t5", "t4"}
    assert why(found, "t2") == "max_delete is 2, so it goes in a later run"


def test_thousands_of_tags_in_little_memory() -> None:
    tags = stream(*((f"build-{number}", number, number % 900) for number in range(5000)))
    tracemalloc.start()
    found = limited(decide(tags, wanted(keep=10, older_than="30d"), Usage(), NOW), 50)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(gone(found)) == 50
    assert peak < 8 * 1024 * 1024


@given(some.lists(some.tuples(some.sampled_from("abcdefgh"), some.integers(1, 4), some.integers(0, 60)),
                  unique_by=lambda tag: tag[0], min_size=1),
       some.integers(0, 5), some.sets(some.integers(1, 4)))  # fmt: skip
def test_nothing_that_is_used_ever_goes(tags: list[tuple[str, int, int]], keep: int, used: set[int]) -> None:
    usage = Usage(digests={digest(number): "Pod" for number in used})
    made = stream(*tags)
    going = gone(decide(made, wanted(keep=keep), usage, NOW))
    assert not any(made.tags[tag].digest in usage.digests for tag in going)
    assert len(going) < len(tags)


@pytest.mark.parametrize(
    "options",
    [{"keep": -1}, {"older_than": "soon"}, {"older_than": "3 months"}, {"keep": 1, "match": "("},
     {"keep": 1, "protect": "["}, {"keep": 1, "max_delete": 0}, {"keep": 1, "name": "a/b"},
     {"keep": 1, "workload_namespaces": ["A"]}],
)  # fmt: skip
def test_what_cannot_be_meant(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionError):
        wanted(**options)


def test_versions_in_their_order() -> None:
    order = ["1.0.0-2", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "v1", "1.2", "1.10.3", "2.0.0"]
    keys = [key for key in map(version_key, order) if key is not None]
    assert len(keys) == len(order)
    assert keys == sorted(keys)
    assert version_key("main") is version_key("1.2.3.4") is version_key("sha-1.2") is None
