# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job templates, run with ansible-runner as AWX runs them; no AWX is there for it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.appuio.registry.plugins.module_utils._awx.jobs import JOBS, WORKFLOW

from tests.image import make_layout
from tests.integration.awx_job import Awx, JobResult
from tests.unit.test_collection import ROOT
from tests.zone import LocalZones

pytestmark = pytest.mark.thorough
PATTERN = ROOT / "extensions/patterns/appuio_registry"
QUERIES = ROOT / "extensions/audit/event_query.yml"
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


# Every question of every survey, answered as text; blank where it may be.
ANSWERS = {
    "appuio_namespace": "shop",
    "appuio_source": "oci:build:1.0",
    "appuio_name": "app",
    # Ansible reads 1.10 as a number, as a survey says where it asks for tags.
    "appuio_tags": '"1.10"',
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
    "appuio_tag": '"2.10"',
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
# Playbooks that a project of one's own may add, with answers of every kind.
ADDED = {
    "login": {"appuio_access": "pull, push", "appuio_verify": "true", "appuio_client": "podman", "appuio_pusher": ""},
    "rotate_tokens": {"appuio_pusher_grace": "1h", "appuio_pusher_role": "", "appuio_login": "yes"},
    "remove": {"appuio_login": "true", "appuio_pusher_service_account": " ", "appuio_timeout": "30"},
}
PLAYBOOKS = [*(job.playbook for job in JOBS), *ADDED]


@dataclass(frozen=True)
class Scene:
    """Two zones, the image that is pushed to them, and the jobs that have run, by their playbooks."""

    zones: LocalZones
    digest: str
    tokens: dict[str, str]
    jobs: dict[str, JobResult]
    promoted: JobResult
    report: Path


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """Run all jobs of two zones one after the other, with answers as surveys send them."""
    with LocalZones(2) as zones, tempfile.TemporaryDirectory(prefix="awx-") as temporary:
        folder, project = Path(temporary), Path(temporary) / "project"
        folder.chmod(0o755)
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
        for added in ADDED:
            play = {"name": added, "ansible.builtin.import_playbook": f"appuio.registry.{added}"}
            (project / f"playbooks/{added}.yml").write_text(json.dumps([play]))
        for path in (project, *project.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        awx = Awx(folder, project, STRANGER if _may_be_a_stranger() else ())
        synced = awx.synced("inventory/zones.yml")
        given = {
            "inventory": synced,
            "credential": {"appuio_tokens_yaml": "\n".join(f"{zone}: {token}" for zone, token in tokens.items())},
        }
        report = folder / "tmp/report.html"
        jobs = {}
        for job in JOBS:
            own = {"appuio_report": str(report)} if "appuio_report" in job.variables else {}
            answers = {name: ANSWERS[name].replace("DIGEST", digest) for name in job.asked}
            jobs[job.playbook] = awx.run(job.playbook, template={**job.variables, **own}, answers=answers, **given)
        # The second job of a workflow: AWX hands it the workflow's answers, and what the first has published.
        answers = {"appuio_namespace": "shop", "appuio_source": "oci:build:1.0", "appuio_name": "app"}
        answers.update({"appuio_tags": "staging", "appuio_tag": "approved"}, **jobs["push"].artifacts)
        promoted = awx.run("promote", template=WORKFLOW.variables, answers=answers, name="workflow", **given)
        for added, more in ADDED.items():
            answers = {"appuio_namespace": "shop", "appuio_auth_file": str(folder / "tmp/auth.json"), **more}
            jobs[added] = awx.run(added, template={}, answers=answers, **given)
        for path in (project, *project.rglob("*")):
            path.chmod(0o777)
        yield Scene(zones, digest, tokens, jobs, promoted, report)


def _may_be_a_stranger() -> bool:
    try:
        tried = subprocess.run([*STRANGER, sys.executable, "-c", ""], capture_output=True, check=False)
    except OSError:
        return False
    return tried.returncode == 0


def test_every_question_has_an_answer() -> None:
    assert {question for job in JOBS for question in job.asked} == set(ANSWERS)


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_each_job_succeeds_and_publishes_its_outcome(playbook: str, scene: Scene) -> None:
    job = scene.jobs[playbook].succeeded()
    outcome = job.artifacts["appuio_result"]
    assert outcome["playbook"] == playbook
    assert [zone["zone"] for zone in outcome["zones"]] == [zone.name for zone in scene.zones.zones]


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_each_job_is_quiet(playbook: str, scene: Scene) -> None:
    found = re.findall(r"^(?:TASK|RUNNING HANDLER) \[.*", scene.jobs[playbook].output, re.MULTILINE)
    assert 2 < len(found) <= 10, found


def test_the_jobs_have_done_their_work(scene: Scene) -> None:
    for zone in scene.zones.zones:
        assert zone.tags("shop", "base") == {"1": scene.digest}
        tags = dict.fromkeys(("1.10", "2.10", "approved"), scene.digest)
        assert zone.tags("shop", "app") == tags
    written = scene.report.stat()
    assert written.st_uid == (12345 if _may_be_a_stranger() else os.geteuid())
    assert scene.jobs["report"].artifacts["appuio_in_sync"] is True


def test_a_workflow_promotes_what_its_first_job_has_pushed(scene: Scene) -> None:
    assert scene.jobs["push"].artifacts["appuio_digest"] == scene.digest
    assert scene.promoted.succeeded().artifacts["appuio_digest"] == scene.digest


def test_nothing_that_awx_stores_of_a_job_holds_a_token(scene: Scene) -> None:
    for job in scene.jobs.values():
        files = [path for path in job.folder.rglob("*") if path.is_file()]
        assert job.folder / "stdout" in files
        for token in scene.tokens.values():
            assert not [path.name for path in files if token in path.read_text()]


def test_a_zone_is_a_node(scene: Scene) -> None:
    queries = yaml.safe_load(QUERIES.read_text())
    names = {zone.name for zone in scene.zones.zones}
    asked = {
        "push": ("Push the image", "appuio_image_push"),
        "promote": ("Move the tag", "appuio_image_tag"),
        "prune": ("Prune the tags", "appuio_image_prune"),
        "sync": ("Sync the images", "appuio_image_sync"),
        "report": ("Look at the images", "appuio_image_info"),
    }
    for playbook, (task, module) in asked.items():
        query = queries[f"appuio.registry.{module}"]["query"]
        found = scene.jobs[playbook].results(task)
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
