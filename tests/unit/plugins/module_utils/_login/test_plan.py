# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan tells before anything is done: changes, reasons and differences, never a secret."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, ForbiddenError
from ansible_collections.appuio.registry.plugins.module_utils._login.plan import LoginPlan, Plan, result_of
from ansible_collections.appuio.registry.plugins.module_utils._targets import Credential
from hypothesis import given
from hypothesis import strategies as st

OLD = Credential("old-marker", "jane")
NEW = Credential("new-marker", "serviceaccount")
PLAN = LoginPlan(
    "cloudscale-lpg-2",
    "registry.example.com",
    "/home/jane/.docker/config.json",
    "file",
    True,
    before=OLD,
    credential=NEW,
    username="serviceaccount",
    reasons=("another credential is stored",),
    expires_at=1795512600.0,
)


def everything(plan: Plan) -> str:
    return json.dumps([plan.predict(), plan.diff()]) + repr(plan)


def test_a_change() -> None:
    plan = Plan((PLAN,))
    told = plan.predict()
    assert plan.changed
    assert told["changed"]
    assert told["msg"] == "Logged in to registry.example.com: another credential is stored"
    assert told["expires_at"] == "2026-11-24T09:30:00Z"
    assert "zone" not in told
    assert plan.diff()["before"] == "registry: registry.example.com\nusername: jane\nsecret: the one that is stored\n"
    assert "secret: another\nexpires_at: 2026-11-24T09:30:00Z\n" in plan.diff()["after"]


def test_nothing_to_do() -> None:
    plan = Plan((replace(PLAN, reasons=(), credential=OLD),))
    assert not plan.changed
    assert plan.predict()["msg"] == "Already logged in to registry.example.com"
    assert plan.diff() is None


def test_logging_out() -> None:
    plan = Plan((replace(PLAN, present=False, credential=None, reasons=("a credential was stored",)),))
    assert plan.predict()["msg"] == "Logged out of registry.example.com: a credential was stored"
    assert plan.diff()["after"] == ""
    assert Plan((replace(PLAN, present=False, reasons=()),)).predict()["msg"] == "Not logged in to registry.example.com"


def test_a_zone_that_fails_comes_with_the_results_of_the_others() -> None:
    other = replace(PLAN, zone="exoscale-ch-gva-2-0").failed(ForbiddenError("no right to push"))
    with pytest.raises(AppuioError) as failed:
        result_of((PLAN, other), several=True)
    assert str(failed.value) == "zone exoscale-ch-gva-2-0: no right to push"
    told: dict[str, Any] = failed.value.result
    assert [zone.get("failed", False) for zone in told["zones"]] == [False, True]
    assert [zone["changed"] for zone in told["zones"]] == [True, False]
    assert told["changed"]


def test_every_zone_that_fails_is_named() -> None:
    plans = [replace(PLAN, zone=f"zone-{number}").failed(ForbiddenError(f"no {number}")) for number in (1, 2)]
    with pytest.raises(AppuioError) as failed:
        result_of((*plans, PLAN), several=True)
    assert str(failed.value) == "2 of 3 zones failed: zone zone-1: no 1 | zone zone-2: no 2"
    assert [zone.get("error") for zone in failed.value.result["zones"]] == [
        "zone zone-1: no 1",
        "zone zone-2: no 2",
        None,
    ]


def test_one_zone_fails_with_its_own_error() -> None:
    with pytest.raises(ForbiddenError, match="zone cloudscale-lpg-2: no right to push"):
        result_of((PLAN.failed(ForbiddenError("no right to push")),), several=False)


def test_what_was_not_revoked_is_told() -> None:
    remark = "the token of the service account image-pusher was not revoked: it is good until its Secret is deleted"
    plan = replace(PLAN, present=False, reasons=("a credential was stored",), remarks=(remark,))
    assert Plan((plan,)).predict()["msg"] == f"Logged out of registry.example.com: a credential was stored; {remark}"


@given(st.text(min_size=8), st.text(min_size=8), st.booleans(), st.booleans())
def test_no_secret_is_told(old: str, new: str, present: bool, several: bool) -> None:
    marked = replace(
        PLAN,
        before=OLD._replace(secret=f"marker-{old}"),
        credential=NEW._replace(secret=f"marker-{new}"),
        present=present,
    )
    assert "marker" not in everything(Plan((marked,), several))
