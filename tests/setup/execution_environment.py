# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Execution environments: ansible-builder finds in the installed collection what it needs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TextIO

from . import artifact, places
from .commands import CommandFailed, run, surroundings
from .environments import Environment

_DEFINITION = """\
version: 3
dependencies:
  galaxy:
    collections:
      - name: appuio.registry
"""


def describe(environment: Environment, log: TextIO) -> None:
    """Let ansible-builder read the collection and lay out an image of it; raises CommandFailed.

    No image is built: that would need its base image from somewhere.
    """
    folder = places.BUILD / "execution-environment"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    env = surroundings(environment.bin)
    builder: list[str | Path] = [environment.bin / "ansible-builder"]
    found = folder / "requirements.txt"
    run([*builder, "introspect", "--write-pip", found, artifact.INSTALLED], log, env=env)
    wanted = [line.strip() for line in (places.ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()]
    text = found.read_text(encoding="utf-8")
    lacking = [line for line in wanted if line and not line.startswith("#") and line not in text]
    if lacking:
        raise CommandFailed(f"an execution environment would lack {', '.join(lacking)}")
    definition = folder / "execution-environment.yml"
    definition.write_text(_DEFINITION, encoding="utf-8")
    run([*builder, "create", "--file", definition, "--context", folder / "context"], log, env=env)
