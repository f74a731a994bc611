# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages that the guides explain, that to troubleshooting above all, are those of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs/docsite/rst/troubleshooting.rst"
FIRST = ROOT / "docs/docsite/rst/getting_started.rst"
EXPLAINED = r"^``(.+)``\n   "
MESSAGES = re.findall(EXPLAINED, GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
MET_FIRST = re.findall(EXPLAINED, FIRST.read_text(encoding="utf-8"), re.MULTILINE)
# Ansible's own words, of missing_required_lib.
ANSIBLES = {"Failed to import the required Python library (kubernetes) on …"}


def text_of(node: ast.expr) -> str:
    """Return the text of a string, with an ellipsis for each value that is put into it."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) for part in node.values)
    return "…"


@pytest.fixture(scope="module")
def strings() -> str:
    """Return every string of the code, one a line, and what playbooks and roles say."""
    tasks = [*(ROOT / "playbooks/tasks").glob("*.yml"), *(ROOT / "roles").glob("*/tasks/*.yml")]
    found = [path.read_text(encoding="utf-8") for path in sorted(tasks)]
    for path in sorted((ROOT / "plugins/module_utils").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [text_of(node) for node in ast.walk(tree) if isinstance(node, (ast.Constant, ast.JoinedStr))]
    return "\n".join(found)


def test_there_are_messages() -> None:
    assert len(MESSAGES) >= 25
    assert len(set(MESSAGES)) == len(MESSAGES)
    assert len(set(MET_FIRST)) == len(MET_FIRST) >= 5


@pytest.mark.parametrize("message", sorted({*MESSAGES, *MET_FIRST} - ANSIBLES))
def test_message_is_in_the_code(message: str, strings: str) -> None:
    assert message in strings
