# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The code in README, guides and plugin documentation, taken out so that tests can check and run it."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "appuio.registry"
GUIDES = sorted((ROOT / "docs/docsite/rst").glob("*.rst"))
# What readers of Galaxy, GitHub and a clone see beside the guides.
MARKDOWN = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "roles/*/README.md", "extensions/**/*.md", ".github/**/*.md")
    for path in ROOT.glob(pattern)
)


@dataclass(frozen=True)
class Block:
    """A code block: where it stands, its language and its text, and the name of the file that it is, if it says so."""

    place: str
    language: str
    text: str
    caption: str = ""

    def __str__(self) -> str:
        return self.place


def blocks() -> list[Block]:
    """Return the code blocks of README.md and the other Markdown files, and of the guides."""
    found = [block for path in MARKDOWN for block in markdown_blocks(path)]
    for guide in GUIDES:
        found += _restructured(guide)
    return found


def is_playbook(block: Block) -> bool:
    """Return whether a block is a whole playbook, as against some tasks of one."""
    if block.language != "yaml" or block.caption:
        return False
    content = yaml.safe_load(block.text)
    return isinstance(content, list) and "hosts" in content[0]


def markdown_blocks(path: Path) -> Iterator[Block]:
    """Yield the code blocks of a Markdown file."""
    for match in re.finditer(r"^```(\w+)\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL):
        yield Block(_place(path, match), match.group(1), match.group(2))


def plugin_examples() -> list[Block]:
    """Return the EXAMPLES of every plugin that has them."""
    return [
        Block(str(path.relative_to(ROOT)), "yaml", text)
        for path in sorted((ROOT / "plugins").glob("*/*.py"))
        if (text := plugin_text(path, "EXAMPLES"))
    ]


def plugin_text(path: Path, name: str) -> str:
    """Return a documentation string of a plugin, empty where it has none."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            value = ast.literal_eval(node.value)
            return str(value)
    return ""


def module_options(name: str) -> set[str]:
    """Return the options of a module of this collection, those of its fragments and aliases included."""
    path = ROOT / "plugins/modules" / f"{name}.py"
    documentation = yaml.safe_load(plugin_text(path, "DOCUMENTATION"))
    options = dict(documentation.get("options") or {})
    for fragment in documentation.get("extends_documentation_fragment") or []:
        file, _separator, part = fragment.removeprefix(f"{COLLECTION}.").partition(".")
        options.update(_fragment(file, part.upper() or "DOCUMENTATION"))
    return set(options) | {alias for option in options.values() for alias in option.get("aliases", [])}


def role_variables(name: str) -> set[str]:
    """Return the variables that a role documents."""
    specification = yaml.safe_load((ROOT / "roles" / name / "meta/argument_specs.yml").read_text())
    return set(specification["argument_specs"]["main"]["options"])


def tasks_of(document: Any) -> Iterator[dict[str, Any]]:
    """Yield every task of plays or of a task list, those in blocks included."""
    for entry in document if isinstance(document, list) else []:
        nested = [entry.get(key) or [] for key in ("pre_tasks", "tasks", "post_tasks", "block", "rescue", "always")]
        if not any(nested) and "hosts" not in entry:
            yield entry
        for tasks in nested:
            yield from tasks_of(tasks)


def playbook_variables(text: str) -> set[str]:
    """Return the names of the playbooks' variables that stand in the text."""
    return set(re.findall(r"\bappuio_[a-z_]+\b", re.sub(r"appuio\.registry\.\w+", "", text)))


def _fragment(file: str, part: str) -> dict[str, Any]:
    for node in ast.walk(ast.parse((ROOT / "plugins/doc_fragments" / f"{file}.py").read_text())):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == part:
            return dict(yaml.safe_load(str(ast.literal_eval(node.value))).get("options") or {})
    raise LookupError(f"{file}.py has no {part}")


def _restructured(path: Path) -> Iterator[Block]:
    pattern = r"^( *)\.\. code-block:: (\w+)\n(?:\1   :caption: (.+)\n)?\n((?:\1   .*\n|\n)+)"
    for match in re.finditer(pattern, path.read_text(), re.MULTILINE):
        yield Block(_place(path, match), match.group(2), textwrap.dedent(match.group(4)), match.group(3) or "")


def _place(path: Path, match: re.Match[str]) -> str:
    line = match.string.count("\n", 0, match.start()) + 1
    return f"{path.relative_to(ROOT)}:{line}"
