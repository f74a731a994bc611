# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users get: the built collection, what is in it, and that it installs and rolls out."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path
from typing import TextIO

from . import collections_wheel, places, tree
from .cells import Cell
from .commands import CommandFailed, run, surroundings
from .environments import Environment

_ARTIFACTS = places.BUILD / "artifact"
INSTALLED = places.BUILD / "installed"
_FORBIDDEN = ("tests/", "changelogs/fragments/", "Makefile", "conftest.py", "noxfile.py", "pyproject.toml")
_NEEDED = (
    "LICENSES/GPL-3.0-or-later.txt",
    "MANIFEST.json",
    "README.md",
    "meta/runtime.yml",
    "plugins/modules/appuio_image_push.py",
    "plugins/modules/appuio_registry_login.py",
    "playbooks/rollout.yml",
    "roles/image_pusher/meta/argument_specs.yml",
    "requirements.txt",
)


def build(environment: Environment, log: TextIO) -> None:
    """Build the artifact from what git tracks, and look at what is in it; raises CommandFailed."""
    copy = tree.copied("artifact")
    shutil.rmtree(_ARTIFACTS, ignore_errors=True)
    command: list[str | Path] = [environment.bin / "ansible-galaxy", "collection", "build", "--output-path", _ARTIFACTS]
    run([*command, copy], log, env=surroundings(environment.bin))
    with tarfile.open(_artifact()) as archive:
        names = [member.name for member in archive if member.isfile()]
    log.writelines(f"{name}\n" for name in names)
    wrong = [name for name in names if name.startswith(_FORBIDDEN) or _hidden(name) or "__pycache__" in name]
    if wrong:
        raise CommandFailed(f"the artifact holds what no user needs: {', '.join(wrong)}")
    lacking = [name for name in _NEEDED if name not in names]
    if lacking:
        raise CommandFailed(f"the artifact lacks {', '.join(lacking)}")


def install(cell: Cell, environment: Environment, log: TextIO) -> None:
    """Install the artifact into an empty path, with its dependencies beside it; raises CommandFailed."""
    shutil.rmtree(INSTALLED, ignore_errors=True)
    found = str(collections_wheel.folder(cell.collections))
    env = surroundings(environment.bin, ANSIBLE_COLLECTIONS_PATH=found)
    command: list[str | Path] = [
        environment.bin / "ansible-galaxy",
        "collection",
        "install",
        "--offline",
        "--pre",
        "-p",
        INSTALLED,
    ]
    run([*command, _artifact()], log, env=env)
    if not (INSTALLED / "ansible_collections" / "appuio" / "registry" / "MANIFEST.json").is_file():
        raise CommandFailed(f"the artifact did not arrive in {INSTALLED}")
    for namespace in sorted((collections_wheel.folder(cell.collections) / "ansible_collections").iterdir()):
        (INSTALLED / "ansible_collections" / namespace.name).symlink_to(namespace, target_is_directory=True)


def publish(galaxy: Environment, log: TextIO) -> None:
    """Let Galaxy's own importer take the artifact, without publishing it; raises CommandFailed."""
    folder = places.BUILD / "galaxy"
    folder.mkdir(exist_ok=True)
    run(
        [galaxy.bin / "python", "-m", "galaxy_importer.main", _artifact()],
        log,
        env=surroundings(galaxy.bin),
        cwd=folder,
    )


def demo_command(environment: Environment) -> list[str]:
    """Return the command that runs the demo from the installed collection and its dependencies."""
    demo = places.ROOT / "tests" / "demo" / "run"
    python = str(environment.bin / "python")
    return [python, str(demo), "--collections", str(INSTALLED), "--python", python]


def demo(environment: Environment, log: TextIO) -> None:
    """Run the demo from what was installed; raises CommandFailed."""
    run(demo_command(environment), log, env=surroundings(environment.bin), minutes=10)


def _artifact() -> Path:
    built = sorted(_ARTIFACTS.glob("appuio-registry-*.tar.gz"))
    if not built:
        raise CommandFailed(f"ansible-galaxy built nothing in {_ARTIFACTS}")
    return built[-1]


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in Path(name).parts)
