# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds Python interpreters: on the path, and where pyenv and uv keep theirs."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"python3(\.\d+)?\Z")
_KEPT = (".pyenv/versions/*/bin", ".local/share/uv/python/*/bin")
_ASK = "import sys, ssl; print(*sys.version_info[:2], sys.base_prefix)"


@dataclass(frozen=True, order=True)
class Python:
    """An interpreter that starts and can speak TLS; ``version`` is major and minor."""

    version: tuple[int, int]
    path: str

    def __str__(self) -> str:
        return ".".join(str(part) for part in self.version)


@functools.cache
def interpreters() -> tuple[Python, ...]:
    """Return one interpreter for each minor version found, the newest first.

    The one that runs this comes before others of its version.
    """
    found: dict[tuple[int, int], Python] = {}
    for candidate in [sys.executable, *_candidates()]:
        python = _ask(candidate)
        if python is not None:
            found.setdefault(python.version, python)
    return tuple(sorted(found.values(), reverse=True))


def newest_python(lowest: tuple[int, int], highest: tuple[int, int]) -> Python | None:
    """Return the newest interpreter from ``lowest`` to ``highest``, both included, or None."""
    for python in interpreters():
        if lowest <= python.version <= highest:
            return python
    return None


def _candidates() -> list[str]:
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    for pattern in _KEPT:
        folders += sorted(Path.home().glob(pattern))
    found = []
    for folder in folders:
        try:
            found += sorted(str(path) for path in folder.iterdir() if _NAME.match(path.name))
        except OSError:
            continue
    return found


def _ask(candidate: str) -> Python | None:
    try:
        answer = subprocess.run(
            [candidate, "-c", _ASK], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=True
        )
        major, minor, _prefix = answer.stdout.split(maxsplit=2)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Python((int(major), int(minor)), candidate)
