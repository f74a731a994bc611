# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan tells before anything is done: changes, reasons and differences, never a secret."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._credential import Credential
from ansible_collections.appuio.registry.plugins.module_utils._errors import ForbiddenError
from ansible_collections.appuio.registry.plugins.module_utils._login.plan import LoginPlan, Plan, result_of
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
    with pytest.raises(ForbiddenError) as failed:
        result_of((PLAN, other), several=True)
    assert str(failed.value) == "zone exoscale-ch-gva-2-0: no right to push"
    told: dict[str, Any] = failed.value.result
    assert [zone.get("failed", False) for zone in told["zones"]] == [False, True]
    assert [zone["changed"] for zone in told["zones"]] == [True, False]
    assert told["changed"]


@given(st.text(min_size=8), st.text(min_size=8), st.booleans(), st.booleans())
def test_no_secret_is_told(old: str, new: str, present: bool, several: bool) -> None:
    marked = replace(
        PLAN,
        before=replace(OLD, secret=f"marker-{old}"),
        credential=replace(NEW, secret=f"marker-{new}"),
        present=present,
    )
    assert "marker" not in everything(Plan((marked,), several))
