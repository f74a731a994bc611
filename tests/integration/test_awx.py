# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook awx, and the job templates that it creates, run as AWX runs them; no AWX is there for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.appuio.registry.plugins.module_utils._awx.jobs import JOBS

from tests.image import make_layout
from tests.integration.playbook import LINKED, PlaybookResult, run_playbook
from tests.unit.awx_arguments import ARGUMENTS, LISTS
from tests.unit.test_collection import ROOT
from tests.zone import LocalZones

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


@pytest.fixture(scope="module")
def jobs() -> Iterator[tuple[PlaybookResult, LocalZones, str, Path]]:
    """Run all jobs of two zones one after the other, with answers as surveys send them."""
    with LocalZones(2) as zones, tempfile.TemporaryDirectory(prefix="awx-") as temporary:
        folder, project = Path(temporary), Path(temporary) / "project"
        shutil.copytree(PATTERN, project)
        tokens = {zone.name: zone.create_user("ada", projects={"shop": "admin"}) for zone in zones.zones}
        listed = [
            {"zone": zone.name, "registry": zone.registry, "host": zone.host, "appuio_ca_cert": zone.ca_file}
            for zone in zones.zones
        ]
        inventory = {"plugin": "appuio.registry.zones", "zones": listed}
        (project / "inventory/zones.yml").write_text(json.dumps(inventory))
        digest = make_layout(project / "build", tag="1.0")
        images = {"images": [{"source": f"oci:{project}/build:1.0", "name": "base", "tags": ["1"]}]}
        (project / "images.yml").write_text(json.dumps(images))
        answers = {name: value.replace("DIGEST", digest) for name, value in ANSWERS.items()}
        (folder / "run/tmp").mkdir(parents=True)
        for path in (project, *project.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        for path in (folder, folder / "run", folder / "run/tmp"):
            path.chmod(0o777)
        user = STRANGER if _may_be_a_stranger() else ()
        result = run_playbook(
            f"playbooks/{JOBS[-1].playbook}.yml",
            folder / "run",
            inventory=project / "inventory/zones.yml",
            extra_vars={
                **answers,
                "appuio_login": False,
                "appuio_images_file": "images.yml",
                "appuio_report": str(folder / "run/report.html"),
                "appuio_tokens_yaml": "\n".join(f"{zone}: {token}" for zone, token in tokens.items()),
            },
            env={"HOME": None, "USER": None, "LOGNAME": None, "TMPDIR": str(folder / "run/tmp")},
            before=[f"playbooks/{job.playbook}.yml" for job in JOBS[:-1]],
            prefix=("env", f"--chdir={project}", *user),
        )
        for path in (project, *project.rglob("*")):
            path.chmod(0o777)
        yield result, zones, digest, folder


# Every question of every survey, answered as text; blank where it may be.
ANSWERS = {
    "appuio_namespace": "shop",
    "appuio_source": "oci:build:1.0",
    "appuio_name": "app",
    "appuio_tags": "1.10\n staging \n",
    "appuio_platforms": "",
    "appuio_existing_tags": "overwrite",
    "appuio_expected_digest": "DIGEST",
    "appuio_source_username": " ",
    "appuio_source_password": "",
    "appuio_referrers": "false",
    "appuio_check_quota": "warn",
    "appuio_atomic": "true",
    "appuio_pusher_state": "present",
    "appuio_pusher_service_account": "",
    "appuio_pusher_role": " ",
    "appuio_pusher_image_streams": "app\nother",
    "appuio_pusher_labels": "team=shop\nstage=test",
    "appuio_from": "DIGEST",
    "appuio_tag": "production",
    "appuio_following": "fail",
    "appuio_bad_digest": "sha256:" + "0" * 64,
    "appuio_to_digest": "",
    "appuio_revision": "1",
    "appuio_keep": "10",
    "appuio_older_than": "30d",
    "appuio_match": "",
    "appuio_protect": "",
    "appuio_max_delete": "50",
    "appuio_workload_namespaces": "",
    "appuio_empty_repositories": "keep",
    "appuio_delete": "none",
    "appuio_keep_going": "true",
    "appuio_image_tags": "",
}


def _may_be_a_stranger() -> bool:
    try:
        tried = subprocess.run([*STRANGER, sys.executable, "-c", ""], capture_output=True, check=False)
    except OSError:
        return False
    return tried.returncode == 0


def test_every_question_has_an_answer() -> None:
    assert {question for job in JOBS for question in job.asked} == set(ANSWERS)


def test_each_job_runs_as_awx_runs_it(jobs: tuple[PlaybookResult, LocalZones, str, Path]) -> None:
    result, zones, digest, folder = jobs
    result.succeeded()
    for zone in zones.zones:
        assert zone.tags("shop", "base") == {"1": digest}
        assert zone.tags("shop", "app") == {"1.10": digest, "staging": digest, "production": digest}
    written = (folder / "run/report.html").stat()
    assert written.st_uid == (12345 if _may_be_a_stranger() else os.geteuid())
    assert json.loads((folder / "run/report.json").read_text())["in_sync"] is True


def test_a_zone_is_a_node(jobs: tuple[PlaybookResult, LocalZones, str, Path]) -> None:
    result, zones, _digest, _folder = jobs
    queries = yaml.safe_load(QUERIES.read_text())
    names = {zone.name for zone in zones.zones}
    asked = {
        "Push the image": "appuio_image_push",
        "Move the tag": "appuio_image_tag",
        "Prune the tags": "appuio_image_prune",
        "Sync the images": "appuio_image_sync",
        "Look at the images": "appuio_image_info",
    }
    for task, module in asked.items():
        found = [one.result for one in result.tasks if one.task == task and one.status == "ok"]
        query = queries[f"appuio.registry.{module}"]["query"]
        assert {node["canonical_facts"]["zone"] for one in found for node in nodes(query, one)} == names, task
    query = queries["appuio.registry.appuio_registry_login"]["query"]
    one = {"registry": "registry.example", "invocation": {"module_args": {"zone": "a"}}}
    assert [node["name"] for node in nodes(query, one)] == ["a"]
    assert nodes(query, {**one, "failed": True}) == []
    several = {"zones": [{"zone": "a"}, {"zone": "b", "failed": True}]}
    assert [node["name"] for node in nodes(query, several)] == ["a"]
    synced = {
        "images": [{"name": "app", "zones": [{"zone": "a"}, {"zone": "b"}]}, {"name": "db", "zones": [{"zone": "a"}]}]
    }
    assert [node["name"] for node in nodes(query, synced)] == ["a", "b"]
    assert nodes(query, {"censored": "the output has been hidden"}) == []


def nodes(query: str, result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a query finds in the result of a task, as AWX runs it."""
    answer = subprocess.run(
        ["jq", "--compact-output", query], input=json.dumps(result), capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in answer.stdout.splitlines()]
