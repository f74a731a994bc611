# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definition of the pattern for Automation Platform; run this file to write it anew, with PYTHONPATH=.build/linked.

Source: "Ansible Pattern Specification", version 1.0.1, and its JSON schema, of ansible/pattern-service.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.appuio.registry.plugins.module_utils._awx.jobs import JOBS
from ansible_collections.appuio.registry.plugins.module_utils._awx.objects import ENVIRONMENT, controller_objects

from tests.unit.playbook_reference import ROOT, specifications

PATTERN = ROOT / "extensions/patterns/appuio_registry"
# What reads a file of the project: that of a pattern is the collection, where nobody writes one.
OF_A_PROJECT = {"sync"}
FILE = PATTERN / "meta/pattern.json"


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


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
