# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the playbooks: which names there are, and what was probably meant by others; pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from ._argspec import ArgumentSpec, readable_parameters
from ._errors import InvalidOptionError
from ._targets import HOW, WHERE, WHO
from ._text import is_blank

PREFIX = "appuio_"
_ALIKE = 0.75


def unknown_variables(names: Iterable[str], known: Iterable[str], prefix: str = PREFIX) -> list[str]:
    """Return a sentence for each name with the prefix that is none of those known, with the nearest one."""
    right = sorted(set(known))
    sentences = []
    for name in sorted(set(names) - set(right)):
        if not name.startswith(prefix):
            continue
        # A long prefix would make all names alike.
        alike = {PREFIX + one[len(prefix) :]: one for one in right if one.startswith(prefix)}
        near = difflib.get_close_matches(PREFIX + name[len(prefix) :], alike, 1, _ALIKE)
        hint = f"is {alike[near[0]]} meant?" if near else "variables of your own begin otherwise"
        sentences.append(f"{name} is no variable of appuio.registry: {hint}")
    return sentences


def mistaken_variables(
    names: Iterable[str], options: Mapping[str, Any], given: Mapping[str, Any], mistaken: Mapping[str, str]
) -> list[str]:
    """Return a sentence for each variable of another playbook that is taken for one of this, which has none."""
    return [
        f"{name} is a variable of other playbooks: is {mistaken[name]} meant?"
        for name in sorted(set(names) & set(mistaken) - set(options))
        if mistaken[name] in options and mistaken[name] not in given
    ]


def readable_variables(
    given: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Any], list[str]]:
    """Return the variables as their types want them, without what is blank, and a sentence for each that is wrong.

    Lists and mappings may be text, as for the modules' options.
    """
    readable: dict[str, Any] = {}
    sentences = []
    for name, value in given.items():
        if name not in options or is_blank(value):
            continue
        try:
            readable.update(readable_parameters({name: value}, ArgumentSpec({name: dict(options[name])})))
        except InvalidOptionError as error:
            sentences.append(str(error))
    return readable, sentences


def entry_of(host: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of the option ``zones`` that the variables of an inventory host amount to.

    The auth file is a credential where there is no other; else it is where a login writes to.
    """
    found = {option: variables.get(PREFIX + option) for option in (*WHERE, *WHO, *HOW)}
    entry = {option: value for option, value in found.items() if not is_blank(value)}
    if entry.keys() & set(WHO) > {"auth_file"}:
        entry.pop("auth_file", None)
    return {"zone": host, **entry}
