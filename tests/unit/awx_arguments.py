# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of awx.awx that the playbook awx uses, with their types, as awx.awx 24.6 has them.

awx.awx cannot be installed for the tests: this is what they hold the playbook against.
"""

from __future__ import annotations

from typing import Any

_STR: dict[str, Any] = {"type": "str"}
_BOOL: dict[str, Any] = {"type": "bool"}
_DICT: dict[str, Any] = {"type": "dict"}
_TEXTS: dict[str, Any] = {"type": "list", "elements": "str"}
_NAME: dict[str, Any] = {"type": "str", "required": True}

ARGUMENTS: dict[str, dict[str, dict[str, Any]]] = {
    "organization": {"name": _NAME, "galaxy_credentials": _TEXTS},
    "credential_type": {
        "name": _NAME,
        "description": _STR,
        "kind": {"type": "str", "choices": ["ssh", "vault", "net", "scm", "cloud", "insights"]},
        "inputs": _DICT,
        "injectors": _DICT,
    },
    "credential": {
        "name": _NAME,
        "organization": _STR,
        "credential_type": _STR,
        "inputs": {"type": "dict", "no_log": True},
        "update_secrets": {"type": "bool", "no_log": False},
    },
    "execution_environment": {
        "name": _NAME,
        "image": {"type": "str", "required": True},
        "organization": _STR,
        "pull": {"type": "str", "choices": ["always", "missing", "never"]},
    },
    "project": {
        "name": _NAME,
        "organization": _STR,
        "scm_type": {"type": "str", "choices": ["manual", "git", "svn", "insights", "archive"]},
        "scm_url": _STR,
        "scm_branch": _STR,
        "credential": _STR,
        "default_environment": _STR,
        "scm_update_on_launch": _BOOL,
        "wait": _BOOL,
    },
    "inventory": {"name": _NAME, "organization": {"type": "str", "required": True}},
    "inventory_source": {
        "name": _NAME,
        "inventory": {"type": "str", "required": True},
        "organization": _STR,
        "source": {"type": "str", "choices": ["scm", "ec2", "gce", "azure_rm", "vmware", "openstack", "controller"]},
        "source_project": _STR,
        "source_path": _STR,
        "execution_environment": _STR,
        "overwrite": _BOOL,
        "overwrite_vars": _BOOL,
        "update_on_launch": _BOOL,
    },
    "job_template": {
        "name": _NAME,
        "description": _STR,
        "organization": _STR,
        "project": _STR,
        "playbook": _STR,
        "inventory": _STR,
        "execution_environment": _STR,
        "credentials": _TEXTS,
        "extra_vars": _DICT,
        "ask_credential_on_launch": _BOOL,
        "ask_diff_mode_on_launch": _BOOL,
        "ask_job_type_on_launch": _BOOL,
        "ask_limit_on_launch": _BOOL,
        "survey_enabled": _BOOL,
        "survey_spec": _DICT,
    },
    "workflow_job_template": {
        "name": _NAME,
        "description": _STR,
        "organization": _STR,
        "extra_vars": _DICT,
        "survey_enabled": _BOOL,
        "survey_spec": _DICT,
        "schema": {"type": "list", "elements": "dict"},
    },
}
# What a node of a workflow's schema holds; "related" has to name all four.
NODE = {"identifier", "unified_job_template", "related"}
RELATED = {"success_nodes", "failure_nodes", "always_nodes", "credentials"}
# The list of infra.aap_configuration: the module that its entries are for.
LISTS = {
    "controller_organizations": "organization",
    "controller_credential_types": "credential_type",
    "controller_credentials": "credential",
    "controller_execution_environments": "execution_environment",
    "controller_projects": "project",
    "controller_inventories": "inventory",
    "controller_inventory_sources": "inventory_source",
    "controller_templates": "job_template",
    "controller_workflows": "workflow_job_template",
}
# The role calls the schema of a workflow by another name than the module.
RENAMED = {"workflow_nodes": "schema"}
_DEFAULTS = {"text": str, "textarea": str, "password": str, "multiplechoice": str, "multiselect": str, "integer": int}


def survey_problems(survey: dict[str, Any]) -> list[str]:
    """Return what AWX and the platform's schema for patterns would refuse in a survey."""
    problems = [f"no {key}" for key in ("name", "description", "spec") if not survey.get(key)]
    seen: set[str] = set()
    for question in survey.get("spec") or ():
        variable, kind = question["variable"], question["type"]
        texts = (question["question_name"], question["question_description"], variable)
        if not all(isinstance(text, str) and text for text in texts) or not isinstance(question["required"], bool):
            problems.append(f"{variable}: a field is of another type")
        if variable in seen:
            problems.append(f"{variable}: asked twice")
        seen.add(variable)
        if kind not in _DEFAULTS:
            problems.append(f"{variable}: there is no type {kind}")
        elif "default" in question and type(question["default"]) is not _DEFAULTS[kind]:
            problems.append(f"{variable}: its default is of another type")
        if kind.startswith("multi"):
            choices = question.get("choices") or []
            default = question.get("default")
            if not choices or not all(isinstance(choice, str) for choice in choices):
                problems.append(f"{variable}: without choices")
            if default is not None and default not in choices:
                problems.append(f"{variable}: its default is no choice")
            # AWX takes a blank answer for text alone.
            if kind == "multiplechoice" and default is None and not question["required"]:
                problems.append(f"{variable}: cannot be left blank")
        if kind == "integer" and not question["required"]:
            problems.append(f"{variable}: cannot be left blank")
    return problems
