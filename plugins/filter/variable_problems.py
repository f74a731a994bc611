# Copyright: (c) 2026, The appuio.registry authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter appuio.registry.variable_problems."""

from __future__ import annotations

DOCUMENTATION = r"""
name: variable_problems
short_description: Validate the variables of a playbook
version_added: 1.0.0
author:
  - The appuio.registry authors (@appuio)
description:
  - Validates variables against an argument specification, as the first task of each playbook of this collection does,
    and returns the problems as sentences.
  - Lists and mappings can be text, and empty values count as not set, because surveys, variables of pipelines and C(-e
    name=value) send them. A number that YAML may have created from a version, such as 1.1 from 1.10, is a problem.
  - An unknown variable that starts with O(prefix) is reported together with the most similar known name. The roles of
    this collection only check this.
positional: _input, options, names, known
options:
  _input:
    description: The variables by their names. Variables that are not in O(options) are ignored.
    type: dict
    required: true
  options:
    description: The options of the argument specification, in the format of a role's C(meta/argument_specs.yml).
    type: dict
    required: true
  names:
    description: Names of all variables that are set.
    type: list
    elements: str
    default: []
  known:
    description: Names that are allowed in addition to those of O(options).
    type: list
    elements: str
    default: []
  mistaken:
    description:
      - Allowed names that are easily confused with one of O(options), with that option. They are a problem if the
        option is not set.
    type: dict
    default: {}
  required_one_of:
    description: Lists of names. At least one name of each list is required.
    type: list
    elements: list
    default: []
  mutually_exclusive:
    description: Lists of names. At most one name of each list can be set.
    type: list
    elements: list
    default: []
  prefix:
    description: Prefix of the names that have to be known.
    type: str
    default: appuio_
"""

EXAMPLES = r"""
- name: Find what is wrong
  ansible.builtin.debug:
    msg: "{{ {'appuio_jobs': 'many'} | appuio.registry.variable_problems({'appuio_jobs': {'type': 'int'}}) }}"
"""

RETURN = r"""
_value:
  description: A sentence for each problem; an empty list where there is none.
  type: list
  elements: str
  sample: ["appuio_existing_tag is no variable of appuio.registry: is appuio_existing_tags meant?"]
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values

from ..module_utils._variables import PREFIX, mistaken_variables, readable_variables, unknown_variables


def variable_problems(
    given: Mapping[str, Any],
    options: Mapping[str, Mapping[str, Any]],
    names: Iterable[str] = (),
    known: Iterable[str] = (),
    mistaken: Mapping[str, str] | None = None,
    required_one_of: Sequence[Sequence[str]] = (),
    mutually_exclusive: Sequence[Sequence[str]] = (),
    prefix: str = PREFIX,
) -> list[str]:
    """Return a sentence for each variable that is unknown, missing or no value of its option."""
    readable, problems = readable_variables(given, options)
    rules = {name: dict(rule) for name, rule in options.items()}
    validator = ArgumentSpecValidator(rules, mutually_exclusive, required_one_of=required_one_of)
    result = validator.validate(readable)
    wrong = [remove_values(str(message), result._no_log_values) for message in result.error_messages]
    names = list(names)
    misnamed = unknown_variables(names, {*options, *known}, prefix)
    return [*misnamed, *mistaken_variables(names, options, readable, mistaken or {}), *problems, *wrong]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filter by its name."""
        return {"variable_problems": variable_problems}
