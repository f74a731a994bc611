# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks of the documentation: what their modules and roles say to the options, and what variables they read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from jinja2 import Environment, nodes

from tests.unit.documented_code import COLLECTION, ROOT, tasks_of
from tests.unit.module_arguments import MODULES, arguments

# Modules of Ansible that the documentation uses.
BUILTIN = {"assert", "copy", "debug", "include_role", "set_fact"}
KEYWORDS = {"become", "delegate_to", "loop", "loop_control", "name", "no_log", "register", "run_once", "vars", "when"}
# What Ansible gives to every template.
MAGIC = {"groups", "hostvars", "inventory_hostname", "item", "lookup", "omit", "playbook_dir", "query"}
EXPRESSIONS = {"changed_when", "failed_when", "that", "until", "when"}
SAMPLES: dict[str, Any] = {"bool": True, "int": 1, "float": 1.0, "list": [], "dict": {}}


def problems(document: Any) -> list[str]:
    """Return what modules and roles refuse of the tasks of a playbook, or of a list of tasks."""
    found = []
    for play, task in _with_plays(document):
        name = str(task.get("name", task))
        actions = [key for key in task if key not in KEYWORDS]
        if len(actions) != 1:
            found.append(f"{name}: {actions} is not one action")
            continue
        found += [f"{name}: {problem}" for problem in _problems_of(actions[0], task, play)]
    return found


def _with_plays(document: Any) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    for entry in document:
        play = entry if "hosts" in entry else {}
        for task in tasks_of([entry]):
            yield play, task


def _problems_of(action: str, task: Mapping[str, Any], play: Mapping[str, Any]) -> list[str]:
    collection, _separator, name = action.rpartition(".")
    given = task[action]
    if collection == "ansible.builtin" and name in BUILTIN:
        role = given.get("name", "") if name == "include_role" else ""
        if not role.startswith(COLLECTION):
            return []
        file = ROOT / "roles" / role.removeprefix(f"{COLLECTION}.") / "meta/argument_specs.yml"
        return _refused(task.get("vars", {}), yaml.safe_load(file.read_text())["argument_specs"]["main"]["options"], {})
    if collection != COLLECTION or name not in MODULES:
        return [f"{action} is no module that the documentation may use"]
    shared = play.get("module_defaults", {}).get(f"group/{COLLECTION}.appuio", {})
    rules = arguments(name)
    options = rules.pop("argument_spec")
    known = {option: value for option, value in shared.items() if option in options}
    return _refused({**known, **given}, options, rules)


def _refused(given: Mapping[str, Any], options: Mapping[str, Any], rules: Mapping[str, Any]) -> list[str]:
    names = ("mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by")
    between = {name: rules[name] for name in names if rules.get(name)}
    validator = ArgumentSpecValidator({name: dict(rule) for name, rule in options.items()}, **between)
    return list(validator.validate(_filled(given, options)).error_messages)


def _filled(given: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with a value of the right type where a template stands."""
    return {name: _value(value, options.get(name) or {}) for name, value in given.items()}


def _value(value: Any, rule: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and "{{" in value:
        return rule["choices"][0] if rule.get("choices") else SAMPLES.get(rule.get("type", "str"), value)
    if isinstance(value, list):
        return [_value(each, {"type": rule.get("elements", "str"), "options": rule.get("options")}) for each in value]
    if isinstance(value, dict) and rule.get("options"):
        return _filled(value, rule["options"])
    return value


def read_variables(value: Any, expression: bool = False) -> set[str]:
    """Return the variables that the templates in a document read, without those that they set themselves."""
    if isinstance(value, Mapping):
        return {name for key, each in value.items() for name in read_variables(each, expression or key in EXPRESSIONS)}
    if isinstance(value, list):
        return {name for each in value for name in read_variables(each, expression)}
    if not isinstance(value, str):
        return set()
    tree = Environment(autoescape=True).parse(f"{{{{ {value} }}}}" if expression and "{{" not in value else value)
    names = list(tree.find_all(nodes.Name))
    stored = {name.name for name in names if name.ctx == "store"}
    return {name.name for name in names if name.ctx == "load"} - stored - MAGIC


def set_variables(value: Any) -> set[str]:
    """Return the variables that a document sets: with register, vars, set_fact or as names of a loop."""
    found: set[str] = set()
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key in ("register", "loop_var"):
                found.add(str(each))
            elif key in ("vars", "ansible.builtin.set_fact"):
                found |= set(each)
            found |= set_variables(each)
    elif isinstance(value, list):
        for each in value:
            found |= set_variables(each)
    return found


def of_inventory() -> set[str]:
    """Return the variables of a zone that the inventory plugin sets."""
    text = (ROOT / "docs/docsite/rst/zones.rst").read_text()
    return set(re.findall(r"``(appuio_\w+)``", text))
