# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The score, as a section of a document: what was there before and after it stays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .table import Mutation

BEGIN, END = "<!-- begin: make mutation -->", "<!-- end: make mutation -->"
_HEAD = """\
<!--
SPDX-FileCopyrightText: 2026 The appuio.registry authors
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Reliability
"""


def write(document: Path, noticed: Mapping[Mutation, bool]) -> None:
    """Put the score between its marks, at the end if they are not there yet."""
    text = document.read_text(encoding="utf-8") if document.exists() else _HEAD
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n{BEGIN}\n{END}\n"
    before, rest = text.split(BEGIN)
    _old, after = rest.split(END)
    document.write_text(f"{before}{BEGIN}\n{section(noticed)}{END}{after}", encoding="utf-8")


def section(noticed: Mapping[Mutation, bool]) -> str:
    """Return the section in Markdown: the score, a line for each package, and what nobody noticed."""
    packages: dict[str, list[bool]] = {}
    for mutation, seen in noticed.items():
        packages.setdefault(mutation.file.partition("/")[0], []).append(seen)
    percent = 100 * sum(noticed.values()) // max(len(noticed), 1)
    lines = [
        "## Would a test notice?",
        "",
        "`make mutation` breaks lines that guard images and credentials, one at a time, and runs the unit tests.",
        f"They noticed {sum(noticed.values())} of {len(noticed)} ({percent} %).",
        "",
        "| part | noticed | of |",
        "|---|---:|---:|",
        *(f"| `{package}` | {sum(seen)} | {len(seen)} |" for package, seen in sorted(packages.items())),
        "",
    ]
    survivors = [mutation for mutation, seen in noticed.items() if not seen]
    if survivors:
        lines += ["Nobody noticed:", ""]
        lines += [f"- `{mutation.file}`: {mutation.harm}" for mutation in survivors]
        lines += [""]
    return "\n".join(lines)
