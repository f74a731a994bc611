# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In what zones differ, and what of the quota is left."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    ForbiddenError,
    InvalidOptionError,
    MissingLibraryError,
)
from ansible_collections.appuio.registry.plugins.module_utils._info.options import parse_options
from ansible_collections.appuio.registry.plugins.module_utils._info.result import (
    InfoPlan,
    RepositoryInfo,
    TagInfo,
    ZoneInfo,
    compared,
    quota_info,
)
from ansible_collections.appuio.registry.plugins.module_utils._info.task import info_task
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_streams import (
    StreamTag,
    TagEvent,
    get_stream,
    list_streams,
)
from ansible_collections.appuio.registry.plugins.module_utils._openshift.quota import Allowance
from ansible_collections.appuio.registry.plugins.module_utils._registry.image_reader import ImageDetails
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext

from tests.unit.plugins.module_utils.scripted_api import refusal, scripted_api

A, B = (f"sha256:{letter * 64}" for letter in "ab")
THEN = datetime(2026, 11, 23, 8, 10, 30, tzinfo=timezone.utc)  # noqa: UP017


def zone(name: str, error: AppuioError | None = None, **tags: str | None) -> ZoneInfo:
    tags_info = tuple(TagInfo(tag, digest) for tag, digest in tags.items())
    repositories = (RepositoryInfo("app", tags_info),) if tags else ()
    return ZoneInfo(name, f"{name}.example", "shop", "api", repositories, error=error)


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
def test_in_what_zones_differ(zones: list[ZoneInfo], in_sync: bool | None, drift: dict[str, Any]) -> None:
    found = compared(zones)
    assert found["in_sync"] is in_sync
    assert {one["tag"]: one["digests"] for one in found["drift"]} == drift


def test_a_zone_that_failed_hides_no_other() -> None:
    answers = InfoPlan((zone("one", x=A), zone("two", AppuioError("down", zone="two"))), several=True)
    with pytest.raises(AppuioError, match="zone two: down") as caught:
        answers.predict()
    one, two = caught.value.result["zones"]
    assert (one["failed"], one["exists"], len(one["tags"])) == (False, True, 1)
    assert (two["failed"], two["exists"], two["tags"]) == (True, None, [])
    assert "in_sync" not in InfoPlan((zone("one", x=A),), several=False).predict()


def test_a_tag_in_the_result() -> None:
    history = (TagEvent(A, THEN, f"internal/shop/app@{A}"), TagEvent(B, THEN))
    details = ImageDetails(A, "application/vnd.oci.image.manifest.v1+json", 42, ("linux/amd64",), B)
    tag = TagInfo.of_stream(StreamTag("x", history)).with_details(details)
    info = ZoneInfo("one", "r.example", "shop", "api", (RepositoryInfo("app", (tag,), THEN),))
    (result,) = info.result()["tags"]
    assert result["reference_digest"] == f"r.example/shop/app@{A}"
    assert (result["created"], result["size"], result["platforms"]) == ("2026-11-23T08:10:30Z", 42, ["linux/amd64"])
    assert [(one["revision"], one["digest"]) for one in result["history"]] == [(0, A), (1, B)]
    never = ZoneInfo("one", "r.example", "shop", "api", (RepositoryInfo("app", (TagInfo("y", None),)),)).result()
    assert [never["tags"][0][name] for name in ("digest", "reference_digest", "created", "size", "history")] == [
        None
    ] * 5


@pytest.mark.parametrize(
    ("found", "counted", "expected"),
    [
        ([], {"imagestreams": 3}, (3, None, None, None)),
        ([Allowance("q", "imagestreams", 20, 7)], {}, (7, 20, 13, "q")),
        ([Allowance("q", "imagestreams", 20, None)], {"imagestreams": 3}, (3, 20, 17, "q")),
        ([Allowance("q", "imagestreams", 20, 7), Allowance("less", "imagestreams", 5, 7)], {}, (7, 5, 0, "less")),
        ([Allowance("q", "secrets", 20, 7)], {}, (None, None, None, None)),
    ],
)
def test_what_the_quota_leaves(found: list[Allowance], counted: dict[str, int], expected: tuple[Any, ...]) -> None:
    quota = quota_info(found, counted)["imagestreams"].result()
    assert tuple(quota[name] for name in ("used", "allowed", "left", "quota")) == expected


def plan(query: str | None = None) -> InfoPlan:
    asked = parse_options({"jobs": 1, "query": query})
    return InfoPlan((zone("one", x=A), zone("two", x=B)), several=True, query=asked.query)


@pytest.mark.parametrize(
    ("query", "queried"),
    [
        ("zones[].tags[].digest", [A, B]),
        ("in_sync", False),
        ("drift[0].digests.two", B),
        ("nothing.there", None),
        ("length(zones)", 2),
    ],
)
def test_a_query_over_the_result(query: str, queried: Any) -> None:
    assert plan(query).predict()["queried"] == queried
    assert "queried" not in plan().predict()


@pytest.mark.parametrize("query", ["zones[", "zones[?", "unknown(", "@@", "'open", "a" * 3 + "[" * 2000])
def test_a_query_that_is_no_expression_is_refused_before_anybody_is_asked(query: str) -> None:
    with pytest.raises(InvalidOptionError, match=r"^query .* is no JMESPath expression") as caught:
        info_task({"zone": "lpg", "namespace": "shop", "token": "t", "jobs": 1, "query": query}, RunContext())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("query", ["length(in_sync)", "unknown(zones)", "sum(zones)", "zones[].tags[].sum(tag)"])
def test_a_query_that_does_not_fit_comes_with_the_result(query: str) -> None:
    with pytest.raises(InvalidOptionError, match=r"^query .* does not fit the result: ") as caught:
        plan(query).predict()
    assert len(caught.value.result["zones"]) == 2


def test_a_query_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jmespath", None)
    with pytest.raises(MissingLibraryError) as caught:
        parse_options({"jobs": 1, "query": "zones"})
    assert (caught.value.library, caught.value.reason) == ("jmespath", "for the option query")
    assert parse_options({"jobs": 1, "query": None}).query is None


def test_a_namespace_that_may_not_exist_is_told() -> None:
    for name in (None, "app"):
        api, _script = scripted_api(("GET", refusal(403, "forbidden")))
        with pytest.raises(ForbiddenError, match=r"The namespace shpo may not exist, or the credential has no right"):
            get_stream(api, "shpo", name) if name else list(list_streams(api, "shpo"))


def test_what_can_be_asked() -> None:
    asked = parse_options({"name": "app", "tags": ["x", "x"], "jobs": "2", "details": False})
    assert (asked.tags, asked.jobs, asked.details) == (("x",), 2, False)
    assert asked.asks_for("x")
    assert not asked.asks_for("y")
    assert parse_options({"jobs": 1}).asks_for("y")
    for wrong in ({"jobs": 0}, {"jobs": 1, "name": "a/b"}, {"jobs": 1, "tags": ["a b"]}):
        with pytest.raises(InvalidOptionError):
            parse_options(wrong)
