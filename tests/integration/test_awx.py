# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook awx, and the job templates that it creates, run as AWX runs them; no AWX is there for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.appuio.registry.plugins.module_utils._awx.jobs import JOBS

from tests.integration.playbook import LINKED, run_playbook
from tests.unit.awx_arguments import ARGUMENTS, LISTS
from tests.unit.test_collection import ROOT

pytestmark = pytest.mark.thorough
URL = "https://git.example.com/images.git"
TOKENS = {"cloudscale-lpg-2": "sha256~the-token-of-lpg"}
PATTERN = ROOT / "extensions/patterns/appuio_registry"
QUERIES = ROOT / "extensions/audit/event_query.yml"
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
# A user without an entry in passwd, who may write nowhere but where everybody may. The tests' Python may lie where only
# root reads, so this user reads everything.
STRANGER = (
    "setpriv",
    "--reuid=12345",
    "--regid=12345",
    "--clear-groups",
    "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
)


def test_everything_is_created_with_options_that_awx_awx_takes(tmp_path: Path) -> None:
    actions = tmp_path / "collections/ansible_collections/awx/awx/plugins/action"
    actions.mkdir(parents=True)
    for name in ARGUMENTS:
        (actions / f"{name}.py").write_text(STUB)
    calls = tmp_path / "calls"
    result = run_playbook(
        "appuio.registry.awx",
        tmp_path,
        collections_path=f"{LINKED}:{tmp_path / 'collections'}",
        extra_vars={
            "appuio_awx_project_url": URL,
            "appuio_awx_image": "registry.example.com/appuio/registry_ee",
            "appuio_awx_pusher_tokens": TOKENS,
        },
        env={"APPUIO_TEST_CALLS": str(calls)},
        verbosity=3,
    ).succeeded()
    called = [json.loads(line) for line in calls.read_text().splitlines()]
    assert [name for name, _args in called if name.endswith("job_template")][:-1] == ["awx.awx.job_template"] * len(
        JOBS
    )
    for name, args in called:
        spec = ARGUMENTS[name.rpartition(".")[2]]
        assert ArgumentSpecValidator(spec).validate(args).error_messages == [], name
    by_module: dict[str, dict[str, Any]] = {name.rpartition(".")[2]: args for name, args in called}
    assert set(by_module) == set(ARGUMENTS)
    assert by_module["credential_type"]["injectors"] == {"extra_vars": {"appuio_tokens_yaml": "{{ tokens }}"}}
    assert yaml.safe_load(by_module["credential"]["inputs"]["tokens"]) == TOKENS
    assert by_module["job_template"]["execution_environment"] == "APPUiO"
    assert "scm_branch" not in by_module["project"]
    assert TOKENS["cloudscale-lpg-2"] not in result.stdout


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
