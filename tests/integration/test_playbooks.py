# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of the collection, called by their names, on an inventory of one or two local zones."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.image import make_layout
from tests.integration.api import may_push
from tests.integration.playbook import PlaybookResult, play, run_playbook
from tests.zone import LocalZones, Zone

SUMMARY = "Tell what each zone has now"


@dataclass
class Stage:
    """Zones, a project of the test's own in each, an image, and an inventory beside its variables."""

    zones: list[Zone]
    folder: Path
    project: str
    digest: str = ""
    tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.digest = make_layout(self.folder / "build/app", tag="1.0", seed=self.project)
        self.tokens = {zone.name: zone.create_user("ada", projects={self.project: "admin"}) for zone in self.zones}
        listed = [{"zone": zone.name, "registry": zone.registry, "host": zone.host} for zone in self.zones]
        self._write("zones.yml", {"plugin": "appuio.registry.zones", "zones": listed})
        shared = {
            "appuio_namespace": self.project,
            "appuio_source": "oci:build/app:1.0",
            "appuio_tokens": self.tokens,
            "appuio_token": "{{ appuio_tokens[appuio_zone] }}",
            "appuio_ca_cert": self.zones[0].ca_file,
            "appuio_auth_file": str(self.folder / "auth.json"),
            "appuio_retries": 1,
            "appuio_retry_delay": 0.1,
        }
        self._write("group_vars/all.yml", shared)

    def play(self, playbook: str, *, check: bool = False, verbosity: int = 0, **variables: Any) -> PlaybookResult:
        """Run a playbook of the collection, with variables that start with appuio_."""
        for zone in self.zones:
            zone.clear_requests()
        return run_playbook(
            f"appuio.registry.{playbook}",
            self.folder,
            inventory=self.folder / "zones.yml",
            extra_vars={f"appuio_{name}": value for name, value in variables.items()},
            check=check,
            diff=True,
            verbosity=verbosity,
        )

    def tags(self, name: str = "app") -> list[dict[str, str]]:
        return [zone.tags(self.project, name) for zone in self.zones]

    def pusher_tokens(self) -> list[str]:
        """Return the tokens that the login has left."""
        auths = json.loads((self.folder / "auth.json").read_text())["auths"]
        return [auths[zone.registry]["auth"] for zone in self.zones]

    def writes(self) -> list[str]:
        return [f"{one['method']} {one['path']}" for zone in self.zones for one in zone.writes()]

    def _write(self, name: str, content: dict[str, Any]) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))


def changed(result: PlaybookResult) -> int:
    return len(result.succeeded().changed)


def summary(result: PlaybookResult) -> dict[str, dict[str, str]]:
    """Return the rows of the table in the end by zone; the columns of one whose push failed are what is wrong."""
    lines: list[str] = result.result(SUMMARY)["msg"]
    columns = lines[0].split()
    cells = [re.split(r"  +", line) for line in lines[1:] if "  " in line]
    return {row[0]: dict(zip(columns, row, strict=False)) for row in cells}


def headings(result: PlaybookResult) -> list[str]:
    return [line for line in result.stdout.splitlines() if line.startswith("TASK")]


@pytest.fixture(scope="module")
def started() -> Iterator[list[Zone]]:
    with LocalZones(2) as zones:
        yield zones.zones


@pytest.fixture
def stage(started: list[Zone], tmp_path: Path, request: pytest.FixtureRequest) -> Stage:
    project = "p" + hashlib.sha256(request.node.name.encode()).hexdigest()[:8]
    return Stage(started[: getattr(request, "param", 2)], tmp_path, project)


def test_rollout_first_and_again(stage: Stage) -> None:
    foreseen = stage.play("rollout", check=True)
    assert changed(foreseen) == 2
    assert stage.writes() == []
    assert "Its login and push cannot be foreseen" in " ".join(foreseen.stdout.split())

    first = stage.play("rollout", verbosity=4)
    assert changed(first) == 6
    assert stage.tags() == [{"1.0": stage.digest}] * 2
    assert list(summary(first)) == [zone.name for zone in stage.zones]
    for zone in stage.zones:
        row = summary(first)[zone.name]
        assert row["reference"] == f"{zone.registry}/{stage.project}/app:1.0"
        assert (row["digest"], row["changed"]) == (stage.digest.split(":")[1][:12], "yes")
        assert re.fullmatch(r"[1-9]\d* of [1-9]\d*", row["bytes"])
        assert float(row["seconds"]) >= 0
    assert f"digest {stage.digest}" in first.result(SUMMARY)["msg"]
    for token in [*stage.tokens.values(), *stage.pusher_tokens()]:
        assert token not in first.stdout

    again = stage.play("rollout")
    assert changed(again) == 0
    assert stage.writes() == []
    assert [(row["changed"], row["bytes"]) for row in summary(again).values()] == [("no", "0")] * 2


@pytest.mark.thorough
@pytest.mark.parametrize("stage", [1], indirect=True)
def test_the_parts_one_after_the_other(stage: Stage) -> None:
    made = stage.play("setup_pusher", pusher_role="system:image-builder")
    assert changed(made) == 1
    login = stage.play("login", service_account="image-pusher")
    assert changed(login) == 1
    assert changed(stage.play("login", service_account="image-pusher")) == 0
    pushed = stage.play("push", service_account="image-pusher", name="other", tags="x")
    assert changed(pushed) == 1
    assert stage.tags("other") == [{"x": stage.digest}]
    more: dict[str, Any] = {"service_account": "image-pusher", "name": "other", "tags": ["x", "latest"]}
    foreseen = stage.play("push", check=True, **more)
    assert changed(foreseen) == 1
    assert stage.writes() == []
    assert changed(stage.play("push", **more)) == 1
    assert stage.tags("other") == [{"x": stage.digest, "latest": stage.digest}]
    assert changed(stage.play("login", login_state="absent")) == 1
    tokens = [zone.token_for(stage.project, "image-pusher", "") for zone in stage.zones]
    assert all(may_push(zone, token, stage.project) for zone, token in zip(stage.zones, tokens, strict=True))
    assert changed(stage.play("setup_pusher", pusher_state="absent")) == 1
    assert not any(may_push(zone, token, stage.project) for zone, token in zip(stage.zones, tokens, strict=True))


@pytest.mark.thorough
@pytest.mark.parametrize("stage", [1], indirect=True)
def test_rotation_and_removal(stage: Stage) -> None:
    assert changed(stage.play("setup_pusher", pusher_role="system:image-builder")) == 1
    login = stage.play("login", service_account="image-pusher")
    assert changed(login) == 1
    before = stage.pusher_tokens()
    foreseen = stage.play("rotate_tokens", check=True)
    assert changed(foreseen) == 1
    assert stage.writes() == []
    rotated = stage.play("rotate_tokens", verbosity=4)
    assert changed(rotated) == 2
    after = stage.pusher_tokens()
    assert not any("rolebindings" in write for write in stage.writes()), "it keeps the role that it has"
    assert not set(before) & set(after)
    for token in after:
        assert token not in rotated.stdout
    foreseen = stage.play("remove", check=True)
    assert changed(foreseen) == 2
    assert stage.writes() == []
    assert changed(stage.play("remove")) == 2
    assert json.loads((stage.folder / "auth.json").read_text()).get("auths", {}) == {}
    assert changed(stage.play("remove")) == 0


@pytest.mark.thorough
def test_a_zone_that_is_down_does_not_hold_the_others_up(stage: Stage) -> None:
    with down(stage.zones[1], "registry"):
        result = stage.play("push")
    assert result.rc != 0
    assert stage.tags() == [{"1.0": stage.digest}, {}]
    lines = summary(result)
    assert lines[stage.zones[0].name]["changed"] == "yes"
    assert lines[stage.zones[1].name]["reference"].startswith("failed: ")


@pytest.mark.thorough
def test_all_or_none(stage: Stage) -> None:
    with down(stage.zones[1], "registry"):
        failed = stage.play("push", atomic=True)
    assert failed.rc != 0
    assert stage.tags() == [{}, {}]
    together = stage.play("push", atomic=True)
    assert changed(together) == 1
    assert stage.tags() == [{"1.0": stage.digest}] * 2
    assert len(summary(together)) == 2
    assert changed(stage.play("push", atomic=True)) == 0


@pytest.mark.parametrize("stage", [1], indirect=True)
def test_a_rollout_is_quiet_and_its_outcome_is_data(stage: Stage) -> None:
    (stage.folder / "github").write_text("earlier=1\n")
    first = stage.play("rollout", result_file="out.json").succeeded()
    assert len(headings(first)) <= 10
    written = (stage.folder / "out.json").read_text()
    outcome = json.loads(written)
    assert (outcome["playbook"], outcome["digest"], outcome["changed"]) == ("rollout", stage.digest, True)
    assert outcome["references"] == [f"{stage.zones[0].registry}/{stage.project}/app@{stage.digest}"]
    assert not [token for token in [*stage.tokens.values(), *stage.pusher_tokens()] if token in written]
    published = first.result("Publish the outcome")["ansible_stats"]["data"]
    assert published["appuio_result"] == outcome
    assert (published["appuio_digest"], published["appuio_references"]) == (stage.digest, outcome["references"])

    again = stage.play("rollout", atomic="yes", result_file="github")
    assert changed(again) == 0
    assert len(headings(again)) <= 10
    lines = (stage.folder / "github").read_text().splitlines()
    assert lines[:4] == ["earlier=1", "playbook=rollout", "changed=false", "failed=false"]
    assert f"digest={stage.digest}" in lines
    published = again.result("Publish the outcome")["ansible_stats"]["data"]
    assert published["appuio_result"]["zones"][0]["changed"] is False


@pytest.mark.parametrize("stage", [1], indirect=True)
@pytest.mark.parametrize("playbook", ["push", "setup_pusher"])
def test_where_every_zone_fails_the_outcome_is_told_all_the_same(stage: Stage, playbook: str) -> None:
    (zone,) = stage.zones
    with down(zone, "registry"), down(zone, "api"):
        failed = stage.play(playbook, atomic=True, result_file="out.json")
    assert failed.rc != 0
    outcome = json.loads((stage.folder / "out.json").read_text())
    assert (outcome["failed"], outcome["changed"], outcome["digest"]) == (True, False, "")
    (told,) = outcome["zones"]
    assert "refuses connections" in told["error"]
    lines = failed.result(SUMMARY)["msg"]
    assert lines == [f"{zone.name}  failed: {' '.join(told['error'].split())}"]


@pytest.mark.thorough
@pytest.mark.parametrize("stage", [1], indirect=True)
def test_a_push_with_what_an_earlier_login_has_left(stage: Stage) -> None:
    stage.play("login").succeeded()
    result = stage.play("push", token="")
    assert changed(result) == 1
    assert stage.tags() == [{"1.0": stage.digest}]


@pytest.mark.thorough
def test_all_or_none_without_every_pusher(stage: Stage) -> None:
    with down(stage.zones[1], "api"):
        failed = stage.play("rollout", atomic=True)
    assert failed.rc != 0
    assert "failed before the push, and appuio_atomic is set" in " ".join(failed.stdout.split())
    assert stage.tags() == [{}, {}]


@pytest.mark.parametrize("stage", [1], indirect=True)
def test_one_set_of_variables_serves_roles_and_modules(stage: Stage) -> None:
    (zone,) = stage.zones
    pusher = {"name": "Pusher", "ansible.builtin.include_role": {"name": "appuio.registry.image_pusher"}}
    variables = {"image_pusher_namespace": stage.project, "image_pusher_role": "system:image-builder"}
    zones = "{{ ansible_play_hosts | appuio.registry.zone_entries(hostvars) }}"
    info = {"name": "Info", "appuio.registry.appuio_image_info": {"zones": zones}}
    plays = [play([{**pusher, "vars": variables}, info], hosts="all")]
    ran = run_playbook(plays, stage.folder, inventory=stage.folder / "zones.yml").succeeded()
    assert may_push(zone, zone.token_for(stage.project, "image-pusher", ""), stage.project)
    assert [(one["zone"], one["failed"]) for one in ran.result("Info")["zones"]] == [(zone.name, False)]
    assert stage.tokens[zone.name] not in ran.stdout


@pytest.mark.thorough
@pytest.mark.parametrize("stage", [2], indirect=True)
@pytest.mark.parametrize("role", ["image_pusher", "registry_access"])
def test_a_role_takes_no_token_to_another_zone(stage: Stage, role: str) -> None:
    """The zone's own variables are of no use where the role is told another zone."""
    here, there = stage.zones
    elsewhere = {f"{role}_zone": there.name, f"{role}_host": there.host, f"{role}_ca_cert": there.ca_file}
    task = {"name": "Role", "ansible.builtin.include_role": {"name": f"appuio.registry.{role}"}}
    plays = [play([{**task, "vars": {f"{role}_namespace": stage.project, **elsewhere}}], hosts=here.name)]
    there.clear_requests()
    ran = run_playbook(plays, stage.folder, inventory=stage.folder / "zones.yml")
    assert ran.rc != 0
    assert "no credential is given" in " ".join(ran.stdout.split())
    assert there.requests() == []


@contextlib.contextmanager
def down(zone: Zone, side: str) -> Iterator[None]:
    """Stop a side of a zone for a while."""
    zone.stop(side)
    try:
        yield
    finally:
        zone.start(side)
