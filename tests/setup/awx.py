# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection ``awx.awx``, unpacked from the archive of the Python package ``ansible``, as PyPI has none of its own.

Standard library only.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from . import BUILD, REQUIREMENTS, SetupError

REQUIREMENT = REQUIREMENTS / "awx.txt"
_COLLECTION = "ansible_collections/awx/awx/"


def unpacked() -> Path:
    """Return the folder, for a path of collections, in which ``awx.awx`` is; raises SetupError."""
    folder = BUILD / "awx"
    finished = folder / "made-of.txt"
    wanted = REQUIREMENT.read_text(encoding="utf-8")
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / ".awx.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two sessions may find it missing
        if not finished.is_file() or finished.read_text(encoding="utf-8") != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            _unpack(folder)
            finished.write_text(wanted, encoding="utf-8")
    return folder


def _unpack(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=BUILD) as downloads:
        options = ("--quiet", "--no-deps", "--only-binary=:all:", "--dest", downloads)
        command = [sys.executable, "-m", "pip", "download", *options, "--requirement", str(REQUIREMENT)]
        if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode:
            raise SetupError(f"awx.awx is in a package that pip does not get: {' '.join(command)}")
        (archive,) = Path(downloads).glob("*.whl")
        with zipfile.ZipFile(archive) as opened:
            members = [name for name in opened.namelist() if name.startswith(_COLLECTION)]
            if not members:
                raise SetupError(f"there is no awx.awx in {archive.name}")
            opened.extractall(folder, members)
