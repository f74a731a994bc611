# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is planned for a bound token and for Secrets, and what is told of it without giving the token away."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects import objects
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.token_plan import RETIRED
from ansible_collections.appuio.registry.plugins.module_utils._targets import Target
from ansible_collections.appuio.registry.plugins.module_utils._token.options import TokenOptions
from ansible_collections.appuio.registry.plugins.module_utils._token.plan import (
    TokenPlan,
    plan_of_bound,
    plan_of_secret,
)
from ansible_collections.appuio.registry.plugins.module_utils._zone import Zone
from ansible_collections.appuio.registry.plugins.module_utils._zones.fanout import ZoneOutcome
from ansible_collections.appuio.registry.plugins.module_utils._zones.zone_plans import ZonePlans

NOW = 1_795_000_000.0
WANTED = TokenOptions(Target(Zone("lpg-2", None, "https://api"), "shop", {}), "shop", "pusher", "token")
SUBJECT = "system:serviceaccount:shop:pusher"
ACCOUNT = {"metadata": {"name": "pusher", "uid": "u1"}}


def jwt(made: float, ends: float | None, sub: str = SUBJECT, uid: str = "u1") -> str:
    held: dict[str, Any] = {"sub": sub, "iat": made, "kubernetes.io": {"serviceaccount": {"uid": uid}}}
    body = {**held, "exp": ends} if ends else held
    return f"e30.{base64.urlsafe_b64encode(json.dumps(body).encode()).rstrip(b'=').decode()}.sig"


def secret(name: str, retired: str = "", ours: bool = True) -> dict[str, Any]:
    made = objects.token_secret("shop", name, "pusher")
    if retired:
        made["metadata"]["annotations"][RETIRED] = retired
    if not ours:
        made["metadata"].pop("labels")
    return made


@pytest.mark.parametrize(
    ("current", "state", "account", "reason"),
    [
        (jwt(NOW - 400, NOW + 600), "present", ACCOUNT, ""),
        (jwt(NOW - 400, NOW + 600), "present", None, ""),
        (jwt(NOW - 500, NOW + 500), "present", ACCOUNT, "past half of its life"),
        (jwt(NOW - 400, NOW + 600), "rotated", ACCOUNT, "a rotation is asked for"),
        (None, "present", ACCOUNT, "none is at hand"),
        (jwt(NOW, NOW + 600, sub="system:serviceaccount:shop:other"), "present", ACCOUNT, "of somebody else"),
        (jwt(NOW, NOW + 600, sub="system:serviceaccount:other:pusher"), "present", ACCOUNT, "of somebody else"),
        (jwt(NOW, NOW + 600, uid="u0"), "present", ACCOUNT, "made anew"),
        (jwt(NOW, NOW + 600, uid="u0"), "present", None, ""),
        (jwt(NOW, None), "present", ACCOUNT, "does not end"),
        ("sha256~of-a-user", "present", ACCOUNT, "of somebody else"),
    ],
)
def test_a_bound_token_is_kept_for_half_of_its_life(current: str | None, state: str, account: Any, reason: str) -> None:
    planned = plan_of_bound(replace(WANTED, kind="bound", current_token=current, state=state), account, NOW)
    assert reason in planned.renew
    assert planned.changed == bool(reason)
    assert planned.token == (None if reason else current)
    if current:
        assert current not in planned.message() + repr(planned) + str(planned.diffs("lpg-2"))


def test_secrets_before_and_after_a_rotation() -> None:
    found = [secret("token", "2026-01-01T00:00:00Z"), secret("token-2")]
    planned = plan_of_secret(replace(WANTED, state="rotated"), None, found, NOW)
    (diff,) = planned.diffs("lpg-2")
    assert diff["before"] == "token: replaced at 2026-01-01T00:00:00Z\ntoken-2: holds the token\n"
    assert diff["after"] == "token-2: replaced at 2026-11-18T11:06:40Z\ntoken-3: holds the token\n"
    told = planned.result()
    assert told["secret_name"] == "token-3"
    assert told["retired"] == [
        {
            "secret_name": "token-2",
            "retired_at": "2026-11-18T11:06:40Z",
            "removed_after": "2026-11-18T12:06:40Z",
        }
    ]


def test_a_secret_of_somebody_else_is_left_alone_unless_adopted() -> None:
    found = [secret("token", ours=False)]
    rotated = plan_of_secret(replace(WANTED, state="rotated"), None, found, NOW)
    assert [str(step).partition(":")[0] for step in rotated.steps.steps] == ["create Secret token-2"]
    assert "Secret token, which was not made by this collection (adopt would retire it)" in rotated.result()["left"]
    absent = plan_of_secret(replace(WANTED, state="absent"), None, found, NOW)
    assert not absent.changed
    assert "(adopt would delete it)" in absent.result()["left"][0]
    adopted = plan_of_secret(replace(WANTED, state="rotated", adopt=True), None, found, NOW)
    assert adopted.steps.steps[1].definition["metadata"]["labels"] == {objects.MANAGED_BY: objects.MANAGER}


def test_what_is_told_when_nothing_is_to_be_done() -> None:
    assert plan_of_secret(WANTED, None, [secret("token")], NOW).message() == (
        "Secret token holds the token of service account shop/pusher"
    )
    assert (
        "has no Secret with a token to delete"
        in plan_of_secret(replace(WANTED, state="absent"), None, [], NOW).message()
    )


def test_a_zone_that_fails_does_not_hide_the_others() -> None:
    kept = replace(plan_of_secret(WANTED, None, [secret("token")], NOW), token="the-token")
    failed: ZoneOutcome[TokenPlan] = ZoneOutcome("lpg-3", None, AppuioError("it is down", zone="lpg-3"))
    with pytest.raises(AppuioError) as caught:
        ZonePlans([ZoneOutcome("lpg-2", kept), failed], several=True).predict()
    assert str(caught.value) == "zone lpg-3: it is down"
    zones = caught.value.result["zones"]
    assert [zone.get("token") for zone in zones] == [None, None], "failures are printed"
    assert (zones[1]["failed"], zones[1]["error"]) == (True, "zone lpg-3: it is down")


def test_every_zone_that_fails_is_named() -> None:
    outcomes: list[ZoneOutcome[TokenPlan]] = [
        ZoneOutcome(name, None, AppuioError("it is down", zone=name)) for name in ("lpg-2", "lpg-3")
    ]
    with pytest.raises(AppuioError, match=r"^2 of 2 zones failed: zone lpg-2: it is down \| zone lpg-3: it is down"):
        ZonePlans(outcomes, several=True).predict()
