# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collections ours depends on, taken out of the ``ansible`` package: no Galaxy server is needed."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TextIO

from . import places
from .commands import CommandFailed, as_the_user, run
from .failure import SetupFailed
from .locks import locked

# The last is what community.general depends on.
_WANTED = (
    "kubernetes/core",
    "community/okd",
    "community/general",
    "containers/podman",
    "community/library_inventory_filtering_v1",
)


def folder(version: str) -> Path:
    """Return the folder that holds ``ansible_collections`` of this version of the ``ansible`` package."""
    return places.COLLECTIONS / f"ansible-{version}"


def unpack(version: str, python: Path, log: TextIO) -> None:
    """Put the collections of this version of ``ansible`` into their folder, once, with the pip of ``python``.

    Raises SetupFailed.
    """
    target = folder(version)
    with locked(f"collections-{version}"):
        if target.exists():
            log.write(f"{target} is there\n")
            return
        places.COLLECTIONS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=places.COLLECTIONS) as scratch:
            wheel = _download(version, python, Path(scratch), log)
            fresh = Path(scratch) / "unpacked"
            with zipfile.ZipFile(wheel) as archive:
                prefixes = tuple(f"ansible_collections/{name}/" for name in _WANTED)
                members = [name for name in archive.namelist() if name.startswith(prefixes)]
                archive.extractall(fresh, members)
            for name in _WANTED:
                if not (fresh / "ansible_collections" / name / "MANIFEST.json").is_file():
                    raise SetupFailed(f"ansible {version} holds no collection {name.replace('/', '.')}")
            os.replace(fresh, target)


def _download(version: str, python: Path, scratch: Path, log: TextIO) -> Path:
    """Return the wheel; without its dependencies, and whatever Python it is meant for."""
    options = ["--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.13", "--dest", str(scratch)]
    command: list[str | Path] = [python, "-m", "pip", "download", *options, f"ansible=={version}"]
    try:
        run(command, log, env=as_the_user())
    except CommandFailed as failure:
        raise SetupFailed(f"the package ansible=={version} could not be fetched: {failure}") from None
    wheels = list(scratch.glob("ansible-*.whl"))
    if not wheels:
        raise SetupFailed(f"pip fetched no wheel of ansible=={version}")
    return Path(shutil.move(str(wheels[0]), scratch / "ansible.whl"))
