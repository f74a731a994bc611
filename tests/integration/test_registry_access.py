# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role registry_access: who may pull and push, and pull Secrets; the rights are tried with real requests."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api import ask, may_push, registry_status
from tests.integration.namespace import everything_in
from tests.integration.role import Role, RoleModule
from tests.zone import LocalZones, Zone

PASSWORD = "a-password-to-look-for"
EDITORS = ("RoleBinding", "registry-editors")
VIEWERS = ("RoleBinding", "registry-viewers")


@pytest.fixture(scope="module")
def zone() -> Iterator[Zone]:
    with LocalZones(1) as zones:
        yield zones[0]


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    """A project of its own for each test, whose admin is ada."""
    return "p" + hashlib.sha256(request.node.name.encode()).hexdigest()[:8]


@pytest.fixture
def role(zone: Zone, project: str, tmp_path: Path) -> Role:
    token = zone.create_user("ada", "", {project: "admin"})
    options = {"zone": zone.name, "host": zone.host, "ca_cert": zone.ca_file, "namespace": project, "api_key": token}
    # The tests that are about it, or about everything, take the preflight; it is some more requests each time.
    return Role("registry_access", zone, tmp_path, {**options, "preflight": False})


@pytest.fixture
def module(role: Role) -> RoleModule:
    """What the role does, without Ansible around it."""
    return RoleModule(role)


def may_pull(zone: Zone, token: str, project: str) -> bool:
    """Whether the registry looks into the repository, which is not there, for this token."""
    return registry_status(zone, token, "GET", f"/v2/{project}/app/tags/list") == 404


def pull_secrets(zone: Zone, project: str, account: str) -> list[str]:
    found = zone.object("ServiceAccount", account, project)
    assert found is not None
    return [one["name"] for one in found.get("imagePullSecrets", [])]


@pytest.mark.thorough
def test_new_again_changed_removed(zone: Zone, project: str, role: Role, module: RoleModule) -> None:
    """The matrix: each state in check mode and for real, first and again."""
    bob, eve = zone.create_user("bob"), zone.create_user("eve")
    before = everything_in(zone, project)
    builder = zone.token_for("build", "builder", "")
    wanted: dict[str, Any] = {
        "viewers": [{"kind": "User", "name": "bob"}],
        "editors": [{"kind": "ServiceAccount", "name": "builder", "namespace": "build"}],
    }
    check = role.run(check=True, preflight=True, **wanted)
    assert (check.changed, check.writes, zone.object(*EDITORS, project)) == (1, [], None)
    new = role.run(preflight=True, **wanted)
    assert (new.changed, len(new.writes)) == (1, 2)
    assert (may_pull(zone, bob, project), may_push(zone, bob, project)) == (True, False)
    assert may_push(zone, builder, project)
    assert not may_pull(zone, eve, project)
    again = role.run(check=True, **wanted)
    assert (again.changed, again.writes) == (0, [])
    again = role.run(**wanted)
    assert (again.changed, again.writes) == (0, [])
    reader = zone.token_for(project, "reader", "cluster-reader")
    refused = module.run(api_key=reader, preflight=True, viewers=[{"kind": "User", "name": "eve"}])
    assert refused.failed
    right = f"the right to patch rolebindings.rbac.authorization.k8s.io in the namespace {project} is missing"
    assert right in refused.output
    assert refused.writes == []
    before |= {name: one for name, one in everything_in(zone, project).items() if "reader" in name}

    others: dict[str, Any] = {"viewers": [{"kind": "User", "name": "eve"}], "editors": []}
    added = module.run(**others)
    assert (added.changed, may_pull(zone, eve, project), may_pull(zone, bob, project)) == (1, True, True)
    check = module.run(check=True, exclusive=True, **others)
    assert (check.changed, check.writes) == (1, [])
    removed = module.run(exclusive=True, **others)
    assert (removed.changed, len(removed.writes)) == (1, 2)
    assert (may_pull(zone, eve, project), may_pull(zone, bob, project)) == (True, False)
    assert not may_push(zone, builder, project)
    check = module.run(check=True, exclusive=True, **others)
    assert (check.changed, check.writes) == (0, [])
    assert module.run(exclusive=True, **others).changed == 0

    check = role.run(check=True, state="absent")
    assert (check.changed, check.writes) == (1, [])
    assert role.run(state="absent").changed == 1
    assert not may_pull(zone, eve, project)
    assert everything_in(zone, project) == before
    assert role.run(check=True, state="absent").changed == 0
    assert role.run(state="absent").changed == 0


@pytest.mark.thorough
def test_pull_secrets(zone: Zone, project: str, role: Role, module: RoleModule) -> None:
    before = pull_secrets(zone, project, "default")
    secret = {"name": "foreign", "registry": "registry.example.com", "username": "u", "password": PASSWORD}
    check = module.run(check=True, pull_secrets=[secret])
    assert (check.changed, check.writes) == (1, [])
    made = role.run(pull_secrets=[secret], verbosity=4)
    assert (made.changed, len(made.writes)) == (1, 2)
    encoded = base64.b64encode(f"u:{PASSWORD}".encode()).decode()
    assert PASSWORD not in made.played.stdout
    assert encoded not in made.played.stdout
    assert sorted(pull_secrets(zone, project, "default")) == sorted([*before, "foreign"])
    found = zone.object("Secret", "foreign", project)
    assert found is not None
    held = json.loads(base64.b64decode(found["data"][".dockerconfigjson"]))
    assert held == {"auths": {"registry.example.com": {"auth": encoded}}}
    assert module.run(pull_secrets=[secret]).changed == 0
    assert module.run(pull_secrets=[{**secret, "password": "another"}]).changed == 1
    gone = module.run(pull_secrets=[secret], state="absent")
    assert (gone.changed, len(gone.writes)) == (1, 2)
    assert zone.object("Secret", "foreign", project) is None
    assert pull_secrets(zone, project, "default") == before


def test_leaves_what_others_have_made(zone: Zone, project: str, role: Role) -> None:
    """A binding of oc, a pusher, and a binding of the name that is wanted."""
    bob = zone.create_user("bob")
    zone.bind(project, "registry-editor", {"kind": "User", "name": "bob", "apiGroup": "rbac.authorization.k8s.io"})
    options: dict[str, Any] = {"editors": [{"kind": "User", "name": "bob"}]}
    assert role.run(**options).changed == 0
    role.run(state="absent")
    assert may_push(zone, bob, project)
    status, _answer = ask(
        zone,
        zone.admin_token,
        "POST",
        f"/apis/rbac.authorization.k8s.io/v1/namespaces/{project}/rolebindings",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "registry-viewers"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        },
    )
    assert status == 201
    refused = role.run(viewers=[{"kind": "User", "name": "eve"}])
    assert refused.failed
    assert "the RoleBinding registry-viewers is there and was not made by this collection" in refused.output
    assert refused.writes == []
