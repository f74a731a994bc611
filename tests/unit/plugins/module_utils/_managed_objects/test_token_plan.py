# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secrets of a pusher's tokens: the first, the next, and the end of old ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects import objects
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.steps import Steps
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.token_plan import (
    RETIRED,
    plan_no_secret,
    plan_secret,
)
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.tokens import USED, SecretOptions

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def secret(name: str, retired: timedelta | None = None, account: str = "pusher") -> dict[str, Any]:
    """A Secret, retired some time ago."""
    made = objects.token_secret("shop", name, account)
    if retired is not None:
        made["metadata"]["annotations"][RETIRED] = (NOW - retired).strftime("%Y-%m-%dT%H:%M:%SZ")
    return made


def planned(
    found: list[dict[str, Any]], account: dict[str, Any] | None = None, **options: Any
) -> tuple[str, list[str]]:
    plan = Steps()
    name = plan_secret(plan, SecretOptions("shop", "pusher", "token", **options), account, found, NOW)
    assert plan.refused == ""
    return name, steps_of(plan)


def steps_of(plan: Steps) -> list[str]:
    return [f"{step.action} {step.kind} {step.name}" for step in plan.in_order()]


def service_account(ours: bool = True, used: dict[str, int] | None = None) -> dict[str, Any]:
    made = objects.service_account("shop", "pusher")
    if not ours:
        made["metadata"]["labels"] = {}
    made["metadata"]["annotations"] = {} if used is None else {USED: json.dumps(used)}
    return made


@pytest.mark.parametrize(
    ("found", "rotate", "name", "steps"),
    [
        ([], False, "token", ["create Secret token"]),
        ([], True, "token", ["create Secret token"]),
        ([secret("token")], False, "token", []),
        ([secret("token")], True, "token-2", ["create Secret token-2", "retire Secret token"]),
        (
            [secret("token", timedelta(seconds=10)), secret("token-2")],
            True,
            "token-3",
            ["create Secret token-3", "retire Secret token-2"],
        ),
        ([secret("token", timedelta(seconds=59)), secret("token-2")], False, "token-2", []),
        ([secret("token", timedelta(seconds=60)), secret("token-2")], False, "token-2", ["delete Secret token"]),
        ([secret("token-10"), secret("token-9", timedelta(0))], False, "token-10", []),
        ([secret("token", timedelta(0))], False, "token-2", ["create Secret token-2"]),
        ([secret("token-2", account="other"), secret("token-x")], False, "token", ["create Secret token"]),
    ],
)
def test_secret(found: list[dict[str, Any]], rotate: bool, name: str, steps: list[str]) -> None:
    assert planned(found, rotate=rotate, grace=60) == (name, steps)


def test_a_secret_is_retired_in_universal_time() -> None:
    plan = Steps()
    there = timezone(timedelta(hours=2))
    options = SecretOptions("shop", "pusher", "token", rotate=True)
    plan_secret(plan, options, None, [secret("token")], NOW.astimezone(there))
    assert plan.steps[1].definition["metadata"]["annotations"] == {RETIRED: "2026-11-23T12:00:00Z"}


def test_an_annotation_that_is_no_time_does_not_end_a_token() -> None:
    broken = secret("token")
    broken["metadata"]["annotations"][RETIRED] = "yesterday"
    assert planned([broken]) == ("token", [])


def test_removal_takes_every_generation_and_nothing_else() -> None:
    plan = Steps()
    foreign = secret("token-3")
    foreign["metadata"]["labels"] = {}
    found = [secret("token", timedelta(0)), secret("token-2"), foreign, secret("token-4", account="other")]
    plan_no_secret(plan, SecretOptions("shop", "pusher", "token"), None, found, "gone")
    assert steps_of(plan) == ["delete Secret token", "delete Secret token-2"]
    assert "token-3, which was not made by this collection" in plan.left[0]


def test_a_rotation_leaves_a_secret_of_somebody_else_alone_unless_it_is_adopted() -> None:
    foreign = secret("token")
    foreign["metadata"]["labels"] = {}
    plan = Steps()
    options = SecretOptions("shop", "pusher", "token", rotate=True)
    assert plan_secret(plan, options, None, [foreign], NOW) == "token-2"
    assert steps_of(plan) == ["create Secret token-2"]
    assert "token, which was not made by this collection (adopt would retire it)" in plan.left[0]
    again = Steps()
    found = [foreign, secret("token-2")]
    assert plan_secret(again, SecretOptions("shop", "pusher", "token"), None, found, NOW) == "token-2"
    assert again.steps == []
    adopted = Steps()
    plan_secret(adopted, SecretOptions("shop", "pusher", "token", rotate=True, adopt=True), None, [foreign], NOW)
    labels = adopted.steps[1].definition["metadata"]["labels"]
    assert labels == {objects.MANAGED_BY: objects.MANAGER}, "a later run may remove it"


def test_a_numbered_secret_of_somebody_else_is_neither_handed_on_nor_deleted() -> None:
    foreign = secret("token-2")
    foreign["metadata"]["labels"] = {}
    assert planned([secret("token"), foreign]) == ("token", [])
    steps = ["create Secret token-3", "retire Secret token"]
    assert planned([secret("token"), foreign], rotate=True) == ("token-3", steps)
    plan = Steps()
    plan_no_secret(plan, SecretOptions("shop", "pusher", "token"), None, [secret("token"), foreign], "gone")
    assert steps_of(plan) == ["delete Secret token"]
    assert planned([secret("token"), foreign], adopt=True)[0] == "token-2"


def test_the_next_name_of_another_account_is_passed_over() -> None:
    others = secret("token-2", account="other")
    assert planned([secret("token"), others], rotate=True)[0] == "token-3"


@pytest.mark.parametrize(
    ("account", "found", "name", "steps"),
    [
        (
            service_account(used={"token": 1}),
            [],
            "token-2",
            ["annotate ServiceAccount pusher", "create Secret token-2"],
        ),
        (service_account(), [], "token", ["annotate ServiceAccount pusher", "create Secret token"]),
        (service_account(ours=False, used={"token": 4}), [], "token-5", ["create Secret token-5"]),
        (service_account(used={"other": 9}), [], "token", ["annotate ServiceAccount pusher", "create Secret token"]),
        (service_account(used={"token": 1}), [secret("token")], "token", []),
    ],
)
def test_a_name_is_used_once_while_the_account_lives(
    account: dict[str, Any], found: list[Any], name: str, steps: list[str]
) -> None:
    assert planned(found, account) == (name, steps)


@pytest.mark.parametrize("ours", [True, False])
def test_an_account_that_stays_remembers_the_names_of_secrets_that_go(ours: bool) -> None:
    account = service_account(ours)
    plan, options = Steps(), SecretOptions("shop", "pusher", "token")
    plan_no_secret(plan, options, account, [secret("token", timedelta(0)), secret("token-2")], "gone")
    assert steps_of(plan)[0] == "annotate ServiceAccount pusher", "before any of them is gone"
    told = plan.steps[0].definition["metadata"]["annotations"]
    assert json.loads(told[USED]) == {"token": 2}
    account["metadata"]["annotations"] = told
    assert planned([], account)[0] == "token-3"


@pytest.mark.parametrize("written", ["", "{", "[]", '{"token": "many"}', '{"token": -1}', '{"token": 1e9}', "[" * 9999])
def test_an_annotation_that_tells_no_number_tells_none(written: str) -> None:
    account = service_account()
    account["metadata"]["annotations"] = {USED: written}
    assert planned([], account)[0] == "token"


def test_a_retired_secret_that_is_no_longer_ours_is_not_removed() -> None:
    foreign = secret("token", timedelta(days=9))
    foreign["metadata"]["labels"] = {}
    assert planned([foreign, secret("token-2")]) == ("token-2", [])
    assert planned([foreign, secret("token-2")], adopt=True) == ("token-2", ["delete Secret token"])
