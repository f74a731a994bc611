# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a pusher: every mixture of what is there and what is wanted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._openshift import objects
from ansible_collections.appuio.registry.plugins.module_utils._openshift.objects import MANAGED_BY, MANAGER
from ansible_collections.appuio.registry.plugins.module_utils._openshift.pusher_plan import (
    Namespace,
    Pusher,
    plan_pusher,
)
from ansible_collections.appuio.registry.plugins.module_utils._openshift.steps import Steps

OURS = {MANAGED_BY: MANAGER}
PUSHER = {
    "namespace": "shop",
    "service_account": "image-pusher",
    "secret_name": "image-pusher-secret",
    "role": "registry-editor",
    "role_binding": "image-pusher",
}
SUBJECT = {"kind": "ServiceAccount", "name": "image-pusher", "namespace": "shop"}
OTHER = {"kind": "User", "name": "ada", "apiGroup": "rbac.authorization.k8s.io"}


def account(labels: dict[str, str] | None = None, name: str = "image-pusher") -> dict[str, Any]:
    return {"kind": "ServiceAccount", "metadata": {"name": name, "labels": labels or {}}}


def secret(
    labels: dict[str, str] | None = None, of: str = "image-pusher", kind: str = "kubernetes.io/service-account-token"
) -> dict[str, Any]:
    annotations = {"kubernetes.io/service-account.name": of}
    return {
        "kind": "Secret",
        "type": kind,
        "metadata": {"name": "image-pusher-secret", "labels": labels or {}, "annotations": annotations},
    }


def binding(
    labels: dict[str, str] | None = None,
    role: str = "registry-editor",
    subjects: list[dict[str, str]] | None = None,
    name: str = "image-pusher",
) -> dict[str, Any]:
    return {
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": "shop", "labels": labels or {}, "resourceVersion": "7"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [SUBJECT] if subjects is None else subjects,
    }


def kinds(definitions: list[dict[str, Any]]) -> list[str]:
    return [definition["kind"] for definition in definitions]


def plan(found: tuple[Any, ...], **options: Any) -> Steps:
    account, secret, *rest = found
    there = Namespace(account, [secret] if secret else [], *rest)
    return plan_pusher(Pusher(**{**PUSHER, **options}), there).steps


NOTHING: tuple[Any, Any, list[Any]] = (None, None, [])
EVERYTHING = (account(OURS), secret(OURS), [binding(OURS)])


@pytest.mark.parametrize(
    ("found", "options", "removed", "put"),
    [
        pytest.param(NOTHING, {}, [], ["ServiceAccount", "Secret", "RoleBinding"], id="account before its Secret"),
        pytest.param(EVERYTHING, {}, [], [], id="all there"),
        pytest.param((account(), secret(), [binding()]), {}, [], [], id="made by hand, used as it is"),
        pytest.param((account(OURS), None, [binding(OURS)]), {}, [], ["Secret"], id="Secret gone"),
        pytest.param((None, None, [binding(OURS)]), {}, [], ["ServiceAccount", "Secret"], id="account gone"),
        pytest.param((account(), secret(), [binding(name="registry-editor")]), {}, [], [], id="bound by oc"),
        pytest.param(
            (account(OURS), secret(OURS), [binding(OURS)]),
            {"role": "system:image-builder"},
            ["RoleBinding"],
            ["RoleBinding"],
            id="another role",
        ),
        pytest.param(
            (account(OURS), secret(OURS), [binding(OURS, role="view"), binding(name="registry-editor")]),
            {},
            ["RoleBinding"],
            [],
            id="another role, and bound by oc already",
        ),
        pytest.param(
            (account(), secret(), [binding()]),
            {"adopt": True},
            [],
            ["ServiceAccount", "Secret", "RoleBinding"],
            id="adopted",
        ),
        pytest.param(EVERYTHING, {"adopt": True}, [], [], id="adopted before"),
        pytest.param(
            (*EVERYTHING, [{"metadata": {"name": "app"}}]),
            {"image_streams": ["app", "web"]},
            [],
            ["ImageStream"],
            id="an image stream that is not there",
        ),
        pytest.param(NOTHING, {"state": "absent"}, [], [], id="absent, and it is"),
        pytest.param(
            EVERYTHING, {"state": "absent"}, ["RoleBinding", "Secret", "ServiceAccount"], [], id="absent: rights first"
        ),
        pytest.param((account(), secret(), []), {"state": "absent"}, [], [], id="absent leaves what it did not make"),
        pytest.param(
            (account(), secret(), []),
            {"state": "absent", "adopt": True},
            ["Secret", "ServiceAccount"],
            [],
            id="absent takes what it is told to",
        ),
        pytest.param(
            (None, secret(OURS, of="other"), []), {"state": "absent"}, [], [], id="the token of another account"
        ),
        pytest.param(
            (account(OURS, name="builder"), None, []),
            {"state": "absent", "service_account": "builder", "adopt": True},
            [],
            [],
            id="an account that every namespace has",
        ),
    ],
)
def test_steps(found: Any, options: dict[str, Any], removed: list[str], put: list[str]) -> None:
    made = plan(found, **options)
    assert (kinds(made.remove), kinds(made.put), made.refused) == (removed, put, "")
    assert len(made.steps) == len(removed) + len(put)


@pytest.mark.parametrize(
    ("found", "options", "said"),
    [
        ((None, secret(kind="Opaque"), []), {}, "no token of the service account image-pusher"),
        ((None, secret(of="other"), []), {}, "no token of the service account image-pusher"),
        ((None, None, [binding(role="admin")]), {}, "grants admin instead of registry-editor"),
        ((None, None, [binding(OURS, role="view", subjects=[SUBJECT, OTHER])]), {}, "grants view to User ada too"),
    ],
)
def test_refuses_what_belongs_to_something_else(found: Any, options: dict[str, Any], said: str) -> None:
    made = plan(found, **options)
    assert said in made.refused
    assert (made.put, made.remove) == ([], [])


def test_a_foreign_binding_of_another_role_does_not_matter_when_oc_has_bound_the_role() -> None:
    made = plan((account(), secret(), [binding(role="admin", subjects=[OTHER]), binding(name="registry-editor")]))
    assert (made.refused, made.put, made.remove) == ("", [], [])


def test_joins_a_binding_without_losing_anybody() -> None:
    made = plan((account(), secret(), [binding(subjects=[OTHER])]))
    assert [put["subjects"] for put in made.put] == [[OTHER, SUBJECT]]
    assert made.put[0]["metadata"]["resourceVersion"] == "7"


def test_leaves_a_binding_without_losing_anybody() -> None:
    made = plan((None, None, [binding(OURS, subjects=[OTHER, SUBJECT])]), state="absent")
    assert made.remove == []
    assert [put["subjects"] for put in made.put] == [[OTHER]]


def test_a_binding_without_subjects_is_joined() -> None:
    found = binding()
    del found["subjects"]
    assert [put["subjects"] for put in plan((account(), secret(), [found])).put] == [[SUBJECT]]


def test_what_is_made_can_be_recognised_and_holds_no_secret() -> None:
    made = plan(NOTHING)
    assert all(put["metadata"]["labels"] == OURS and put["metadata"]["namespace"] == "shop" for put in made.put)
    assert "data" not in made.put[1]
    assert made.put[2]["subjects"] == [SUBJECT]


def test_a_binding_is_not_removed_before_the_new_role_may_be_granted() -> None:
    made = plan((account(OURS), secret(OURS), [binding(OURS, role="view")]))
    assert [asked["roleRef"]["name"] for asked in made.ask_first] == ["registry-editor"]
    assert made.ask_first[0]["metadata"]["name"] != made.put[0]["metadata"]["name"]
    assert plan(EVERYTHING).ask_first == []


MARKS: dict[str, Any] = {"labels": {"team": "shop", MANAGED_BY: "me"}, "annotations": {"example.com/number": 5}}


def test_labels_and_annotations_for_what_is_made() -> None:
    made = plan(NOTHING, image_streams=["app"], **MARKS)
    assert kinds(made.put) == ["ServiceAccount", "Secret", "ImageStream", "RoleBinding"]
    for put in made.put:
        assert put["metadata"]["labels"] == {"team": "shop", **OURS}, "it stays recognisable"
        assert put["metadata"]["annotations"]["example.com/number"] == "5"
    assert made.put[1]["metadata"]["annotations"]["kubernetes.io/service-account.name"] == "image-pusher"


def test_other_labels_are_brought_to_ours_and_to_nothing_else() -> None:
    stream = {"kind": "ImageStream", "metadata": {"name": "app", "labels": OURS}}
    made = plan((*EVERYTHING, [stream]), image_streams=["app"], **MARKS)
    assert [step.partition(" ")[0] for step in made.steps] == ["mark"] * 4
    assert made.put[3]["subjects"] == [SUBJECT]
    assert "spec" not in made.put[2], "of an image stream, its tags are not ours"
    foreign = (account(), secret(), [binding()], [{"kind": "ImageStream", "metadata": {"name": "app"}}])
    assert plan(foreign, image_streams=["app"], **MARKS).steps == []
    marked = [objects.marked(one, **MARKS) for one in (account(OURS), secret(OURS), binding(OURS), stream)]
    assert plan((marked[0], marked[1], [marked[2]], [marked[3]]), image_streams=["app"], **MARKS).steps == []


def test_each_step_tells_the_right_that_it_needs() -> None:
    rbac = "rbac.authorization.k8s.io"
    made = plan((account(OURS), None, [binding(OURS, role="view")]), image_streams=["app"])
    assert [(right["verb"], right["resource"], right["group"]) for right in made.rights] == [
        ("create", "secrets", ""),
        ("create", "imagestreams", "image.openshift.io"),
        ("delete", "rolebindings", rbac),
        ("create", "rolebindings", rbac),
    ]
    joined = plan((account(), secret(), [binding(subjects=[OTHER])]))
    assert joined.rights == [{"verb": "patch", "resource": "rolebindings", "group": rbac}]


@pytest.mark.parametrize(
    ("bindings", "role"),
    [
        ([], "registry-editor"),
        ([binding(OURS, role="system:image-builder")], "system:image-builder"),
        ([binding(role="system:image-pusher", name="by-oc")], "system:image-pusher"),
        ([binding(role="view", name="by-oc"), binding(OURS, role="system:image-builder")], "system:image-builder"),
        ([binding(role="admin", name="of-ada", subjects=[OTHER])], "registry-editor"),
    ],
)
def test_without_a_role_a_pusher_keeps_the_one_that_it_has(bindings: list[dict[str, Any]], role: str) -> None:
    found = Namespace(account(OURS), (secret(OURS),), bindings)
    options: dict[str, Any] = {**PUSHER, "role": ""}
    plan = plan_pusher(Pusher(**options), found)
    assert plan.role == role
    assert [put["kind"] for put in plan.steps.put] == ([] if role.startswith("system:") else ["RoleBinding"])
    assert plan.steps.remove == []
