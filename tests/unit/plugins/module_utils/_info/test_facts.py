# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In what zones differ, and what of the quota is left."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._info.facts import (
    Answers,
    RepositoryFacts,
    TagFacts,
    ZoneFacts,
    compared,
    quota_facts,
)
from ansible_collections.appuio.registry.plugins.module_utils._info.options import question_from
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_streams import StreamTag, TagEvent
from ansible_collections.appuio.registry.plugins.module_utils._openshift.quota import Allowance
from ansible_collections.appuio.registry.plugins.module_utils._registry.image_reader import ImageDetails

A, B = (f"sha256:{letter * 64}" for letter in "ab")
THEN = datetime(2026, 11, 23, 8, 10, 30, tzinfo=timezone.utc)  # noqa: UP017


def zone(name: str, error: AppuioError | None = None, **tags: str | None) -> ZoneFacts:
    facts = tuple(TagFacts(tag, digest) for tag, digest in tags.items())
    repositories = (RepositoryFacts("app", facts),) if tags else ()
    return ZoneFacts(name, f"{name}.example", "shop", "api", repositories, error=error)


@pytest.mark.parametrize(
    ("zones", "in_sync", "drift"),
    [
        ([zone("one", x=A), zone("two", x=A)], True, {}),
        ([zone("one"), zone("two")], True, {}),
        ([zone("one", x=A), zone("two", x=B)], False, {"x": {"one": A, "two": B}}),
        ([zone("one", x=A, y=B), zone("two", x=A)], False, {"y": {"one": B, "two": None}}),
        ([zone("one", x=A), zone("two", AppuioError("down"))], None, {}),
        (
            [zone("one", x=A), zone("two", AppuioError("down")), zone("three", x=B)],
            False,
            {"x": {"one": A, "three": B}},
        ),
    ],
)
def test_in_what_zones_differ(zones: list[ZoneFacts], in_sync: bool | None, drift: dict[str, Any]) -> None:
    found = compared(zones)
    assert found["in_sync"] is in_sync
    assert {one["tag"]: one["digests"] for one in found["drift"]} == drift


def test_a_zone_that_failed_hides_no_other() -> None:
    answers = Answers((zone("one", x=A), zone("two", AppuioError("down", zone="two"))), several=True)
    with pytest.raises(AppuioError, match="zone two: down") as caught:
        answers.predict()
    one, two = caught.value.result["zones"]
    assert (one["failed"], one["exists"], len(one["tags"])) == (False, True, 1)
    assert (two["failed"], two["exists"], two["tags"]) == (True, None, [])
    assert "in_sync" not in Answers((zone("one", x=A),), several=False).predict()


def test_a_tag_as_it_is_told() -> None:
    history = (TagEvent(A, THEN, f"internal/shop/app@{A}"), TagEvent(B, THEN))
    details = ImageDetails(A, "application/vnd.oci.image.manifest.v1+json", 42, ("linux/amd64",), B)
    tag = TagFacts.of_stream(StreamTag("x", history)).with_details(details)
    facts = ZoneFacts("one", "r.example", "shop", "api", (RepositoryFacts("app", (tag,), THEN),))
    (told,) = facts.told()["tags"]
    assert told["reference_digest"] == f"r.example/shop/app@{A}"
    assert (told["created"], told["size"], told["platforms"]) == ("2026-11-23T08:10:30Z", 42, ["linux/amd64"])
    assert [(one["revision"], one["digest"]) for one in told["history"]] == [(0, A), (1, B)]
    never = ZoneFacts("one", "r.example", "shop", "api", (RepositoryFacts("app", (TagFacts("y", None),)),)).told()
    assert [never["tags"][0][name] for name in ("digest", "reference_digest", "created", "size", "history")] == [
        None
    ] * 5


@pytest.mark.parametrize(
    ("found", "counted", "told"),
    [
        ([], {"imagestreams": 3}, (3, None, None, None)),
        ([Allowance("q", "imagestreams", 20, 7)], {}, (7, 20, 13, "q")),
        ([Allowance("q", "imagestreams", 20, None)], {"imagestreams": 3}, (3, 20, 17, "q")),
        ([Allowance("q", "imagestreams", 20, 7), Allowance("less", "imagestreams", 5, 7)], {}, (7, 5, 0, "less")),
        ([Allowance("q", "secrets", 20, 7)], {}, (None, None, None, None)),
    ],
)
def test_what_the_quota_leaves(found: list[Allowance], counted: dict[str, int], told: tuple[Any, ...]) -> None:
    quota = quota_facts(found, counted)["imagestreams"].told()
    assert tuple(quota[name] for name in ("used", "allowed", "left", "quota")) == told


def test_what_can_be_asked() -> None:
    question = question_from({"name": "app", "tags": ["x", "x"], "jobs": "2", "details": False})
    assert (question.tags, question.jobs, question.details) == (("x",), 2, False)
    assert question.asks_for("x")
    assert not question.asks_for("y")
    assert question_from({"jobs": 1}).asks_for("y")
    for wrong in ({"jobs": 0}, {"jobs": 1, "name": "a/b"}, {"jobs": 1, "tags": ["a b"]}):
        with pytest.raises(InvalidOptionError):
            question_from(wrong)
