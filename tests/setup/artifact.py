# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users get: what has to be in the built collection, and what no user needs."""

from __future__ import annotations

import tarfile
from pathlib import Path

from . import BUILD, SetupError

BUILT = BUILD / "artifact"
INSTALLED = BUILD / "installed"
FORBIDDEN = ("tests/", "changelogs/fragments/", "Makefile", "conftest.py", "noxfile.py", "pyproject.toml")
PATTERN = Path("ansible_collections/appuio/registry/extensions/patterns/appuio_registry")
NEEDED = (
    "LICENSE",
    "MANIFEST.json",
    "extensions/audit/event_query.yml",
    "extensions/patterns/appuio_registry/collections/requirements.yml",
    "extensions/patterns/appuio_registry/execution-environment.yml",
    "extensions/patterns/appuio_registry/inventory/zones.yml",
    "extensions/patterns/appuio_registry/meta/pattern.json",
    "extensions/patterns/appuio_registry/playbooks/rollout.yml",
    "README.md",
    "meta/ee-requirements.txt",
    "meta/execution-environment.yml",
    "meta/runtime.yml",
    "plugins/modules/appuio_image_push.py",
    "plugins/modules/appuio_registry_login.py",
    "playbooks/rollout.yml",
    "roles/image_pusher/meta/argument_specs.yml",
)


def path() -> Path:
    """Return the built artifact."""
    return sorted(BUILT.glob("appuio-registry-*.tar.gz"))[-1]


def check(names: list[str]) -> None:
    """Look at the names of the files in the artifact; raises SetupError."""
    hidden = [name for name in names if any(part.startswith(".") for part in Path(name).parts)]
    wrong = [name for name in names if name.startswith(FORBIDDEN) or "__pycache__" in name]
    if hidden or wrong:
        raise SetupError(f"the artifact holds what no user needs: {', '.join(hidden + wrong)}")
    lacking = [name for name in NEEDED if name not in names]
    if lacking:
        raise SetupError(f"the artifact lacks {', '.join(lacking)}")


def files() -> list[str]:
    """Return the names of the files in the artifact."""
    with tarfile.open(path()) as archive:
        return [member.name for member in archive if member.isfile()]


def check_requirements(found: str) -> None:
    """Look at what ansible-builder found in the installed collection; raises SetupError."""
    wanted = (INSTALLED / "ansible_collections/appuio/registry/meta/ee-requirements.txt").read_text(encoding="utf-8")
    lines = [line for line in map(str.strip, wanted.splitlines()) if line and not line.startswith("#")]
    lacking = [line for line in lines if line not in found]
    if lacking or not lines:
        raise SetupError(f"an execution environment would lack {', '.join(lacking) or 'everything'}")
