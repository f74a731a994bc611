# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks that go on with a pusher's token: with that of its own project, and with nobody else's in its place."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api import may_push
from tests.integration.playbook import PlaybookResult, run_playbook
from tests.zone import LocalZones, Zone


@pytest.fixture(scope="module")
def zone() -> Any:
    with LocalZones(1) as zones:
        yield zones[0]


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    return "p" + hashlib.sha256(request.node.name.encode()).hexdigest()[:8]


def run(
    zone: Zone, folder: Path, *playbooks: str, env: dict[str, str] | None = None, **variables: Any
) -> PlaybookResult:
    """Run playbooks of the collection one after the other in one run, with variables that start with appuio_."""
    host = {"appuio_host": zone.host, "appuio_registry": zone.registry, "appuio_ca_cert": zone.ca_file}
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    given = {"auth_file": str(folder / "auth.json"), "retries": 0, **variables}
    return run_playbook(
        [{"ansible.builtin.import_playbook": f"appuio.registry.{name}"} for name in playbooks],
        folder,
        inventory={"all": {"hosts": {zone.name: {**host, **local}}}},
        extra_vars={f"appuio_{name}": value for name, value in given.items()},
        env=env,
    )


@pytest.mark.thorough
def test_without_a_pusher_nobody_else_s_token_is_stored(zone: Zone, project: str, tmp_path: Path) -> None:
    admin = zone.create_user("ada", "", {project: "admin"})
    for variables in ({}, {"pusher": "true"}):
        options: dict[str, Any] = {"namespace": project, "pusher": True, "token": admin, **variables}
        failed = run(zone, tmp_path, "login", env={"APPUIO_TOKEN": admin}, **options)
        assert failed.rc != 0
        assert f"there is no token of the pusher of {project}" in " ".join(failed.stdout.split())
        assert not (tmp_path / "auth.json").exists()


@pytest.mark.thorough
def test_each_project_goes_on_with_its_own_pusher(zone: Zone, project: str, tmp_path: Path) -> None:
    """The last of several is removed, and the others' tokens are those of their projects."""
    other = f"{project}-other"
    admin = zone.create_user("ada", "", {project: "admin", other: "admin"})
    pushers = [{"namespace": other}, {"namespace": project}, {"service_account": "gone", "state": "absent"}]
    options: dict[str, Any] = {"namespace": project, "pusher": True, "token": admin, "pushers": json.dumps(pushers)}
    run(zone, tmp_path, "setup_pusher", "login", **options).succeeded()
    auths = json.loads((tmp_path / "auth.json").read_text())["auths"]
    token = base64.b64decode(auths[zone.registry]["auth"]).decode().partition(":")[2]
    assert may_push(zone, token, project)
    assert not may_push(zone, token, other)
