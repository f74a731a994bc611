# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook awx creates, with the modules of awx.awx, in a small controller; no AWX is there for it."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.appuio.registry.plugins.module_utils._awx.jobs import JOBS
from ansible_collections.appuio.registry.plugins.module_utils._awx.objects import controller_objects

from tests.integration.controller import TOKEN, Controller, running
from tests.integration.playbook import LINKED, run_playbook
from tests.unit.awx_arguments import LISTS, MODULES, module, problems
from tests.unit.module_arguments import handed_over
from tests.unit.pattern_definition import FILE, PATTERN, PLAYBOOKS
from tests.unit.playbook_reference import specifications
from tests.unit.test_collection import ROOT

pytestmark = pytest.mark.thorough
URL = "https://git.example.com/images.git"
TOKENS = {"cloudscale-lpg-2": "sha256~the-token-of-lpg"}
# Takes the place of a module of awx.awx: writes down what it was called with.
STUB = """
import json, os
from ansible.plugins.action import ActionBase

class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        with open(os.environ["APPUIO_TEST_CALLS"], "a") as calls:
            calls.write(json.dumps([self._task.action, self._task.args]) + "\\n")
        return {"changed": True}
"""


Calls = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> Calls:
    """Run the playbook, and return the modules that it calls, with their options."""
    folder = tmp_path_factory.mktemp("awx")
    actions = folder / "collections/ansible_collections/awx/awx/plugins/action"
    actions.mkdir(parents=True)
    for name in MODULES:
        (actions / f"{name}.py").write_text(STUB)
    calls = folder / "calls"
    result = run_playbook(
        "appuio.registry.awx",
        folder,
        collections_path=f"{LINKED}:{folder / 'collections'}",
        extra_vars={
            "appuio_awx_project_url": URL,
            "appuio_awx_image": "registry.example.com/appuio/registry_ee",
            "appuio_awx_pusher_tokens": TOKENS,
            "appuio_awx_unasked": "appuio_image_tags",
        },
        env={"APPUIO_TEST_CALLS": str(calls)},
        verbosity=3,
    ).succeeded()
    assert TOKENS["cloudscale-lpg-2"] not in result.stdout
    found = [json.loads(line) for line in calls.read_text().splitlines()]
    return [(name.rpartition(".")[2], options) for name, options in found]


def test_everything_is_created_with_options_that_awx_awx_takes(called: Calls) -> None:
    for name, options in called:
        assert problems(name, options) == [], name
    assert [name for name, _options in called if name.endswith("job_template")] == [
        *["job_template"] * len(JOBS),
        "workflow_job_template",
    ]
    by_module = dict(called)
    assert set(by_module) == set(MODULES)
    assert by_module["credential_type"]["injectors"] == {"extra_vars": {"appuio_tokens_yaml": "{{ tokens }}"}}
    assert yaml.safe_load(by_module["credential"]["inputs"]["tokens"]) == TOKENS
    assert by_module["job_template"]["execution_environment"] == "APPUiO"
    assert "scm_branch" not in by_module["project"]


def run_modules(called: Calls) -> dict[str, bool]:
    """Run the modules of awx.awx in this process; return which of them have changed something, by kind and name."""
    changed: dict[str, bool] = {}
    for name, options in called:
        printed = io.StringIO()
        with redirect_stdout(printed), handed_over(options), pytest.raises(SystemExit):
            module(name).main()
        result = json.loads(printed.getvalue())
        assert not result.get("failed"), result["msg"]
        assert not result.get("warnings"), result["warnings"]
        key = f"{name} {options.get('name') or options['identifier']}"
        changed[key] = changed.get(key, False) or result["changed"]
    return changed


def with_tokens(called: Calls, **tokens: str) -> Calls:
    """Return the calls that other tokens amount to."""
    (credential,) = controller_objects(specifications(), {"pusher_tokens": tokens})["controller_credentials"]
    return [(name, {**options, **credential} if name == "credential" else options) for name, options in called]


def test_a_controller_gets_all_of_it_and_a_second_run_changes_nothing_but_other_tokens(
    called: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))  # the modules look for a file of settings there
    monkeypatch.setenv("CONTROLLER_OAUTH_TOKEN", TOKEN)
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)  # read for each request, and needed for none
    with running({path.relative_to(PATTERN).as_posix() for path in PLAYBOOKS}) as controller:
        monkeypatch.setenv("CONTROLLER_HOST", controller.url)
        assert all(run_modules(called).values())
        again = run_modules(called)
        other = run_modules(with_tokens(called, **{"cloudscale-lpg-2": "sha256~rotated"}))
        sent = controller.inputs["APPUiO pushers"]
    assert [name for name, changed in again.items() if changed] == []
    assert [name for name, changed in other.items() if changed] == ["credential APPUiO pushers"]
    assert yaml.safe_load(sent["tokens"]) == {"cloudscale-lpg-2": "sha256~rotated"}
    templates = controller.named("job_templates")
    assert set(templates) == {job.name for job in JOBS}
    project = controller.named("projects")["APPUiO registry"]["id"]
    assert {template["project"] for template in templates.values()} == {project}
    assert {len(controller.surveys[template["id"]]["spec"]) > 0 for template in templates.values()} == {True}
    nodes = {node["identifier"]: node for node in controller.objects["workflow_job_template_nodes"].values()}
    assert set(nodes) == {"push", "approve", "promote"}
    for before, after in (("push", "approve"), ("approve", "promote")):
        followed = controller.associated[f"workflow_job_template_nodes/{nodes[before]['id']}/success_nodes"]
        assert followed == [nodes[after]["id"]]
    pushers = controller.named("credentials")["APPUiO pushers"]["id"]
    assert controller.associated[f"job_templates/{templates['APPUiO: push']['id']}/credentials"] == [pushers]


def test_the_platform_loads_the_pattern() -> None:
    """It posts what the definition holds, with the paths of the collection, which is the project."""
    resources = json.loads(FILE.read_text())["aap_resources"]
    folder = PATTERN.relative_to(ROOT).as_posix()
    controller = Controller({path.relative_to(ROOT).as_posix() for path in PLAYBOOKS})

    def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        status, found = controller.answer("POST", f"/api/v2/{path}/", {}, body)
        assert status in (200, 201)
        return found

    organization = {"organization": post("organizations", {"name": "Default"})["id"]}
    project = post("projects", {**resources["controller_project"], **organization, "scm_type": "archive"})["id"]
    environment = dict(resources["controller_execution_environment"])
    image = f"hub.example.com/{environment.pop('image_name')}"
    environment_id = post("execution_environments", {**environment, **organization, "image": image})["id"]
    for given in resources["controller_job_templates"]:
        template = {name: value for name, value in given.items() if name not in ("survey", "primary")}
        playbook = f"{folder}/playbooks/{given['playbook']}"
        where = {"project": project, "execution_environment": environment_id, "playbook": playbook}
        made = post("job_templates", {**template, **organization, **where})
        post(f"job_templates/{made['id']}/survey_spec", given["survey"])
    assert len(controller.surveys) == len(resources["controller_job_templates"]) == len(JOBS) - 1


def test_the_variables_of_aap_configuration_are_written_without_tokens_and_without_awx(tmp_path: Path) -> None:
    given = {"project_url": URL, "pusher_tokens": TOKENS, "file": "controller.yml"}
    extra_vars = {f"appuio_awx_{name}": value for name, value in given.items()}
    run_playbook("appuio.registry.awx", tmp_path, extra_vars=extra_vars).succeeded()
    text = (tmp_path / "controller.yml").read_text()
    assert TOKENS["cloudscale-lpg-2"] not in text
    found = yaml.load(text, Loader=Unsafe)  # noqa: S506 it is a safe loader that knows one tag more
    assert list(found) == list(LISTS)
    assert found["controller_credential_types"][0]["injectors"]["extra_vars"] == {
        "appuio_tokens_yaml": ("!unsafe", "{{ tokens }}")
    }
    assert found["controller_credentials"] == [
        {
            "name": "APPUiO pushers",
            "organization": "APPUiO",
            "credential_type": "APPUiO zone",
            "update_secrets": False,
        }
    ]
    assert [template["name"] for template in found["controller_templates"]] == [job.name for job in JOBS]


class Unsafe(yaml.SafeLoader):
    """Reads !unsafe, which keeps Ansible from putting something in."""


Unsafe.add_constructor("!unsafe", lambda loader, node: ("!unsafe", loader.construct_scalar(node)))
