# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""appuio_registry_account and appuio_registry_access on local zones: several at once, and when a step fails."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._account.options import SPEC
from ansible_collections.appuio.registry.plugins.module_utils._account.task import account_task
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._targets import RunContext

from tests.integration.api import ask, may_push
from tests.integration.namespace import everything_in
from tests.integration.playbook import play, run_playbook
from tests.zone import LocalZones, Zone

ACCOUNT = "appuio.registry.appuio_registry_account"
ACCESS = "appuio.registry.appuio_registry_access"
DEFAULTS = {name: option.get("default") for name, option in SPEC.options.items()}
EDITOR, BUILDER = "image-pusher-registry-editor", "image-pusher-system-image-builder"


@pytest.fixture(scope="module")
def zones() -> Iterator[list[Zone]]:
    with LocalZones(2) as running:
        yield running.zones


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    return "p" + hashlib.sha256(request.node.name.encode()).hexdigest()[:8]


@dataclass
class Admin:
    """An admin of a project, who runs the module."""

    zone: Zone
    project: str
    token: str = field(repr=False)

    @property
    def entry(self) -> dict[str, Any]:
        """An entry of ``zones``."""
        where = {"zone": self.zone.name, "host": self.zone.host, "ca_cert": self.zone.ca_file}
        return {**where, "retries": 0, "token": self.token}

    def run(self, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run the module's task in this process; raises AppuioError."""
        given = {**DEFAULTS, "namespace": self.project, **self.entry, **options}
        task = account_task(given, RunContext({}))
        self.zone.clear_requests()
        try:
            plan = task.plan()
            result = plan.predict() if check else task.apply(plan)
        finally:
            task.close()
        assert result["changed"] == (plan.diff() is not None)
        return result

    def refused(self, **options: Any) -> AppuioError:
        """Return why the task failed; fails the test where it does not."""
        with pytest.raises(AppuioError) as caught:
            self.run(**options)
        return caught.value

    def writes(self) -> list[str]:
        """Return the requests of the last run that changed something."""
        return [f"{one['method']} {one['path'].rpartition('/')[2]}" for one in self.zone.writes()]

    def bindings(self) -> set[str]:
        """Return the names of the role bindings for the service account."""
        found = everything_in(self.zone, self.project)
        named = {name: one for name, one in found.items() if name.startswith("RoleBinding image-pusher")}
        return {name.partition(" ")[2] for name in named}


@pytest.fixture
def admin(zones: list[Zone], project: str) -> Admin:
    return made_admin(zones[0], project)


def made_admin(zone: Zone, project: str) -> Admin:
    return Admin(zone, project, zone.create_user("ada", "", {project: "admin"}))


@pytest.mark.thorough
def test_the_steps_are_told_before_and_after(admin: Admin) -> None:
    before = everything_in(admin.zone, admin.project)
    foreseen = admin.run(check=True)
    assert admin.writes() == []
    made = admin.run()
    assert foreseen["steps"] == made["steps"]
    assert [(step["action"], step["kind"], step["name"]) for step in made["steps"]] == [
        ("create", "ServiceAccount", "image-pusher"),
        ("create", "Secret", "image-pusher-secret"),
        ("create", "RoleBinding", EDITOR),
    ]
    assert all(step["reason"] and step["namespace"] == admin.project for step in made["steps"])
    assert (foreseen["token"], made["tokens"]) == (None, {f"{admin.project}/image-pusher": made["token"]})
    assert may_push(admin.zone, made["token"], admin.project)
    again = admin.run()
    assert (again["changed"], again["steps"], again["token"]) == (False, [], made["token"])
    gone = admin.run(state="absent")
    assert (gone["token"], gone["tokens"]) == (None, {})
    assert everything_in(admin.zone, admin.project) == before


@pytest.mark.thorough
def test_a_pusher_keeps_its_rights_when_the_second_step_of_a_change_of_role_fails(admin: Admin) -> None:
    token = admin.run()["token"]
    fault = admin.zone.faults.add("status", side="api", method="DELETE", path="rolebindings", status=403)
    failed = admin.refused(role="system:image-builder")
    assert admin.zone.faults.hits(fault) == 1
    admin.zone.faults.clear()
    assert f"delete the RoleBinding {EDITOR}" in str(failed)
    assert failed.result["changed"] is True
    assert may_push(admin.zone, token, admin.project)
    assert admin.bindings() == {EDITOR, BUILDER}
    finished = admin.run(role="system:image-builder")
    assert [step["action"] for step in finished["steps"]] == ["delete"]
    assert may_push(admin.zone, token, admin.project)
    assert admin.bindings() == {BUILDER}
    assert ask(admin.zone, token, "GET", f"/api/v1/namespaces/{admin.project}/secrets")[0] == 403


@pytest.mark.thorough
def test_a_role_that_may_not_be_granted_leaves_the_old_one(admin: Admin) -> None:
    token = admin.run()["token"]
    failed = admin.refused(role="cluster-admin")
    assert "attempting to grant RBAC permissions not currently held" in str(failed)
    assert "choose another role" in str(failed)
    assert admin.writes() == []
    failed = admin.refused(role="registry-editr")
    assert "Check the spelling of the role" in str(failed)
    assert may_push(admin.zone, token, admin.project)


@pytest.mark.thorough
def test_a_binding_with_a_chosen_name_is_replaced_without_a_time_without_rights(admin: Admin) -> None:
    token = admin.run(role_binding="mine")["token"]
    changed = admin.run(role_binding="mine", role="system:image-builder")
    steps = [f"{step['action']} {step['name']}" for step in changed["steps"]]
    assert steps == ["create mine-next", "delete mine", "create mine", "delete mine-next"]
    assert may_push(admin.zone, token, admin.project)
    again = admin.run(role_binding="mine", role="system:image-builder")
    assert not again["changed"]
    admin.run(role_binding="mine", role="system:image-builder", state="absent")
    assert not may_push(admin.zone, token, admin.project)


@pytest.mark.thorough
def test_a_rotation_leaves_another_account_s_secret_of_the_next_name_alone(admin: Admin) -> None:
    first = admin.run()["token"]
    admin.run(service_account="other", secret_name="image-pusher-secret-2")
    theirs = admin.zone.object("Secret", "image-pusher-secret-2", admin.project)
    rotated = admin.run(rotate=True)
    assert rotated["secret_name"] == "image-pusher-secret-3"
    assert rotated["token"] not in (first, None)
    assert may_push(admin.zone, rotated["token"], admin.project)
    assert admin.zone.object("Secret", "image-pusher-secret-2", admin.project) == theirs
    admin.run(state="absent", adopt=True)
    assert admin.zone.object("Secret", "image-pusher-secret-2", admin.project) == theirs


@pytest.mark.thorough
def test_a_create_whose_answer_is_lost_is_as_good(admin: Admin) -> None:
    for kind in ("serviceaccounts", "secrets", "rolebindings"):
        admin.zone.faults.add("lose_answer", side="api", method="POST", path=f"/{kind}$", count=1)
    made = admin.run(retries=3, retry_delay=0.05)
    admin.zone.faults.clear()
    assert may_push(admin.zone, made["token"], admin.project)
    assert made["secret_name"] == "image-pusher-secret"
    assert not admin.run()["changed"]


def test_as_tasks(zones: list[Zone], project: str, tmp_path: Path) -> None:
    """Several accounts in two zones, one of which fails; who else has access; nothing secret is shown."""
    first, second = (made_admin(zone, project) for zone in zones)
    for admin in (first, second):
        admin.zone.create_user("ada", "", {f"{project}-test": "admin"})
    accounts = [{}, {"namespace": f"{project}-test", "role": "system:image-pusher", "image_streams": "a,b"}]
    together = {"namespace": project, "accounts": accounts, "zones": [first.entry, second.entry]}
    wrong = [{**first.entry, "token": "wrong-token"}, {**second.entry, "token": "another-wrong-token"}]
    access = {"namespace": project, "viewers": [{"kind": "User", "name": "bob"}]}
    secret = {"name": "from", "registry": "example.com", "password": "to-look-for\n"}
    keep = {"content": "{{ made.zones | to_json }}", "dest": str(tmp_path / "made.json"), "mode": "0600"}
    tasks: list[dict[str, Any]] = [
        {"name": "foreseen", ACCOUNT: together, "check_mode": True},
        {"name": "made", ACCOUNT: together, "register": "made", "no_log": True},
        {"name": "keep", "ansible.builtin.copy": keep, "no_log": True, "diff": False},
        {"name": "again", ACCOUNT: together, "no_log": True},
        {"name": "one fails", ACCOUNT: {**together, "zones": [first.entry, wrong[1]]}, "ignore_errors": True},
        {"name": "all fail", ACCOUNT: {**together, "zones": wrong}, "ignore_errors": True},
        {"name": "access foreseen", ACCESS: {**access, "zones": together["zones"]}, "check_mode": True},
        {"name": "access", ACCESS: {**access, "zones": together["zones"], "pull_secrets": [secret]}},
        {"name": "access again", ACCESS: {**access, "zones": together["zones"], "pull_secrets": [secret]}},
        {"name": "access fails", ACCESS: {**access, "zones": wrong}, "ignore_errors": True},
        {"name": "bad name", ACCOUNT: {**first.entry, "namespace": "Bad_Name/.."}, "ignore_errors": True},
        {"name": "gone", ACCOUNT: {**together, "state": "absent"}},
    ]
    ended = run_playbook([play(tasks)], tmp_path, diff=True, verbosity=3).succeeded()
    results = ended.results

    assert (results["foreseen"]["changed"], results["again"].get("changed")) == (True, False)
    assert len(results["foreseen"]["diff"]) == 4
    assert "grants" not in results["foreseen"]["diff"][0]["before"]
    one = results["one fails"]
    assert [zone.get("failed", False) for zone in one["zones"]] == [False, True]
    assert "tokens" not in one or one["tokens"] == {}
    assert [account["token"] for account in one["zones"][0]["accounts"]] == [None, None], "failures are printed"
    for name in ("all fail", "access fails"):
        message = results[name]["msg"]
        assert message.startswith("2 of 2 zones failed"), message
        assert all(zone.name in message for zone in zones)
    assert [results[name]["changed"] for name in ("access foreseen", "access", "access again")] == [True, True, False]
    assert "not shown" in json.dumps(results["access"]["diff"])
    assert "Bad_Name" in results["bad name"]["msg"]
    assert results["gone"]["changed"]
    for admin in (first, second):
        assert not any("image-pusher" in name for name in everything_in(admin.zone, project))
        found = admin.zone.object("Secret", "from", project)
        assert found is not None
    made = json.loads((tmp_path / "made.json").read_text())
    tokens = [token for zone in made for token in zone["tokens"].values()]
    assert len(set(tokens)) == 4
    secrets = [first.token, second.token, "to-look-for", *tokens]
    assert not any(secret in ended.stdout for secret in secrets)
