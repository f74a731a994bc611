# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a service account that pushes: every mixture of what is there and what is wanted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._account.account import AccountOptions
from ansible_collections.appuio.registry.plugins.module_utils._account.plan import AccountState, plan_objects
from ansible_collections.appuio.registry.plugins.module_utils._account.task import read_state
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import SYSTEM_CLOCK
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects import objects
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.account_secrets import AccountSecrets
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.apply_steps import right_of
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.objects import (
    BOUND_ACCOUNT,
    MANAGED_BY,
    MANAGER,
)
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.steps import (
    CHANGE,
    CREATE,
    DELETE,
    Steps,
)
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.tokens import USED
from ansible_collections.appuio.registry.plugins.module_utils._openshift.access import Right

from tests.unit.plugins.module_utils.scripted_api import ScriptedApi, answer, refusal

OURS = {MANAGED_BY: MANAGER}
PUSHER = {
    "namespace": "shop",
    "service_account": "image-pusher",
    "secret_name": "image-pusher-secret",
    "role": "registry-editor",
}
NAME = "image-pusher-registry-editor"
BUILDER = "image-pusher-system-image-builder"
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
SUBJECT = {"kind": "ServiceAccount", "name": "image-pusher", "namespace": "shop"}
OTHER = {"kind": "User", "name": "ada", "apiGroup": "rbac.authorization.k8s.io"}


def account(labels: dict[str, str] | None = None, name: str = "image-pusher") -> dict[str, Any]:
    annotations = {USED: '{"image-pusher-secret": 1}'} if labels else {}
    return {"kind": "ServiceAccount", "metadata": {"name": name, "labels": labels or {}, "annotations": annotations}}


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
    name: str = NAME,
) -> dict[str, Any]:
    annotations = {BOUND_ACCOUNT: "image-pusher"} if labels else {}
    marks = {"labels": labels or {}, "annotations": annotations}
    return {
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": "shop", **marks, "resourceVersion": "7", "uid": f"of-{name}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [SUBJECT] if subjects is None else subjects,
    }


def kinds(definitions: list[dict[str, Any]]) -> list[str]:
    return [definition["kind"] for definition in definitions]


def plan(found: tuple[Any, ...], **options: Any) -> Steps:
    account, secret, *rest = found
    there = AccountState(account, [secret] if secret else [], *rest)
    wanted: dict[str, Any] = {**PUSHER, **options}
    return plan_objects(AccountOptions(**wanted), there, NOW).steps


def put(made: Steps) -> list[dict[str, Any]]:
    """Return what is created or changed, in order."""
    return [step.definition for step in made.steps if step.verb in (CREATE, CHANGE) and not step.optional]


def removed(made: Steps) -> list[dict[str, Any]]:
    """Return what is deleted, in order."""
    return [step.definition for step in made.in_order() if step.verb == DELETE]


def bindings(made: Steps) -> list[str]:
    """Return what happens to role bindings, in order."""
    return [f"{step.verb} {step.name}" for step in made.in_order() if step.kind == "RoleBinding"]


NOTHING: tuple[Any, Any, list[Any]] = (None, None, [])
EVERYTHING = (account(OURS), secret(OURS), [binding(OURS)])


@pytest.mark.parametrize(
    ("found", "options", "gone", "there"),
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
def test_steps(found: Any, options: dict[str, Any], gone: list[str], there: list[str]) -> None:
    made = plan(found, **options)
    assert (kinds(removed(made)), kinds(put(made)), made.refused) == (gone, there, "")
    assert len([step for step in made.steps if not step.optional]) == len(gone) + len(there)


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
    assert (put(made), removed(made)) == ([], [])


def test_a_foreign_binding_of_another_role_does_not_matter_when_oc_has_bound_the_role() -> None:
    made = plan((account(), secret(), [binding(role="admin", subjects=[OTHER]), binding(name="registry-editor")]))
    assert (made.refused, put(made), removed(made)) == ("", [], [])


def test_a_binding_of_somebody_else_stays_as_it_is_unless_it_is_adopted() -> None:
    made = plan((account(), secret(), [binding(subjects=[OTHER])]))
    assert bindings(made) == [f"create {NAME}-2"]
    joined = plan((account(OURS), secret(OURS), [binding(subjects=[OTHER])]), adopt=True)
    assert bindings(joined) == [f"patch {NAME}"]
    assert [one["subjects"] for one in put(joined)] == [[OTHER, SUBJECT]], "nobody is lost"
    assert put(joined)[0]["metadata"]["resourceVersion"] == "7"
    assert put(joined)[0]["metadata"]["labels"] == OURS
    gone = plan((None, None, [binding(subjects=[OTHER, SUBJECT])]), state="absent")
    assert (gone.steps, gone.left) == (
        [],
        [f"RoleBinding {NAME}, which was not made by this collection for the account"],
    )


def test_leaves_a_binding_without_losing_anybody() -> None:
    made = plan((None, None, [binding(OURS, subjects=[OTHER, SUBJECT])]), state="absent")
    assert removed(made) == []
    assert [one["subjects"] for one in put(made)] == [[OTHER]]


def test_a_binding_of_ours_without_subjects_is_joined() -> None:
    found = binding(OURS)
    del found["subjects"]
    assert [one["subjects"] for one in put(plan((account(), secret(), [found])))] == [[SUBJECT]]


def test_what_is_made_can_be_recognised_and_holds_no_secret() -> None:
    made = plan(NOTHING)
    assert all(one["metadata"]["labels"] == OURS and one["metadata"]["namespace"] == "shop" for one in put(made))
    assert "data" not in put(made)[1]
    assert put(made)[2]["subjects"] == [SUBJECT]
    assert put(made)[2]["metadata"]["annotations"] == {BOUND_ACCOUNT: "image-pusher"}
    assert put(made)[0]["metadata"]["annotations"] == {USED: '{"image-pusher-secret": 1}'}


@pytest.mark.parametrize("old", [binding(OURS), {**binding(OURS, name="image-pusher")}])
def test_the_new_role_is_bound_before_the_old_binding_goes(old: dict[str, Any]) -> None:
    made = plan((account(OURS), secret(OURS), [old]), role="system:image-builder")
    assert bindings(made) == [f"create {BUILDER}", f"delete {old['metadata']['name']}"]
    assert made.of(DELETE)[0].live is old, "no other object of the name is deleted"


def test_a_binding_whose_name_was_chosen_is_replaced_with_another_one_in_between() -> None:
    found = (account(OURS), secret(OURS), [binding(OURS, name="mine")])
    made = plan(found, role="system:image-builder", role_binding="mine")
    assert bindings(made) == ["create mine-next", "delete mine", "create mine", "delete mine-next"]
    assert [one["roleRef"]["name"] for one in put(made)] == ["system:image-builder"] * 2


def test_a_change_of_role_that_stopped_halfway_is_finished() -> None:
    """The second step of the last run has failed: the account has both roles, and in the end only the new one."""
    both = [binding(OURS), binding(OURS, role="system:image-builder", name=BUILDER)]
    made = plan((account(OURS), secret(OURS), both), role="system:image-builder")
    assert bindings(made) == [f"delete {NAME}"]
    between = [binding(OURS, name="mine"), binding(OURS, role="system:image-builder", name="mine-next")]
    made = plan((account(OURS), secret(OURS), between), role="system:image-builder", role_binding="mine")
    assert bindings(made) == ["delete mine"]


def test_what_somebody_else_has_granted_stays_and_is_told() -> None:
    made = plan((account(OURS), secret(OURS), [binding(OURS), binding(role="admin", name="by-oc")]))
    assert (made.steps, made.left) == ([], ["RoleBinding by-oc, which was not made for it, and grants it admin too"])
    others = binding(OURS, name="registry-editors", subjects=[SUBJECT])
    others["metadata"]["annotations"] = {}
    made = plan((account(OURS), secret(OURS), [others]), role="view")
    assert bindings(made) == ["create image-pusher-view"], "that of registry_access is none of the account's own"


MARKS: dict[str, Any] = {"labels": {"team": "shop", MANAGED_BY: "me"}, "annotations": {"example.com/number": 5}}


def test_labels_and_annotations_for_what_is_made() -> None:
    made = plan(NOTHING, image_streams=["app"], **MARKS)
    assert kinds(put(made)) == ["ServiceAccount", "Secret", "ImageStream", "RoleBinding"]
    for one in put(made):
        assert one["metadata"]["labels"] == {"team": "shop", **OURS}, "it stays recognisable"
        assert one["metadata"]["annotations"]["example.com/number"] == "5"
    assert put(made)[1]["metadata"]["annotations"]["kubernetes.io/service-account.name"] == "image-pusher"


def test_other_labels_are_brought_to_ours_and_to_nothing_else() -> None:
    stream = {"kind": "ImageStream", "metadata": {"name": "app", "labels": OURS}}
    made = plan((*EVERYTHING, [stream]), image_streams=["app"], **MARKS)
    assert [step.action for step in made.steps] == ["label"] * 4
    assert put(made)[3]["subjects"] == [SUBJECT]
    assert "spec" not in put(made)[2], "of an image stream, its tags are not ours"
    foreign = (account(), secret(), [binding()], [{"kind": "ImageStream", "metadata": {"name": "app"}}])
    assert plan(foreign, image_streams=["app"], **MARKS).steps == []
    marked = [objects.marked(one, **MARKS) for one in (account(OURS), secret(OURS), binding(OURS), stream)]
    assert plan((marked[0], marked[1], [marked[2]], [marked[3]]), image_streams=["app"], **MARKS).steps == []


def test_each_step_tells_the_right_that_it_needs() -> None:
    rbac = "rbac.authorization.k8s.io"
    made = plan((account(OURS), None, [binding(OURS)]), image_streams=["app"], role="system:image-builder")
    rights = [right_of(step) for step in made.in_order() if not step.optional]
    assert [(right.verb, right.resource, right.group) for right in rights] == [
        ("create", "secrets", ""),
        ("create", "imagestreams", "image.openshift.io"),
        ("create", "rolebindings", rbac),
        ("delete", "rolebindings", rbac),
    ]
    joined = plan((account(OURS), secret(OURS), [binding(OURS, subjects=[OTHER])]))
    assert [right_of(step) for step in joined.steps] == [Right("patch", "rolebindings", rbac)]


@pytest.mark.parametrize(
    ("there", "role"),
    [
        ([], "registry-editor"),
        ([binding(OURS, role="system:image-builder")], "system:image-builder"),
        ([binding(role="system:image-pusher", name="by-oc")], "system:image-pusher"),
        ([binding(role="view", name="by-oc"), binding(OURS, role="system:image-builder")], "system:image-builder"),
        ([binding(role="admin", name="of-ada", subjects=[OTHER])], "registry-editor"),
    ],
)
def test_without_a_role_a_pusher_keeps_the_one_that_it_has(there: list[dict[str, Any]], role: str) -> None:
    found = AccountState(account(OURS), (secret(OURS),), there)
    options: dict[str, Any] = {**PUSHER, "role": ""}
    made = plan_objects(AccountOptions(**options), found, NOW)
    assert made.role == role
    assert [one["kind"] for one in put(made.steps)] == ([] if role.startswith("system:") else ["RoleBinding"])
    assert removed(made.steps) == []


ACCOUNT = "GET /api/v1/namespaces/shop/serviceaccounts/image-pusher"


@pytest.mark.parametrize(
    ("before", "now", "name"),
    [
        (answer(200, {"metadata": {"name": "image-pusher", "uid": "u2"}}), "u2", "image-pusher-secret-2"),
        (answer(200, {"metadata": {"name": "image-pusher", "uid": "u0"}}), "u1", "image-pusher-secret"),
        (refusal(404, "not found"), "", "image-pusher-secret-2"),
    ],
)
def test_the_token_of_an_account_that_was_made_anew_is_not_taken_over(before: Any, now: str, name: str) -> None:
    found = secret(OURS)
    found["metadata"]["annotations"][objects.SECRET_ACCOUNT_UID] = "u1"
    there = answer(200, {"metadata": {"name": "image-pusher", "uid": now}}) if now else refusal(404, "not found")
    http = ScriptedApi(
        ("GET /apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings", answer(200, {"items": []})),
        (ACCOUNT, before),
        ("GET /api/v1/namespaces/shop/secrets?", answer(200, {"items": [found]})),
        (ACCOUNT, there),
    )
    wanted = AccountOptions(**PUSHER)
    state = read_state(http.api, wanted, AccountSecrets(http.api, wanted.secrets, SYSTEM_CLOCK))
    assert http.lines == []
    assert plan_objects(wanted, state, NOW).secret_name == name
