# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secrets of a pusher's tokens: the first, the next, and the end of old ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._openshift import objects
from ansible_collections.appuio.registry.plugins.module_utils._openshift.steps import Steps
from ansible_collections.appuio.registry.plugins.module_utils._openshift.token_plan import (
    RETIRED,
    TokenWish,
    plan_no_secret,
    plan_secret,
)

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def secret(name: str, retired: timedelta | None = None, account: str = "pusher") -> dict[str, Any]:
    """A Secret, retired some time ago."""
    made = objects.token_secret("shop", name, account)
    if retired is not None:
        made["metadata"]["annotations"][RETIRED] = (NOW - retired).strftime("%Y-%m-%dT%H:%M:%SZ")
    return made


def planned(found: list[dict[str, Any]], **options: Any) -> tuple[str, list[str]]:
    plan = Steps()
    name = plan_secret(plan, TokenWish("shop", "pusher", "token", **options), found, NOW)
    assert plan.refused == ""
    return name, [step.partition(":")[0] for step in plan.steps]


@pytest.mark.parametrize(
    ("found", "rotate", "name", "steps"),
    [
        ([], False, "token", ["make Secret token"]),
        ([], True, "token", ["make Secret token"]),
        ([secret("token")], False, "token", []),
        ([secret("token")], True, "token-2", ["make Secret token-2", "retire Secret token"]),
        (
            [secret("token", timedelta(seconds=10)), secret("token-2")],
            True,
            "token-3",
            ["make Secret token-3", "retire Secret token-2"],
        ),
        ([secret("token", timedelta(seconds=59)), secret("token-2")], False, "token-2", []),
        ([secret("token", timedelta(seconds=60)), secret("token-2")], False, "token-2", ["delete Secret token"]),
        ([secret("token-10"), secret("token-9", timedelta(0))], False, "token-10", []),
        ([secret("token", timedelta(0))], False, "token-2", ["make Secret token-2"]),
        ([secret("token-2", account="other"), secret("token-x")], False, "token", ["make Secret token"]),
    ],
)
def test_secret(found: list[dict[str, Any]], rotate: bool, name: str, steps: list[str]) -> None:
    assert planned(found, rotate=rotate, grace=60) == (name, steps)


def test_a_secret_is_retired_in_universal_time() -> None:
    plan = Steps()
    there = timezone(timedelta(hours=2))
    plan_secret(plan, TokenWish("shop", "pusher", "token", rotate=True), [secret("token")], NOW.astimezone(there))
    assert plan.put[1]["metadata"]["annotations"] == {RETIRED: "2026-11-23T12:00:00Z"}


def test_an_annotation_that_is_no_time_does_not_end_a_token() -> None:
    broken = secret("token")
    broken["metadata"]["annotations"][RETIRED] = "yesterday"
    assert planned([broken]) == ("token", [])


def test_removal_takes_every_generation_and_nothing_else() -> None:
    plan = Steps()
    foreign = secret("token-3")
    foreign["metadata"]["labels"] = {}
    found = [secret("token", timedelta(0)), secret("token-2"), foreign, secret("token-4", account="other")]
    plan_no_secret(plan, TokenWish("shop", "pusher", "token"), found, "gone")
    assert [one["metadata"]["name"] for one in plan.remove] == ["token", "token-2"]
    assert "token-3, which was not made by this collection" in plan.left[0]


def test_a_rotation_leaves_a_secret_of_somebody_else_alone_unless_it_is_adopted() -> None:
    foreign = secret("token")
    foreign["metadata"]["labels"] = {}
    plan = Steps()
    assert plan_secret(plan, TokenWish("shop", "pusher", "token", rotate=True), [foreign], NOW) == "token-2"
    assert [put["metadata"]["name"] for put in plan.put] == ["token-2"]
    assert "token, which was not made by this collection (image_pusher_adopt would retire it)" in plan.left[0]
    again = Steps()
    found = [foreign, secret("token-2")]
    assert plan_secret(again, TokenWish("shop", "pusher", "token"), found, NOW) == "token-2"
    assert again.steps == []
    adopted = Steps()
    plan_secret(adopted, TokenWish("shop", "pusher", "token", rotate=True, adopt=True), [foreign], NOW)
    assert adopted.put[1]["metadata"]["labels"] == {objects.MANAGED_BY: objects.MANAGER}, "a later run may remove it"


def test_a_retired_secret_that_is_no_longer_ours_is_not_removed() -> None:
    foreign = secret("token", timedelta(days=9))
    foreign["metadata"]["labels"] = {}
    assert planned([foreign, secret("token-2")]) == ("token-2", [])
    assert planned([foreign, secret("token-2")], adopt=True) == ("token-2", ["delete Secret token"])
