# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collections ours depends on, taken out of the ``ansible`` package: no Galaxy server is needed."""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
import zipfile
from pathlib import Path

from . import BUILD, SetupError

# 11.0.0 carries the oldest dependencies that galaxy.yml takes: kubernetes.core 5.0.0, community.okd 4.0.0.
OLDEST, NEWEST = "11.0.0", "14.5.0"
# The last is what community.general depends on.
_WANTED = (
    "kubernetes/core",
    "community/okd",
    "community/general",
    "containers/podman",
    "community/library_inventory_filtering_v1",
)


def unpacked(version: str, python: str) -> Path:
    """Return a folder with the collections of this version of ``ansible``, fetched by the pip of ``python``.

    Raises SetupError.
    """
    target = BUILD / "collections" / f"ansible-{version}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / f".{version}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
                _unpack(_downloaded(version, python, Path(scratch)), Path(scratch) / "unpacked")
                os.replace(Path(scratch) / "unpacked", target)
    return target


def _unpack(wheel: Path, target: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        prefixes = tuple(f"ansible_collections/{name}/" for name in _WANTED)
        archive.extractall(target, [name for name in archive.namelist() if name.startswith(prefixes)])


def _downloaded(version: str, python: str, scratch: Path) -> Path:
    # Without its dependencies, and whatever Python it is meant for.
    options = ["-qq", "--no-deps", "--only-binary=:all:", "--python-version", "3.13", "--dest", str(scratch)]
    command = [python, "-m", "pip", "download", *options, f"ansible=={version}"]
    if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode:
        raise SetupError(f"the package ansible=={version} could not be fetched")
    return next(scratch.glob("ansible-*.whl"))
