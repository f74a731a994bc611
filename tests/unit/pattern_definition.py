# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definition of the pattern for Automation Platform, and the argument specifications beside its playbooks.

Run this file to write them anew, with PYTHONPATH=.build/linked. Source: "Ansible Pattern Specification", version 1.0.0,
and its JSON schema, of ansible/pattern-service; the play argument specification of ansible-core.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.appuio.registry.plugins.module_utils._awx.jobs import JOBS, Job
from ansible_collections.appuio.registry.plugins.module_utils._awx.objects import ENVIRONMENT, controller_objects
from ansible_collections.appuio.registry.plugins.module_utils._awx.survey import plain_text

from tests.unit.playbook_reference import ROOT, specifications

PATTERN = ROOT / "extensions/patterns/appuio_registry"
# What reads a file of the project: that of a pattern is the collection, where nobody writes one.
OF_A_PROJECT = {"sync"}
FILE = PATTERN / "meta/pattern.json"
PLAYBOOKS = sorted(path for path in (PATTERN / "playbooks").glob("*.yml") if not path.name.endswith(".meta.yml"))
HEAD = """\
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
---
# Generated from playbooks/meta/argument_specs.yml of the collection: what a launch of this playbook is asked for.
"""


def definition() -> dict[str, Any]:
    """Return what the platform creates: project, execution environment, and job templates with surveys."""
    templates = controller_objects(specifications(), {})["controller_templates"]
    return {
        "schema_version": "1.0",
        "name": PATTERN.name,
        "title": "Push container images to APPUiO Cloud zones",
        "description": (
            "Gets container images into the integrated registries of APPUiO Cloud zones. It pushes an image to one or "
            "several zones, lets a tag for production point to it, rolls a tag back, removes tags that nobody needs, "
            "and tells in what the zones differ."
        ),
        "short_description": "Push, promote, roll back and prune container images in APPUiO Cloud zones",
        "tags": ["appuio", "cloud", "containers", "openshift", "registry"],
        "aap_resources": {
            "controller_project": {
                "name": "APPUiO registry",
                "description": "The playbooks of the collection appuio.registry",
            },
            "controller_execution_environment": {
                "name": ENVIRONMENT,
                "description": "What the playbooks of appuio.registry need",
                "image_name": "appuio/registry_ee",
                "pull": "missing",
            },
            "controller_labels": ["appuio"],
            "controller_job_templates": [
                _template(template, job.primary)
                for template, job in zip(templates, JOBS, strict=True)
                if job.playbook not in OF_A_PROJECT
            ],
        },
    }


def _template(template: dict[str, Any], primary: bool) -> dict[str, Any]:
    found = {
        "name": template["name"],
        "description": template["description"],
        "playbook": template["playbook"].rpartition("/")[2],
        "execution_environment": ENVIRONMENT,
        "primary": primary,
        "ask_credential_on_launch": True,
        "ask_inventory_on_launch": True,
        "labels": ["appuio"],
        "survey": template["survey_spec"],
    }
    variables = template["extra_vars"]
    return {**found, "extra_vars": json.dumps(variables)} if variables else found


def text() -> str:
    """Return the file."""
    return json.dumps(definition(), indent=2, ensure_ascii=False) + "\n"


def argument_spec_file(job: Job) -> Path:
    """Return where the argument specification of the playbook of a job lies."""
    return PATTERN / f"playbooks/{job.playbook}.meta.yml"


def argument_spec_text(job: Job) -> str:
    """Return the argument specification of the playbook of a job: what the survey asks for, and what the job sets."""
    spec = specifications()[job.playbook]
    kept = ("type", "elements", "required", "default", "choices", "no_log")
    options = {
        name: {
            "description": plain_text(spec["options"][name]),
            **{key: spec["options"][name][key] for key in kept if key in spec["options"][name]},
        }
        for name in (*job.asked, *job.variables)
    }
    for name in job.required:
        options[name]["required"] = True
    variables = "".join(f" -e {name}=..." for name in options if options[name].get("required"))
    found = {
        "short_description": spec["short_description"],
        "description": f"Imports the playbook appuio.registry.{job.playbook}, which checks its variables itself.",
        "argument_specs": {
            job.playbook: {
                "short_description": spec["short_description"],
                "description": ["What the inventory and the credential set is not listed."],
                "author": ["The appuio.registry authors (@appuio)"],
                "options": options,
                "examples": f"ansible-playbook -i inventory/zones.yml playbooks/{job.playbook}.yml{variables}",
            }
        },
    }
    return HEAD + yaml.dump(found, Dumper=_Indented, sort_keys=False, allow_unicode=True, width=110)


class _Indented(yaml.SafeDumper):
    """Indents lists as yamllint wants them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
    for each in JOBS:
        argument_spec_file(each).write_text(argument_spec_text(each), encoding="utf-8")
