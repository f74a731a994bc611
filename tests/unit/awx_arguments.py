# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules of awx.awx that the playbook awx uses really take, and what AWX takes of a survey."""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
from types import ModuleType
from typing import Any
from unittest import mock

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from tests.setup import awx

MODULES = (
    "organization",
    "credential_type",
    "credential",
    "execution_environment",
    "project",
    "inventory",
    "inventory_source",
    "job_template",
    "workflow_job_template",
    "workflow_job_template_node",
)
_TYPES = {"str": str, "bool": bool, "dict": dict, "list": list, "int": int}
# What a node of a workflow's schema holds; "related" has to name all four.
NODE = {"identifier", "unified_job_template", "related"}
RELATED = {"success_nodes", "failure_nodes", "always_nodes", "credentials"}
# The list of infra.aap_configuration: the module that its entries are for.
LISTS = {
    "aap_organizations": "organization",
    "controller_credential_types": "credential_type",
    "controller_credentials": "credential",
    "controller_execution_environments": "execution_environment",
    "controller_projects": "project",
    "controller_inventories": "inventory",
    "controller_inventory_sources": "inventory_source",
    "controller_templates": "job_template",
    "controller_workflows": "workflow_job_template",
}
_DEFAULTS = {"text": str, "textarea": str, "password": str, "multiplechoice": str, "multiselect": str, "integer": int}


def module(name: str) -> ModuleType:
    """Return the imported module of awx.awx."""
    folder = str(awx.unpacked())
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(f"ansible_collections.awx.awx.plugins.modules.{name}")


@functools.cache
def arguments(name: str) -> dict[str, Any]:
    """Return what the module gives to AnsibleModule: its options, and which of them exclude each other."""
    found = module(name)
    of_all = found.ControllerAPIModule.AUTH_ARGSPEC
    with mock.patch.object(found, "ControllerAPIModule", side_effect=_Taken) as made, contextlib.suppress(_Taken):
        found.main()
    given = made.call_args.kwargs
    return {**given, "argument_spec": {**of_all, **given["argument_spec"]}}


class _Taken(Exception):
    """The arguments are known, and nothing else of the module is wanted."""


def problems(name: str, given: dict[str, Any]) -> list[str]:
    """Return what is wrong with these options of the module, also where Ansible would make a text of what is none."""
    found = arguments(name)
    spec = found["argument_spec"]
    validator = ArgumentSpecValidator(spec, mutually_exclusive=found.get("mutually_exclusive"))
    names = {alias: option for option, rule in spec.items() for alias in (option, *rule.get("aliases", ()))}
    wrong = list(validator.validate(given).error_messages)
    for option, value in given.items():
        wanted = spec.get(names.get(option, ""), {}).get("type", "str")
        if wanted in _TYPES and not isinstance(value, _TYPES[wanted]):
            wrong.append(f"{option} is no {wanted}: {value!r}")
    return wrong


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
