# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users get: what has to be in the built collection, and what no user needs."""

from __future__ import annotations

import re
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
    "extensions/patterns/appuio_registry/playbooks/rollout.meta.yml",
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


def check_requirements(python: str, system: str) -> None:
    """Look at what ansible-builder found that the installed collection needs; raises SetupError."""
    meta = INSTALLED / "ansible_collections/appuio/registry/meta"
    wanted = {name: _lines(meta / f"ee-{name}.txt") for name in ("requirements", "bindep")}
    found = {"requirements": python, "bindep": system}
    lacking = [line for name, lines in wanted.items() for line in lines if line not in found[name]]
    if lacking or not wanted["requirements"]:
        raise SetupError(f"an execution environment would lack {', '.join(lacking) or 'everything'}")
    if system.strip() and not wanted["bindep"]:
        raise SetupError(f"an execution environment would get what nothing needs: {system}")


def check_context(definition: Path, context: Path) -> None:
    """Look at what ansible-builder would build the image of the pattern from; raises SetupError.

    That is the image of the definition, the collection from Galaxy, and what introspection finds that it needs.
    """
    text = (context / "Containerfile").read_text(encoding="utf-8")
    base = re.search(r"^ *name: (\S+)$", definition.read_text(encoding="utf-8"), re.MULTILINE)
    steps = (
        f'ARG EE_BASE_IMAGE="{base[1] if base else ""}"',
        "ansible-galaxy collection install $ANSIBLE_GALAXY_CLI_COLLECTION_OPTS -r requirements.yml",
        "introspect.py introspect --write-bindep=/tmp/src/bindep.txt --write-pip=/tmp/src/requirements.txt",
        "/output/scripts/install-from-bindep",
    )
    places = [text.find(step) for step in steps]
    if -1 in places or places != sorted(places):
        raise SetupError(f"{context / 'Containerfile'} does not do this in this order: {'; '.join(steps)}")
    listed = (context / "_build" / "requirements.yml").read_text(encoding="utf-8")
    if "- name: appuio.registry\n" not in listed:
        raise SetupError(f"the execution environment would not have the collection, but {listed}")


def _lines(path: Path) -> list[str]:
    lines = map(str.strip, path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]
