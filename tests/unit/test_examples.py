# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EXAMPLES of every module are tasks that the module itself would accept."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from tests.unit.module_arguments import MODULES, arguments, module

OUTSIDE_ARGUMENTS = ("argument_spec",)
# A value for each type, in place of what a template would give.
STAND_INS = {
    "bool": True,
    "dict": {"key": "value"},
    "float": 1.0,
    "int": 1,
    "list": ["value"],
    "path": "/value",
    "raw": ["value"],
    "str": "value",
}


def tasks(name: str) -> Iterator[dict[str, Any]]:
    """Yield the options of each task of the module in its EXAMPLES."""
    examples = yaml.safe_load(module(name).EXAMPLES)
    yield from _tasks(examples, f"appuio.registry.{name}")


def _tasks(value: Any, action: str) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _tasks(item, action)
    elif isinstance(value, Mapping):
        if action in value:
            yield dict(value[action] or {})
        for item in value.values():
            yield from _tasks(item, action)


def faults(spec: dict[str, Any], options: Mapping[str, Any]) -> list[str]:
    """Return what the module would say about these options, templates filled in with values of the right type."""
    known = {alias: name for name, option in spec["argument_spec"].items() for alias in option.get("aliases", ())}
    given = {
        name: _filled(value, spec["argument_spec"].get(known.get(name, name), {})) for name, value in options.items()
    }
    rules = {rule: value for rule, value in spec.items() if rule not in OUTSIDE_ARGUMENTS}
    return list(ArgumentSpecValidator(spec["argument_spec"], **rules).validate(given).error_messages)


def _filled(value: Any, option: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and "{{" in value:
        choices = option.get("choices")
        return choices[0] if choices else STAND_INS[option.get("type", "str")]
    return value


@pytest.mark.parametrize("name", MODULES)
def test_the_module_accepts_its_examples(name: str) -> None:
    spec = arguments(name)
    found = list(tasks(name))
    assert len(found) >= 2, "a manual shows more than one use"
    assert [(options, fault) for options in found for fault in faults(spec, options)] == []


@pytest.mark.parametrize("name", MODULES)
def test_every_option_is_documented_with_its_type_default_and_choices(name: str) -> None:
    documented = _documentation(name)
    for option, taken in arguments(name)["argument_spec"].items():
        said = documented.pop(option, None)
        assert said is not None, f"{option} is not documented"
        assert said.get("type", "str") == taken.get("type", "str"), option
        assert said.get("elements") == taken.get("elements"), option
        assert said.get("default") == taken.get("default"), option
        assert list(said.get("choices") or ()) == list(taken.get("choices") or ()), option
        assert sorted(said.get("aliases", ())) == sorted(taken.get("aliases", ())), option
        assert bool(said.get("required")) == bool(taken.get("required")), option
    assert documented == {}, "documented, but not taken"


def _documentation(name: str) -> dict[str, dict[str, Any]]:
    """Return the documented options, those of the fragments first, as Ansible merges them."""
    said = yaml.safe_load(module(name).DOCUMENTATION)
    options: dict[str, dict[str, Any]] = {}
    for fragment in said.get("extends_documentation_fragment", ()):
        file, _separator, part = fragment.removeprefix("appuio.registry.").partition(".")
        fragments = importlib.import_module(f"ansible_collections.appuio.registry.plugins.doc_fragments.{file}")
        text = getattr(fragments.ModuleDocFragment, part.upper() or "DOCUMENTATION")
        options.update(yaml.safe_load(text).get("options") or {})
    for option, own in (said.get("options") or {}).items():
        options[option] = {**options.get(option, {}), **own}
    return options


SPEC = {
    "argument_spec": {
        "name": {"type": "str", "required": True},
        "count": {"type": "int", "aliases": ["number"]},
        "state": {"type": "str", "choices": ["present", "absent"]},
    },
    "mutually_exclusive": (("count", "state"),),
}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"name": "a", "unknown": 1},
        {"name": "a", "count": "many"},
        {"name": "a", "state": "gone"},
        {"name": "a", "count": 1, "state": "present"},
    ],
)
def test_a_wrong_example_is_noticed(options: dict[str, Any]) -> None:
    assert faults(SPEC, options)


def test_a_templated_example_passes() -> None:
    assert faults(SPEC, {"name": "{{ name }}", "number": "{{ count }}"}) == []
    assert faults(SPEC, {"name": "a", "state": "{{ state }}"}) == []
