# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The linters, type checker and documentation checks: each a command in the lint environment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from . import collections_wheel, places, tree
from .cells import NEWEST_DEPENDENCIES
from .commands import CommandFailed, run, surroundings
from .environments import Environment

_COLLECTION = "appuio.registry"
_PLUGINS = ("--python-version", "3.10", "-p", f"ansible_collections.{_COLLECTION}.plugins")
_TESTS = ("-p", "tests", "-m", "conftest")
_DOCUMENTED = ("module", "inventory", "filter", "role")


def checks(environment: Environment) -> dict[str, Callable[[TextIO], None]]:
    """Return every check under the name of its tool."""
    bin_ = environment.bin

    def command(*words: str | Path, **more: str) -> Callable[[TextIO], None]:
        return lambda log: run([bin_ / words[0], *words[1:]], log, env=_surroundings(environment, **more))

    cache = places.BUILD / "cache"
    return {
        "ruff check": command("ruff", "check", "--cache-dir", cache / "ruff", "."),
        "ruff format": command("ruff", "format", "--check", "--cache-dir", cache / "ruff", "."),
        "yamllint": command("yamllint", "--strict", "."),
        "ansible-lint": lambda log: _ansible_lint(environment, log),
        "mypy plugins": lambda log: _mypy(environment, _PLUGINS, log),
        "mypy tests": lambda log: _mypy(environment, _TESTS, log),
        "antsibull-docs": lambda log: _collection_docs(environment, log),
        "antsibull-changelog": command("antsibull-changelog", "lint"),
        "reuse": lambda log: _reuse(environment, log),
        "ansible-doc": lambda log: _ansible_doc(environment, log),
    }


def _surroundings(environment: Environment, **more: str) -> dict[str, str]:
    found = f"{tree.linked()}:{collections_wheel.folder(NEWEST_DEPENDENCIES)}"
    return surroundings(environment.bin, ANSIBLE_COLLECTIONS_PATH=found, **more)


def _ansible_lint(environment: Environment, log: TextIO) -> None:
    """On a copy, where the collection has its real path and the linter can leave what it makes."""
    copy = tree.copied("ansible-lint")
    env = _surroundings(environment)
    env["ANSIBLE_COLLECTIONS_PATH"] = f"{copy.parents[2]}:{collections_wheel.folder(NEWEST_DEPENDENCIES)}"
    run([environment.bin / "ansible-lint", "--offline", "--profile", "production", "--strict"], log, env=env, cwd=copy)


def _mypy(environment: Environment, what: tuple[str, ...], log: TextIO) -> None:
    command: list[str | Path] = [environment.bin / "mypy", "--cache-dir", places.BUILD / "cache" / "mypy", *what]
    run(command, log, env=_surroundings(environment, MYPYPATH=str(tree.linked())))


def _collection_docs(environment: Environment, log: TextIO) -> None:
    command: list[str | Path] = [environment.bin / "antsibull-docs", "lint-collection-docs", "--plugin-docs", "."]
    run(command, log, env=_surroundings(environment), cwd=tree.copied("antsibull-docs"))


def _reuse(environment: Environment, log: TextIO) -> None:
    run([environment.bin / "reuse", "lint"], log, env=_surroundings(environment), cwd=tree.copied("reuse"))


def _ansible_doc(environment: Environment, log: TextIO) -> None:
    """Render the manual page of every module, plugin and role; raises CommandFailed if one has none."""
    for kind in _DOCUMENTED:
        names = _documented(environment, kind, log)
        if kind in ("module", "role") and not names:
            raise CommandFailed(f"ansible-doc finds no {kind} of {_COLLECTION}")
        if names:
            run([environment.bin / "ansible-doc", "--type", kind, *names], log, env=_surroundings(environment))


def _documented(environment: Environment, kind: str, log: TextIO) -> list[str]:
    words = [str(environment.bin / "ansible-doc"), "--type", kind, "--list", "--json", _COLLECTION]
    asked = subprocess.run(
        words,
        env=_surroundings(environment),
        cwd=places.ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    log.write(asked.stderr)
    if asked.returncode:
        raise CommandFailed(f"ansible-doc --type {kind} --list ended with status {asked.returncode}")
    return sorted(json.loads(asked.stdout))
