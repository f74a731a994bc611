# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What playbooks, surveys and CI variables send, brought to what an argument specification takes; pure.

Surveys of AWX send text for lists and blanks for what was not filled in; YAML reads 1.10 as the number 1.1.
"""

from __future__ import annotations

from typing import Any, Mapping

from ._argspec import CONNECTION, ZONE, ZONES, ArgumentSpec
from ._errors import InvalidOptionError
from ._text import as_list, as_mapping, as_texts, is_blank

# Blank, these say no more than when they are left out; what is missing then is told by what needs it.
_AS_NOT_GIVEN = frozenset({*ZONE.options, *ZONES.options, *CONNECTION.options})


def readable_parameters(given: Mapping[str, Any], spec: ArgumentSpec) -> dict[str, Any]:
    """Return the parameters of a task with lists and mappings as such, and without what is blank.

    Raises InvalidOptionError for a blank where the option has no default, since a variable behind it is empty, and
    for a number with a fraction where a text is wanted, since that is not what was written.
    """
    parameters = dict(given)
    for option, rule in spec.options.items():
        for name in (option, *rule.get("aliases", ())):
            if name not in parameters or parameters[name] is None:
                continue
            value = parameters[name]
            if is_blank(value):
                if "default" not in rule and option not in _AS_NOT_GIVEN:
                    raise InvalidOptionError(
                        f"{name} is empty", hint="The variable or command that it comes from gave nothing: give a value"
                    )
                del parameters[name]
            else:
                parameters[name] = _readable(name, value, rule)
    return parameters


def _readable(name: str, value: Any, rule: Mapping[str, Any]) -> Any:
    kind = rule.get("type", "str")
    if kind == "list":
        return as_texts(name, value) if rule.get("elements") == "str" else as_list(name, value)
    if kind == "dict":
        return as_mapping(name, value)
    if kind == "str" and isinstance(value, float):
        raise InvalidOptionError(
            f"{name} is the number {value!r}, which may not be what was written: YAML reads 1.10 as 1.1",
            hint="Put it in quotes",
        )
    return value
