# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference of the playbooks' variables, as a page of the documentation; run this file to write the page anew."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SPECS = ROOT / "playbooks/meta/argument_specs.yml"
PAGE = ROOT / "docs/docsite/rst/playbooks.rst"
BEGIN = ".. The tables below are generated from playbooks/meta/argument_specs.yml.\n"
NOT_ON_ZONES = {"awx"}
_MARKUP = re.compile(r"\b[COVE]\(([^)]*)\)")


def specifications() -> dict[str, dict[str, Any]]:
    """Return the argument specification of each playbook, with which variables exclude or need each other."""
    specs: dict[str, dict[str, Any]] = yaml.safe_load(SPECS.read_text())["argument_specs"]
    variables = yaml.safe_load((ROOT / "playbooks/vars/run.yml").read_text())
    for rule in ("required_one_of", "mutually_exclusive"):
        for playbook, names in variables[f"_appuio_{rule}"].items():
            specs[playbook][rule] = names
    return specs


def reference() -> str:
    """Return the tables: what playbooks there are, and each variable with the playbooks that take it."""
    specs = specifications()
    lines = _table(["Playbook", "What it does"])
    for playbook, spec in specs.items():
        lines += _row([f"``appuio.registry.{playbook}``", spec["short_description"]])
    lines += ["", "Variables", "---------", ""]
    lines += _table(["Variable", "Type, default", "Playbooks", "Meaning"])
    for name in sorted({name for spec in specs.values() for name in spec["options"]}):
        meanings: dict[tuple[str, str], list[str]] = {}
        for playbook, spec in specs.items():
            if name in spec["options"]:
                rule = spec["options"][name]
                meanings.setdefault((_kind(rule), _words(rule)), []).append(playbook)
        for (kind, words), playbooks in meanings.items():
            named = "all on zones" if set(playbooks) == set(specs) - NOT_ON_ZONES else ", ".join(playbooks)
            lines += _row([f"``{name}``", kind, named, words])
    return "\n".join(lines) + "\n"


def _table(columns: list[str]) -> list[str]:
    return [".. list-table::", "   :header-rows: 1", "", *_row(columns)]


def _row(cells: list[str]) -> list[str]:
    return [f"   {'*' if number == 0 else ' '} - {cell}".rstrip() for number, cell in enumerate(cells)]


def _kind(rule: dict[str, Any]) -> str:
    kind = f"list of {rule['elements']}" if rule["type"] == "list" else rule["type"]
    if rule.get("required"):
        return f"{kind}, required"
    default = rule.get("default")
    shown = str(default).lower() if isinstance(default, bool) else default
    return kind if default is None else f"{kind}, ``{shown}``"


def _words(rule: dict[str, Any]) -> str:
    given = rule["description"]
    text = " ".join(given) if isinstance(given, list) else given
    if rule.get("choices"):
        text += f" One of {', '.join(f'V({choice})' for choice in rule['choices'])}."
    return _MARKUP.sub(r"``\1``", text)


if __name__ == "__main__":
    head = PAGE.read_text().partition(BEGIN)[0]
    PAGE.write_text(f"{head}{BEGIN}\n{reference()}")
