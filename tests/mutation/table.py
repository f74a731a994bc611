# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mutations: ``mutations/*.toml``, each a line of a file, what it becomes, and what would go wrong."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FOLDER = Path("plugins") / "module_utils"
_TABLES = Path(__file__).parent / "mutations"


class TableError(Exception):
    """The table and the code do not fit; the message names the entry."""


@dataclass(frozen=True)
class Mutation:
    """One line that is broken; ``harm`` says what would happen to users, ``tests`` which unit tests should notice."""

    file: str
    line: str
    becomes: str
    harm: str
    tests: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The file, relative to the root."""
        return _FOLDER / self.file

    def nearest_tests(self) -> list[str]:
        """Return what mirrors the file: the tests that bear its name, then the folder of its package."""
        folder = (Path("tests/unit") / self.path).parent
        named = sorted((ROOT / folder).glob(f"test_{self.path.stem.strip('_')}*.py"))
        of_package = [str(folder)] if folder.name != _FOLDER.name else []
        return [*(str(path.relative_to(ROOT)) for path in named), *of_package]

    def applied_to(self, text: str) -> str:
        """Return the text with the line broken; raises TableError unless it is there exactly once."""
        count = text.count(self.line)
        if count != 1:
            raise TableError(f"{self.file} has this {count} times, not once, so the table has to follow: {self.line}")
        return text.replace(self.line, self.becomes)


def entries() -> list[Mutation]:
    """Return all mutations, whether they fit or not."""
    return [
        Mutation(**{**entry, "tests": tuple(entry.get("tests", ()))})
        for table in sorted(_TABLES.glob("*.toml"))
        for entry in tomllib.loads(table.read_text(encoding="utf-8"))["mutation"]
    ]


def read() -> list[Mutation]:
    """Return all mutations; raises TableError, which names every one that fits its file no longer."""
    mutations, wrong = entries(), []
    for mutation in mutations:
        try:
            broken = mutation.applied_to((ROOT / mutation.path).read_text(encoding="utf-8"))
            compile(broken, mutation.file, "exec")
        except (OSError, SyntaxError, TableError) as error:
            wrong.append(str(error))
    if wrong:
        raise TableError("\n".join(wrong))
    return mutations
