# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks cannot pass in silence: no zones, hosts that are none, wrong variables. No zone has to be there for it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.playbook import PlaybookResult, play, run_playbook
from tests.unit.test_collection import PLAYBOOKS

# Nobody answers there, so that a playbook that goes on fails with other words.
ZONE = {
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
    "appuio_zone": "cloudscale-lpg-2",
    "appuio_host": "https://127.0.0.1:1",
    "appuio_registry": "127.0.0.1:1",
    "appuio_token": "sha256~of-nobody",
    "appuio_retries": 0,
}
WANTED = {"namespace": "shop", "source": "oci:build", "tags": "1.0", "name": "app", "from": "staging", "keep": 1}
CALLED = "has to be called zones.yml or end in .zones.yml"


# The playbook awx runs on localhost and asks no zone.
EACH = [
    pytest.param(name, marks=[] if name == "push" else [pytest.mark.thorough]) for name in PLAYBOOKS if name != "awx"
]
# That all playbooks choose their hosts and begin alike is tested with the units, so that one is enough here.
LIMITS: list[list[str]] = [[], ["--limit", "cloudscale-lpg-2"]]


def run(
    folder: Path, playbook: str, *arguments: str, hosts: dict[str, Any] | None = None, **variables: Any
) -> PlaybookResult:
    wanted = {**WANTED, "tag": "prod"} if playbook in ("promote", "rollback") else WANTED
    given = {f"appuio_{name}": value for name, value in {**wanted, **variables}.items()}
    inventory = {"all": {"hosts": {"cloudscale-lpg-2": ZONE} if hosts is None else hosts}}
    return run_playbook(
        f"appuio.registry.{playbook}", folder, inventory=inventory, extra_vars=given, arguments=arguments
    )


def refused(result: PlaybookResult) -> str:
    """Return why; fails the test where anything but the check was done."""
    assert result.rc != 0, result.stdout
    assert {task.task for task in result.tasks} <= {"Check the zones and the variables"}, result.stdout
    return " ".join(result.stdout.split())


@pytest.mark.parametrize("limit", LIMITS)
def test_no_inventory(tmp_path: Path, limit: list[str]) -> None:
    result = run_playbook(
        "appuio.registry.push",
        tmp_path,
        inventory=tmp_path / "missing.yml",
        extra_vars={"appuio_namespace": "shop"},
        arguments=limit,
    )
    assert CALLED in refused(result)


def test_a_misnamed_file(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yml"
    path.write_text(json.dumps({"plugin": "appuio.registry.zones", "zones": ["cloudscale-lpg-2"]}))
    result = run_playbook("appuio.registry.push", tmp_path, inventory=path, extra_vars={"appuio_namespace": "shop"})
    assert CALLED in refused(result)


@pytest.mark.parametrize(("entry", "enabled"), [({"regsitry": "registry.example"}, "auto,yaml"), ({}, "yaml,ini")])
def test_a_file_that_is_not_read_comes_with_the_reason(tmp_path: Path, entry: dict[str, str], enabled: str) -> None:
    path = tmp_path / "zones.yml"
    zones = [{"zone": "cloudscale-lpg-2", **entry}]
    path.write_text(json.dumps({"plugin": "appuio.registry.zones", "zones": zones}))
    result = run_playbook(
        "appuio.registry.push",
        tmp_path,
        inventory=path,
        extra_vars={"appuio_namespace": "shop"},
        env={"ANSIBLE_INVENTORY_ENABLED": enabled},
    )
    assert "Warnings at the beginning of the output say why" in refused(result)
    assert "enable_plugins has to hold auto" in refused(result)
    assert ("Is registry meant?" in " ".join(result.stdout.split())) == bool(entry)


@pytest.mark.parametrize("limit", LIMITS)
def test_a_pattern_that_matches_no_zone(tmp_path: Path, limit: list[str]) -> None:
    text = refused(run(tmp_path, "push", *limit, zones="production"))
    assert "No host of the inventory matches appuio_zones=production" in text
    assert "cloudscale-lpg-2" in text


def test_a_pattern_that_matches_nothing_within_the_limit(tmp_path: Path) -> None:
    hosts = {"cloudscale-lpg-2": ZONE, "lab": ZONE}
    text = refused(run(tmp_path, "push", "--limit", "lab", hosts=hosts, zones="cloudscale-lpg-2"))
    assert "matches appuio_zones=cloudscale-lpg-2 within the limit lab" in text


@pytest.mark.parametrize("playbook", EACH)
def test_a_host_that_is_no_zone_is_told_and_not_connected_to(tmp_path: Path, playbook: str) -> None:
    hosts = {"web1": {"ansible_host": "127.0.0.1", "ansible_ssh_executable": "/nonexistent", "ansible_port": 1}}
    result = run(tmp_path, playbook, hosts=hosts)
    assert "web1 is no zone" in refused(result)
    assert not [task for task in result.tasks if task.status == "unreachable"]


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"existing_tag": "fail"},
            "appuio_existing_tag is no variable of appuio.registry: is appuio_existing_tags meant",
        ),
        ({"tag": "9.9", "tags": ""}, "appuio_tag is a variable of other playbooks: is appuio_tags meant?"),
        ({"elephants": 1}, "appuio_elephants is no variable of appuio.registry"),
        ({"existing_tags": "replace"}, "value of appuio_existing_tags must be one of: overwrite, keep, fail"),
        (
            {"tags": [1.10]},
            "appuio_tags holds 1.1, which may not be what was written: YAML reads 1.10 as 1.1. Put it in quotes",
        ),
        ({"jobs": "many"}, "argument 'appuio_jobs' is of type"),
        ({"atomic": "perhaps"}, "argument 'appuio_atomic' is of type"),
        ({"source": " "}, "one of the following is required: appuio_source, appuio_sources"),
    ],
)
def test_variables_that_are_wrong(tmp_path: Path, variables: dict[str, Any], sentence: str) -> None:
    assert sentence in refused(run(tmp_path, "push", **variables))


def test_text_and_blanks_are_right(tmp_path: Path) -> None:
    given = {
        "tags": "1.4\nlatest",
        "platforms": '["linux/amd64"]',
        "force": "no",
        "atomic": "",
        "jobs": "2",
        "proxy": "",
    }
    result = run(tmp_path, "push", **given)
    assert "Push the image" in result.results, result.stdout
    assert result.results["Check the zones and the variables"]["changed"] is False


def test_variables_of_other_playbooks_and_of_the_inventory_are_known(tmp_path: Path) -> None:
    zone = {**ZONE, "appuio_display_name": "LPG 2", "appuio_tokens": {}, "appuio_report": "out.html"}
    result = run(tmp_path, "push", hosts={"cloudscale-lpg-2": zone})
    assert "Push the image" in result.results, result.stdout


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("role", "mistyped", "meant"),
    [
        ("image_pusher", "image_pusher_tokne_kind", "image_pusher_token_kind"),
        ("registry_access", "registry_access_editor", "registry_access_editors"),
    ],
)
def test_a_mistyped_variable_of_a_role(tmp_path: Path, role: str, mistyped: str, meant: str) -> None:
    variables = {f"{role}_namespace": "shop", f"{role}_host": "https://127.0.0.1:1", mistyped: "x"}
    task = {"name": "Call", "ansible.builtin.include_role": {"name": f"appuio.registry.{role}"}, "vars": variables}
    result = run_playbook([play([task])], tmp_path)
    assert result.rc != 0
    assert f"{mistyped} is no variable of appuio.registry: is {meant} meant?" in " ".join(result.stdout.split())
    assert "127.0.0.1:1 refuses" not in result.stdout
