# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a namespace's access: who may pull and push, and with which pull Secrets."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._access.plan import (
    AccessOptions,
    AccessState,
    PullSecret,
    plan_access,
)
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects import objects
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.steps import (
    CHANGE,
    CREATE,
    DELETE,
    Steps,
)

NAMES = {"registry-viewer": "registry-viewers", "registry-editor": "registry-editors"}
ADA = {"kind": "User", "name": "ada"}
BOB = {"kind": "User", "name": "bob"}
CI = {"kind": "ServiceAccount", "name": "ci", "namespace": "build"}
HERE = {"kind": "ServiceAccount", "name": "app"}
AUTHS = {"registry.example.com": {"auth": "dTpw"}}


def as_subject(given: dict[str, str]) -> dict[str, str]:
    if given["kind"] == "ServiceAccount":
        return {"namespace": "shop", **given}
    return {"apiGroup": "rbac.authorization.k8s.io", **given}


def binding(name: str, role: str, *subjects: dict[str, str], ours: bool = True) -> dict[str, Any]:
    made = objects.role_binding("shop", name, role, [as_subject(one) for one in subjects])
    made["metadata"]["resourceVersion"] = "3"
    if not ours:
        made["metadata"]["labels"] = {}
    return made


def account(name: str, *secrets: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop"}, "imagePullSecrets": [{"name": one} for one in secrets]}


def plan(found: AccessState, **options: Any) -> Steps:
    wanted: dict[str, Any] = {"namespace": "shop", "bindings": NAMES, "subjects": {}, **options}
    return plan_access(AccessOptions(**wanted), found)


def put(made: Steps, secret: bool = False) -> list[dict[str, Any]]:
    """Return what is created or changed, of Secrets with content or of all others."""
    steps = [step for step in made.in_order() if step.verb in (CREATE, CHANGE)]
    return [step.definition for step in steps if bool(step.definition.get("data")) == secret]


def removed(made: Steps) -> list[dict[str, Any]]:
    """Return what is deleted."""
    return [step.definition for step in made.of(DELETE)]


def subjects(made: Steps) -> dict[str, list[str]]:
    return {one["metadata"]["name"]: [by["name"] for by in one["subjects"]] for one in put(made)}


@pytest.mark.parametrize(
    ("bindings", "editors", "exclusive", "granted", "ended"),
    [
        pytest.param([], [ADA, CI, HERE], False, {"registry-editors": ["ada", "ci", "app"]}, 0, id="new"),
        pytest.param([binding("registry-editors", "registry-editor", ADA)], [ADA], False, {}, 0, id="again"),
        pytest.param(
            [binding("registry-editors", "registry-editor", ADA)],
            [BOB],
            False,
            {"registry-editors": ["ada", "bob"]},
            0,
            id="added",
        ),
        pytest.param(
            [binding("registry-editors", "registry-editor", ADA)],
            [BOB],
            True,
            {"registry-editors": ["bob"]},
            0,
            id="exclusive",
        ),
        pytest.param([binding("registry-editors", "registry-editor", ADA)], [], True, {}, 1, id="nobody any more"),
        pytest.param(
            [binding("registry-editor", "registry-editor", ADA, ours=False)], [ADA], False, {}, 0, id="bound by oc"
        ),
        pytest.param(
            [binding("registry-editor", "registry-editor", ADA, BOB, ours=False)],
            [ADA],
            True,
            {"registry-editor": ["ada"]},
            0,
            id="exclusive takes out whom oc has bound",
        ),
        pytest.param([binding("image-pusher", "registry-editor", HERE)], [], True, {}, 0, id="a pusher stays"),
        pytest.param([binding("other", "admin", BOB, ours=False)], [], True, {}, 0, id="another role stays"),
    ],
)
def test_editors(
    bindings: list[Any], editors: list[Any], exclusive: bool, granted: dict[str, list[str]], ended: int
) -> None:
    made = plan(AccessState(bindings), subjects={"registry-editor": editors}, exclusive=exclusive)
    assert (subjects(made), len(removed(made)), made.refused) == (granted, ended, "")


def test_subjects_are_written_as_the_api_wants_them() -> None:
    made = plan(AccessState(), subjects={"registry-viewer": [ADA, HERE]})
    assert put(made)[0]["subjects"] == [as_subject(ADA), as_subject(HERE)]
    assert put(made)[0]["roleRef"]["name"] == "registry-viewer"


def test_absent_removes_what_the_role_made_and_nothing_else() -> None:
    found = AccessState(
        [binding("registry-editors", "registry-editor", ADA), binding("oc", "registry-editor", BOB, ours=False)],
        [objects.pull_secret("shop", "foreign", AUTHS)],
        [account("default", "dockercfg", "foreign")],
    )
    made = plan(found, state="absent", pull_secrets=[PullSecret("foreign", AUTHS)])
    assert [one["metadata"]["name"] for one in removed(made)] == ["registry-editors", "foreign"]
    assert [one["imagePullSecrets"] for one in put(made)] == [[{"name": "dockercfg"}]]


def test_refuses_a_binding_that_somebody_else_made() -> None:
    made = plan(
        AccessState([binding("registry-editors", "admin", BOB, ours=False)]), subjects={"registry-editor": [ADA]}
    )
    assert "was not made by this collection" in made.refused
    assert (put(made), removed(made)) == ([], [])


def test_a_pull_secret_is_made_and_linked_without_losing_others() -> None:
    found = AccessState((), (), [account("default", "dockercfg"), account("app")])
    made = plan(found, pull_secrets=[PullSecret("foreign", AUTHS, ["default"])])
    assert [one["metadata"]["name"] for one in put(made, secret=True)] == ["foreign"]
    assert [one["imagePullSecrets"] for one in put(made)] == [[{"name": "dockercfg"}, {"name": "foreign"}]]
    assert "dTpw" not in str(made.steps)


@pytest.mark.parametrize(
    ("held", "changed"), [(AUTHS, 0), ({"registry.example.com": {"auth": "b3RoZXI="}}, 1), ({}, 1)]
)
def test_a_pull_secret_is_changed_only_when_it_differs(held: dict[str, dict[str, str]], changed: int) -> None:
    found = AccessState((), [objects.pull_secret("shop", "foreign", held)], [account("default", "foreign")])
    made = plan(found, pull_secrets=[PullSecret("foreign", AUTHS)])
    assert (len(put(made, secret=True)), put(made)) == (changed, [])


def test_a_service_account_that_does_not_use_it_any_more() -> None:
    found = AccessState(
        (), [objects.pull_secret("shop", "foreign", AUTHS)], [account("default", "foreign"), account("app")]
    )
    made = plan(found, pull_secrets=[PullSecret("foreign", AUTHS, ["app"])])
    assert {one["metadata"]["name"]: one["imagePullSecrets"] for one in put(made)} == {
        "default": [],
        "app": [{"name": "foreign"}],
    }


def test_refuses_what_it_cannot_link_or_did_not_make() -> None:
    missing = plan(AccessState(), pull_secrets=[PullSecret("foreign", AUTHS)])
    assert "the service account default for foreign is not there" in missing.refused
    foreign = objects.pull_secret("shop", "foreign", AUTHS)
    foreign["metadata"]["labels"] = {}
    there = plan(AccessState((), [foreign], [account("default")]), pull_secrets=[PullSecret("foreign", AUTHS)])
    assert "was not made by this collection" in there.refused
