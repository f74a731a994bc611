# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX is to have fits together, and the modules of awx.awx would take it."""

from __future__ import annotations

import importlib
import json
import re
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.appuio.registry.plugins.module_utils._awx.jobs import JOBS, Job
from ansible_collections.appuio.registry.plugins.module_utils._awx.objects import controller_objects

from tests.unit.awx_arguments import LISTS, MODULES, NODE, RELATED, arguments, problems, survey_problems
from tests.unit.pattern_definition import (
    FILE,
    OF_A_PROJECT,
    PATTERN,
    PLAYBOOKS,
    argument_spec_file,
    argument_spec_text,
    definition,
    text,
)
from tests.unit.playbook_reference import ROOT, specifications

SPECS = specifications()
URL = "https://git.example.com/images.git"
TOKENS = {"cloudscale-lpg-2": "sha256~of-lpg", "exoscale-ch-gva-2-0": "sha256~of-gva"}
FULL: dict[str, Any] = {
    "project_url": URL,
    "project_branch": "v1",
    "project_credential": "git",
    "image": "registry.example.com/appuio/registry_ee:1.0.0",
    "namespace": "shop",
    "pusher_tokens": TOKENS,
    "admin_tokens": "cloudscale-lpg-2=sha256~of-admin",
}


def objects(**settings: Any) -> dict[str, list[dict[str, Any]]]:
    return controller_objects(SPECS, {"project_url": URL, **settings})


@pytest.mark.parametrize("settings", [{}, FULL], ids=["least", "full"])
def test_the_modules_take_what_is_created(settings: dict[str, Any]) -> None:
    found = objects(**settings)
    assert list(found) == list(LISTS)
    for name, entries in found.items():
        for entry in entries:
            assert problems(LISTS[name], entry) == [], entry["name"]


@pytest.mark.parametrize("settings", [{}, FULL], ids=["least", "full"])
def test_what_refers_to_another_object_finds_it(settings: dict[str, Any]) -> None:
    found = objects(**settings)
    names = {LISTS[name]: {entry["name"] for entry in entries} for name, entries in found.items()}
    environments = names["execution_environment"] or {None}
    for template in found["controller_templates"]:
        assert template["project"] in names["project"]
        assert template["inventory"] in names["inventory"]
        assert template.get("execution_environment") in environments
        assert set(template["credentials"]) <= names["credential"]
        assert bool(template["credentials"]) == bool(settings)
        assert (PATTERN / template["playbook"]).is_file()
        assert (PATTERN / template["extra_vars"].get("appuio_images_file", "README.md")).is_file()
    for source in found["controller_inventory_sources"]:
        assert source["inventory"] in names["inventory"]
        assert source["source_project"] in names["project"]
        assert (PATTERN / source["source_path"]).is_file()
    for nodes in (workflow["workflow_nodes"] for workflow in found["controller_workflows"]):
        identifiers = {node["identifier"] for node in nodes}
        for node in nodes:
            assert (set(node), set(node["related"])) == (NODE, RELATED)
            assert {after["identifier"] for after in node["related"]["success_nodes"]} <= identifiers
            template = node["unified_job_template"]
            assert template["type"] == "workflow_approval" or template["name"] in names["job_template"]
    for credential in found["controller_credentials"]:
        assert credential["credential_type"] in names["credential_type"]


def test_the_workflow_waits_between_push_and_promotion() -> None:
    workflow = objects()["controller_workflows"][0]
    order = {node["identifier"]: node["related"]["success_nodes"] for node in workflow["workflow_nodes"]}
    assert order == {"push": [{"identifier": "approve"}], "approve": [{"identifier": "promote"}], "promote": []}
    survey = workflow["survey_spec"]
    assert survey_problems(survey) == []
    assert {one["variable"]: one.get("default") for one in survey["spec"] if one["required"]} == {
        "appuio_namespace": None,
        "appuio_source": None,
        "appuio_name": None,
        "appuio_tags": "staging",
        "appuio_tag": "production",
    }


def test_a_credential_has_the_token_of_each_zone() -> None:
    pushers, admin = objects(**FULL)["controller_credentials"]
    assert yaml.safe_load(pushers["inputs"]["tokens"]) == TOKENS
    assert yaml.safe_load(admin["inputs"]["tokens"]) == {"cloudscale-lpg-2": "sha256~of-admin"}
    assert pushers["description"].startswith("Tokens by zone, with the fingerprint ")
    assert pushers["description"] == objects(pusher_tokens=TOKENS)["controller_credentials"][0]["description"]
    other = {**TOKENS, "cloudscale-lpg-2": "sha256~rotated"}
    assert pushers["description"] != objects(pusher_tokens=other)["controller_credentials"][0]["description"]
    odd = {"zone": 'a"\n: b'}
    assert yaml.safe_load(objects(pusher_tokens=odd)["controller_credentials"][0]["inputs"]["tokens"]) == odd


def test_the_inventory_reads_what_the_credential_gives() -> None:
    injected = objects()["controller_credential_types"][0]["injectors"]["extra_vars"]
    assert injected == {"appuio_tokens_yaml": "{{ tokens }}"}
    assert "appuio_tokens_yaml" in (PATTERN / "inventory/group_vars/all.yml").read_text()


def test_what_the_inventory_says_is_not_asked_for() -> None:
    found = objects(unasked="appuio_namespace\nappuio_name", namespace="shop")
    asked = {one["variable"] for job in found["controller_templates"] for one in job["survey_spec"]["spec"]}
    assert asked.isdisjoint({"appuio_namespace", "appuio_name"})
    first = objects(namespace="shop")["controller_templates"][0]["survey_spec"]["spec"][0]
    assert (first["variable"], first["default"], first["required"]) == ("appuio_namespace", "shop", True)


def test_a_survey_without_questions_is_none() -> None:
    report = objects(unasked=["appuio_namespace", "appuio_name", "appuio_image_tags"])["controller_templates"][-1]
    assert (report["survey_enabled"], report["survey_spec"]) == (False, {})


def test_the_filter_says_what_is_wrong() -> None:
    module = importlib.import_module("ansible_collections.appuio.registry.plugins.filter.controller_objects")
    loaded = module.FilterModule().filters()["controller_objects"]
    assert loaded(SPECS, {"project_url": URL}) == objects()
    with pytest.raises(AnsibleFilterError, match="appuio_awx_pusher_tokens is no mapping"):
        loaded(SPECS, {"pusher_tokens": "nothing"})


def test_the_pattern_is_what_the_collection_says() -> None:
    assert FILE.read_text() == text(), (
        "run tests.unit.pattern_definition to write it anew, with PYTHONPATH=.build/linked"
    )


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.playbook)
def test_an_argument_specification_beside_each_playbook_is_what_its_survey_asks_for(job: Job) -> None:
    assert argument_spec_file(job).read_text() == argument_spec_text(job), "run tests.unit.pattern_definition"
    spec = yaml.safe_load(argument_spec_file(job).read_text())["argument_specs"][job.playbook]
    rules = {name: {key: rule[key] for key in rule if key != "description"} for name, rule in spec["options"].items()}
    needed = {name: "a" for name, rule in rules.items() if rule.get("required")}
    assert ArgumentSpecValidator(rules).validate(needed).error_messages == []
    assert set(needed) >= set(job.required)
    # AWX takes every file with such a line for a playbook.
    assert not re.search(r"^\s*-?\s*(hosts|import_playbook|ansible\.builtin\.import_playbook):", spec["examples"], re.M)


def test_the_pattern_is_one_that_the_platform_loads() -> None:
    found = json.loads(FILE.read_text())
    assert found["name"] == PATTERN.name
    assert re.fullmatch("[a-z0-9_]{1,64}", found["name"])
    assert len(found["title"]) <= 64
    assert not found["short_description"].endswith(".")
    assert (PATTERN / "README.md").is_file()
    resources = found["aap_resources"]
    templates = resources["controller_job_templates"]
    playbooks = [path.name for path in PLAYBOOKS if path.stem not in OF_A_PROJECT]
    assert sorted(template["playbook"] for template in templates) == playbooks
    assert [template["primary"] for template in templates].count(True) == 1
    for template in templates:
        assert len(template["name"]) <= 200
        assert all(re.fullmatch("[a-z0-9_]{1,64}", one["variable"]) for one in template["survey"]["spec"])
        assert template["execution_environment"] == resources["controller_execution_environment"]["name"]
        assert set(template["labels"]) <= set(resources["controller_labels"])
        assert survey_problems(template["survey"]) == []
        # The schema of patterns knows defaults as text only.
        assert all(isinstance(one.get("default", ""), str) for one in template["survey"]["spec"])
    assert definition() == found


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_a_playbook_of_the_project_imports_that_of_the_collection(path: Any) -> None:
    plays = yaml.safe_load(path.read_text())
    assert [play["ansible.builtin.import_playbook"] for play in plays] == [f"appuio.registry.{path.stem}"]


def test_awx_is_asked_by_nothing_that_is_always_loaded() -> None:
    """Whoever has no awx.awx runs everything else: its modules stand in a file that is included when it is needed."""
    naming = [
        path.relative_to(ROOT).as_posix()
        for folder in ("playbooks", "roles")
        for path in (ROOT / folder).rglob("*.yml")
        if any(line.strip().startswith("awx.awx.") for line in path.read_text().splitlines())
    ]
    assert naming == ["playbooks/tasks/awx.yml"]
    including = [path.name for path in (ROOT / "playbooks").rglob("*.yml") if "tasks/awx.yml" in path.read_text()]
    assert including == ["awx.yml"]
    assert "include_tasks: tasks/awx.yml" in (ROOT / "playbooks/awx.yml").read_text()


def test_the_tasks_name_options_of_the_modules() -> None:
    tasks = yaml.safe_load((ROOT / "playbooks/tasks/awx.yml").read_text())
    called = {action: set(task[action]) for task in tasks for action in task if action.startswith("awx.awx.")}
    assert {name.rpartition(".")[2] for name in called} == set(MODULES)
    for action, options in called.items():
        spec = arguments(action.rpartition(".")[2])["argument_spec"]
        assert options <= {name for option, rule in spec.items() for name in (option, *rule.get("aliases", ()))}, action


@pytest.mark.parametrize(
    ("module", "options", "problem"),
    [
        ("inventory", {"name": "a"}, "missing required arguments: organization"),
        ("inventory", {"name": "a", "organization": "b", "org": "c"}, "org. Supported parameters"),
        ("project", {"name": "a", "scm_type": "gut"}, "value of scm_type must be one of"),
        ("job_template", {"name": "a", "survey_enabled": "yes"}, "survey_enabled is no bool"),
        ("job_template", {"name": "a", "description": ["b"]}, "description is no str"),
        ("credential", {"name": "a", "credential_type": "b", "organization": "c", "team": "d"}, "mutually exclusive"),
    ],
)
def test_what_the_modules_refuse_is_a_problem(module: str, options: dict[str, Any], problem: str) -> None:
    assert problem in "; ".join(problems(module, options))
