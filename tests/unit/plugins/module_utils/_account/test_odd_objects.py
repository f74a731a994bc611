# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the API answers, a plan is made of it, or the reason told why there is none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ansible_collections.appuio.registry.plugins.module_utils._access.plan import (
    AccessOptions,
    AccessState,
    PullSecret,
    plan_access,
)
from ansible_collections.appuio.registry.plugins.module_utils._account.account import AccountOptions
from ansible_collections.appuio.registry.plugins.module_utils._account.plan import AccountState, plan_objects
from ansible_collections.appuio.registry.plugins.module_utils._account.result import AccountPlan
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.objects import (
    BOUND_ACCOUNT,
    MANAGED_BY,
    MANAGER,
    SECRET_ACCOUNT,
    TOKEN_SECRET,
    normalised,
)
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.token_plan import RETIRED
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.tokens import USED, token_of_secret
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SUBJECT = {"kind": "ServiceAccount", "name": "image-pusher", "namespace": "shop"}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["image-pusher", "image-pusher-secret", "image-pusher-secret-2", "image-pusher-view", "from"])
ANNOTATIONS = {
    USED: ANYTHING | st.text(max_size=20),
    RETIRED: st.just("2026-01-01T00:00:00Z") | ANYTHING,
    SECRET_ACCOUNT: st.just("image-pusher") | ANYTHING,
    BOUND_ACCOUNT: st.just("image-pusher") | ANYTHING,
}
METADATA = st.fixed_dictionaries(
    {"name": NAMES | ANYTHING},
    optional={
        "labels": st.just({MANAGED_BY: MANAGER}) | ANYTHING,
        "annotations": st.fixed_dictionaries({}, optional=ANNOTATIONS) | ANYTHING,
        "uid": ANYTHING,
    },
)
OBJECTS = st.lists(
    st.fixed_dictionaries(
        {"metadata": METADATA | ANYTHING},
        optional={
            "type": st.just(TOKEN_SECRET) | ANYTHING,
            "data": st.dictionaries(st.sampled_from(["token", ".dockerconfigjson"]), ANYTHING) | ANYTHING,
            "roleRef": st.just({"kind": "ClusterRole", "name": "view"}) | ANYTHING,
            "subjects": st.lists(st.just(SUBJECT) | ANYTHING, max_size=3) | ANYTHING,
            "imagePullSecrets": st.lists(st.just({"name": "from"}) | ANYTHING, max_size=2) | ANYTHING,
        },
    )
    | ANYTHING,
    max_size=4,
)


def read(found: Any) -> list[Any]:
    return [one for one in map(normalised, found) if one is not None]


@given(OBJECTS, OBJECTS, OBJECTS, st.booleans(), st.booleans(), st.sampled_from(["present", "absent"]))
def test_accounts(account: Any, secrets: Any, bindings: Any, adopt: bool, rotate: bool, state: str) -> None:
    wanted = AccountOptions("shop", role="view", adopt=adopt, rotate=rotate, state=state)
    found = AccountState((read(account) or [None])[0], read(secrets), read(bindings))
    made = AccountPlan(wanted, plan_objects(wanted, found, NOW), found)
    assert made.result()["changed"] == bool(made.diffs("zone"))
    assert all(isinstance(token_of_secret(secret), str) for secret in found.secrets)


@given(OBJECTS, OBJECTS, OBJECTS, st.booleans())
def test_access(accounts: Any, secrets: Any, bindings: Any, exclusive: bool) -> None:
    wanted = AccessOptions(
        "shop",
        {"view": "viewers"},
        {"view": [{"kind": "User", "name": "ada"}]},
        [PullSecret("from", {"ghcr.io": {"auth": "x"}})],
        exclusive,
    )
    steps = plan_access(wanted, AccessState(read(bindings), read(secrets), read(accounts)))
    assert steps.refused or all(str(step) for step in steps.in_order())
