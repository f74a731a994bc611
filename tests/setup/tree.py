# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkout as a collection: linked for tests, copied where a tool wants a real folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from . import BUILD, ROOT

_NAME = Path("ansible_collections") / "appuio" / "registry"


def linked() -> Path:
    """Return a folder for ANSIBLE_COLLECTIONS_PATH in which our collection is a link to the checkout."""
    link = BUILD / "linked" / _NAME
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        try:
            link.symlink_to(ROOT, target_is_directory=True)
        except FileExistsError:  # made by another session meanwhile
            pass
    return BUILD / "linked"


def copied(name: str, python_of_tests: bool = True) -> Path:
    """Return the root of a fresh copy of the collection, in a folder of this name under ``.build/copies``.

    It holds what git tracks and what it would track, so nothing that was generated. It is a repository of
    its own: tools that look for one would otherwise find the checkout around it, in which all of this is ignored.
    """
    target = BUILD / "copies" / name / _NAME
    shutil.rmtree(BUILD / "copies" / name, ignore_errors=True)
    for file in files():
        if not python_of_tests and file.parts[0] == "tests" and file.suffix == ".py":
            continue
        copy = target / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, copy, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet"], cwd=target, stdin=subprocess.DEVNULL, check=True)
    return target


def files() -> list[Path]:
    """Return the files of the checkout that belong to it, relative to its root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    names = {Path(os.fsdecode(name)) for name in answer.stdout.split(b"\0") if name}
    return sorted(name for name in names if (ROOT / name).is_file())
