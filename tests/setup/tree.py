# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkout as a collection: linked for tests, copied where a tool wants a real folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from . import places
from .locks import locked

_NAME = Path("ansible_collections") / "appuio" / "registry"


def linked() -> Path:
    """Return a folder for ANSIBLE_COLLECTIONS_PATH in which our collection is a link to the checkout."""
    folder = places.BUILD / "linked"
    link = folder / _NAME
    with locked("linked"):
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(places.ROOT, target_is_directory=True)
    return folder


def copied(name: str, tests: bool = True) -> Path:
    """Return the root of a fresh copy of the collection, in a folder of this name under ``.build/copies``.

    It holds what git tracks and what it would track, so nothing that was generated. It is a repository of
    its own where there is git: tools that look for one would otherwise find the checkout around it, in
    which all of this is ignored. Without ``tests``, the Python code of the tests is not in it.
    """
    target = places.BUILD / "copies" / name / _NAME
    shutil.rmtree(places.BUILD / "copies" / name, ignore_errors=True)
    for file in files():
        if not tests and file.parts[0] == "tests" and file.suffix == ".py":
            continue
        copy = target / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(places.ROOT / file, copy, follow_symlinks=False)
    if shutil.which("git"):
        subprocess.run(["git", "init", "--quiet"], cwd=target, stdin=subprocess.DEVNULL, check=True)
    return target


def files() -> list[Path]:
    """Return the files of the checkout that belong to it, relative to its root."""
    asked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=places.ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if asked.returncode == 0 and asked.stdout:
        names = [Path(os.fsdecode(name)) for name in asked.stdout.split(b"\0") if name]
    else:
        names = [path.relative_to(places.ROOT) for path in places.ROOT.rglob("*") if not path.is_dir()]
        names = [name for name in names if not _generated(name)]
    return sorted(name for name in set(names) if (places.ROOT / name).is_file())


def _generated(name: Path) -> bool:
    """Tell whether this is there only because something was run; for a checkout without git."""
    folders = (".build", ".git", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")
    return any(part in folders for part in name.parts)
