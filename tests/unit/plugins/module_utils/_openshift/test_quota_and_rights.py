# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a quota leaves, which rights are missing, and whether a role may be granted: asked before anything is done."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, ForbiddenError
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects import objects
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.apply_steps import preflight
from ansible_collections.appuio.registry.plugins.module_utils._managed_objects.steps import Steps
from ansible_collections.appuio.registry.plugins.module_utils._openshift import access, quota
from ansible_collections.appuio.registry.plugins.module_utils._openshift.access import Right
from ansible_collections.appuio.registry.plugins.module_utils._openshift.client import Api

from tests.unit.plugins.module_utils.scripted_api import Line, ScriptedApi, answer, refusal

QUOTAS = "GET /api/v1/namespaces/shop/resourcequotas"
REVIEW = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
BINDINGS = "POST /apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings?dryRun=All"
BINDING = objects.role_binding("shop", "trial", "registry-editor", [])


def api(*lines: Line) -> tuple[Api, ScriptedApi]:
    http = ScriptedApi(*lines)
    return http.api, http


def test_what_is_left() -> None:
    items = [
        {
            "metadata": {"name": "objects"},
            "status": {
                "hard": {"openshift.io/imagestreams": "20", "secrets": "1k", "pods": "5", "count/secrets": "many"},
                "used": {"openshift.io/imagestreams": "21", "secrets": "149"},
            },
        },
        {"metadata": {"name": "tags"}, "spec": {"hard": {"openshift.io/imagestreamtags": "50"}}},
    ]
    client, _http = api((QUOTAS, answer(200, {"items": items})))
    found = quota.allowances(client, "shop")
    assert found is not None
    assert [(one.quota, one.resource, one.hard, one.used, one.left) for one in found] == [
        ("objects", "secrets", 1000, 149, 851),
        ("objects", "imagestreams", 20, 21, 0),
        ("tags", "imagestreamtags", 50, None, None),
    ]
    assert quota.lacking(found, {"secrets": 851, "imagestreamtags": 99, "pods": 9}) == []
    assert quota.lacking(found, {"secrets": 852, "imagestreams": 1}) == [
        "the quota objects leaves 851 of 1000 secrets, and 852 are needed",
        "the quota objects leaves 0 of 20 imagestreams, and 1 are needed",
    ]


def test_a_quota_that_may_not_be_read_is_not_known() -> None:
    client, _http = api((QUOTAS, refusal(403, "forbidden")))
    assert quota.allowances(client, "shop") is None


def test_each_right_is_asked_once() -> None:
    client, http = api(
        (REVIEW, answer(201, {"status": {"allowed": True}})), (REVIEW, answer(201, {"status": {"allowed": False}}))
    )
    rights = [Right("create", "secrets"), Right("patch", "rolebindings", "rbac.authorization.k8s.io")]
    missing = access.missing_rights(client, "shop", [*rights, *rights])
    assert [str(one) for one in missing] == ["patch rolebindings.rbac.authorization.k8s.io"]
    asked = http.document()["spec"]["resourceAttributes"]
    assert asked == {
        "namespace": "shop",
        "verb": "patch",
        "group": "rbac.authorization.k8s.io",
        "resource": "rolebindings",
    }
    assert str(Right("create", "serviceaccounts", subresource="token")) == "create serviceaccounts/token"


def test_a_role_that_may_not_be_granted_is_told_in_the_api_s_words() -> None:
    said = 'user "jane" is attempting to grant RBAC permissions not currently held: {Resources:["secrets"]}'
    client, http = api((BINDINGS, refusal(403, said)), (BINDINGS, answer(201, {})), (BINDINGS, refusal(409, "there")))
    assert access.why_not_granted(client, BINDING) == said
    assert access.why_not_granted(client, BINDING) is None
    assert access.why_not_granted(client, BINDING) is None
    assert http.document(0)["roleRef"]["name"] == "registry-editor"
    client, _http = api((BINDINGS, refusal(422, "broken")))
    with pytest.raises(AppuioError, match="broken"):
        access.why_not_granted(client, BINDING)


@pytest.mark.parametrize(
    ("answered", "advice"),
    [
        (
            refusal(404, 'clusterroles.rbac.authorization.k8s.io "registry-editr" not found'),
            "spelling.*registry-editor",
        ),
        (refusal(403, "is attempting to grant RBAC permissions not currently held"), "let an admin"),
    ],
)
def test_a_role_that_is_not_there_is_not_told_as_one_that_may_not_be_granted(answered: Any, advice: str) -> None:
    allowed = (REVIEW, answer(201, {"status": {"allowed": True}}))
    client, _http = api(allowed, (BINDINGS, answered), (QUOTAS, answer(200, {"items": []})))
    steps = Steps()
    steps.create(objects.role_binding("shop", "trial", "registry-editr", []), "it is wanted")
    with pytest.raises(ForbiddenError, match=advice) as caught:
        preflight(client, "shop", steps)
    assert str(caught.value).count("let an admin") == ("admin" in advice)
