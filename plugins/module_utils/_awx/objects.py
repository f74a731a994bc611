# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX is to have, from the organization to the workflow, as ``infra.aap_configuration`` writes it down; pure.

Source: the argument specifications of the modules of ``awx.awx``; ``infra.aap_configuration``, roles ``controller_*``,
of which that for organizations takes a list of another prefix.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from .._text import as_mapping, as_texts
from .jobs import ADMIN, JOBS, PUSHER, WORKFLOW, Job
from .survey import survey_of

CREDENTIAL_TYPE = "APPUiO zone"
ENVIRONMENT, PROJECT, ZONES = "APPUiO", "APPUiO registry", "APPUiO zones"
_NAMESPACE = "appuio_namespace"
_SOURCE = "appuio_source"
_TOKENS = {PUSHER: "pusher_tokens", ADMIN: "admin_tokens"}


def controller_objects(
    specifications: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """Return the objects by the names that ``infra.aap_configuration`` gives their lists, in the order of creation.

    ``specifications`` are those of the playbooks, and ``settings`` the variables of the playbook ``awx`` without their
    prefix. A list and a mapping may be text. Raises InvalidOptionError.
    """
    return _Objects(specifications, settings).everything()


class _Objects:
    def __init__(self, specifications: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any]) -> None:
        self.specifications = specifications
        self.settings = {name: value for name, value in settings.items() if value not in (None, "")}
        self.organization = str(self.settings.get("organization", "APPUiO"))
        self.environment = ENVIRONMENT if self.settings.get("image") else ""
        self.unasked = set(as_texts("appuio_awx_unasked", self.settings.get("unasked")) or ())
        self.credentials = self._credentials()

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        organization = {"organization": self.organization}
        galaxy = as_texts("appuio_awx_galaxy_credentials", self.settings.get("galaxy_credentials", "Ansible Galaxy"))
        image = {"name": ENVIRONMENT, "image": self.settings.get("image"), "pull": "missing", **organization}
        found: dict[str, list[dict[str, Any]]] = {
            "aap_organizations": [{"name": self.organization, "galaxy_credentials": galaxy or []}],
            "controller_credential_types": [credential_type()],
            "controller_credentials": self.credentials,
            "controller_execution_environments": [image] if self.environment else [],
            "controller_projects": [self._project()],
            "controller_inventories": [{"name": ZONES, **organization}],
            "controller_inventory_sources": [self._inventory_source()],
            "controller_templates": [self._template(job) for job in JOBS],
            "controller_workflows": [self._workflow()],
        }
        return {name: [_without_blanks(entry) for entry in entries] for name, entries in found.items()}

    def _credentials(self) -> list[dict[str, Any]]:
        found = []
        for name, setting in _TOKENS.items():
            tokens = as_mapping(f"appuio_awx_{setting}", self.settings.get(setting))
            if tokens:
                # JSON is YAML, so that no token can end its line.
                lines = "\n".join(f"{json.dumps(zone)}: {json.dumps(str(token))}" for zone, token in tokens.items())
                own = {"name": name, "organization": self.organization, "credential_type": CREDENTIAL_TYPE}
                # AWX gives no token back: whether it has these shows in what it gives back.
                fingerprint = hashlib.sha256(lines.encode()).hexdigest()[:12]
                description = f"Tokens by zone, with the fingerprint {fingerprint}"
                found.append({**own, "description": description, "inputs": {"tokens": lines}})
        return found

    def _project(self) -> dict[str, Any]:
        return {
            "name": PROJECT,
            "organization": self.organization,
            "scm_type": "git",
            "scm_url": self.settings.get("project_url", ""),
            "scm_branch": self.settings.get("project_branch", ""),
            "credential": self.settings.get("project_credential", ""),
            "default_environment": self.environment,
            "scm_update_on_launch": True,
        }

    def _inventory_source(self) -> dict[str, Any]:
        return {
            "name": ZONES,
            "inventory": ZONES,
            "organization": self.organization,
            "source": "scm",
            "source_project": PROJECT,
            "source_path": self.settings.get("inventory_file", "inventory/zones.yml"),
            "execution_environment": self.environment,
            "overwrite": True,
            "overwrite_vars": True,
            "update_on_launch": True,
        }

    def _template(self, job: Job) -> dict[str, Any]:
        spec = self.specifications[job.playbook]
        there = [credential["name"] for credential in self.credentials]
        return {
            "name": job.name,
            "description": spec["short_description"],
            "organization": self.organization,
            "project": PROJECT,
            "playbook": f"playbooks/{job.playbook}.yml",
            "inventory": ZONES,
            "execution_environment": self.environment,
            "credentials": [job.credential] if job.credential in there else [],
            "extra_vars": dict(job.variables),
            "ask_credential_on_launch": True,
            "ask_diff_mode_on_launch": True,
            "ask_job_type_on_launch": True,
            "ask_limit_on_launch": True,
            **self._survey(job.name, spec["short_description"], spec["options"], job.asked, required=job.required),
        }

    def _workflow(self) -> dict[str, Any]:
        push, promote = (_job(name) for name in (WORKFLOW.push, WORKFLOW.promote))
        description = "Push an image to a tag for tests, and let the tag of production point to it when approved"
        options = {**self.specifications[promote.playbook]["options"], **self.specifications[push.playbook]["options"]}
        # Each question is that of its own playbook; the name of the image is optional for a push alone.
        options["appuio_name"] = self.specifications[promote.playbook]["options"]["appuio_name"]
        survey = self._survey(WORKFLOW.name, description, options, WORKFLOW.asked, WORKFLOW.defaults, WORKFLOW.required)
        approval = {"name": "Approve the promotion", "type": "workflow_approval", "timeout": 0}
        return {
            "name": WORKFLOW.name,
            "description": description,
            "organization": self.organization,
            "extra_vars": dict(WORKFLOW.variables),
            **survey,
            "workflow_nodes": [
                _node("push", self._runs(push), "approve"),
                _node("approve", approval, "promote"),
                _node("promote", self._runs(promote)),
            ],
        }

    def _runs(self, job: Job) -> dict[str, Any]:
        return {"name": job.name, "type": "job_template", "organization": {"name": self.organization}}

    def _survey(
        self,
        name: str,
        description: str,
        options: Mapping[str, Mapping[str, Any]],
        asked: tuple[str, ...],
        defaults: Mapping[str, str] | None = None,
        required: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        namespace = self.settings.get("namespace")
        known = {**(defaults or {}), **({_NAMESPACE: str(namespace)} if namespace else {})}
        # A blank answer would take the place of the project that the inventory may name; and of the variables that
        # name an image, a survey asks for one.
        needed = (*required, _NAMESPACE, _SOURCE)
        questions = [one for one in asked if one not in self.unasked]
        survey = survey_of(name, description, options, questions, known, needed) if questions else {}
        return {"survey_enabled": bool(survey), "survey_spec": survey}


def credential_type() -> dict[str, Any]:
    """Return the credential type: the token of each zone, as a variable of the job that AWX keeps out of its log."""
    tokens = {
        "id": "tokens",
        "type": "string",
        "label": "Tokens by zone",
        "help_text": "One zone a line, as cloudscale-lpg-2: sha256~…",
        "multiline": True,
        "secret": True,
    }
    return {
        "name": CREDENTIAL_TYPE,
        "description": "Tokens of APPUiO Cloud zones",
        "kind": "cloud",
        "inputs": {"fields": [tokens], "required": ["tokens"]},
        "injectors": {"extra_vars": {"appuio_tokens_yaml": "{{ tokens }}"}},
    }


def _without_blanks(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without what nothing is known of, so that AWX keeps what it has."""
    return {name: value for name, value in entry.items() if value != ""}


def _job(name: str) -> Job:
    return next(job for job in JOBS if job.name == name)


def _node(identifier: str, template: Mapping[str, Any], *then: str) -> dict[str, Any]:
    following = [{"identifier": one} for one in then]
    related = {"success_nodes": following, "failure_nodes": [], "always_nodes": [], "credentials": []}
    return {"identifier": identifier, "unified_job_template": dict(template), "related": related}
