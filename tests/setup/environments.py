# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments under ``.build``: made once, kept until what they are made from changes."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from . import places
from .commands import CommandFailed, as_the_user, run
from .failure import SetupFailed
from .locks import locked
from .pythons import Python

_TEST_REQUIREMENTS = (places.ROOT / "requirements.txt", places.REQUIREMENTS / "test.txt")
_LINT_REQUIREMENTS = (*_TEST_REQUIREMENTS, places.REQUIREMENTS / "lint.txt")


@dataclass(frozen=True)
class Environment:
    """A virtual environment: its name, its interpreter, single requirements and files of them."""

    name: str
    python: Python
    packages: tuple[str, ...]
    files: tuple[Path, ...]

    @property
    def folder(self) -> Path:
        """The folder; its name holds a digest of all that decides what is inside."""
        parts = [str(places.ENVIRONMENTS), self.python.path, str(self.python), *self.packages]
        parts += [file.read_text(encoding="utf-8") for file in self.files]
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return places.ENVIRONMENTS / f"{self.name}-{digest[:12]}"

    @property
    def bin(self) -> Path:
        """The folder of its commands."""
        return self.folder / "bin"

    def make(self, log: TextIO) -> None:
        """Make the environment if it is not there in full; raises SetupFailed.

        One that was begun and not finished, because somebody interrupted it, is made anew. Two runs
        at once make it once.
        """
        with locked(self.name):
            finished = self.folder / ".finished"
            if finished.exists():
                log.write(f"{self.folder} is there\n")
                return
            for old in places.ENVIRONMENTS.glob(f"{self.name}-*"):
                shutil.rmtree(old)
            self._create(log)
            finished.touch()

    def _create(self, log: TextIO) -> None:
        try:
            run([self.python.path, "-m", "venv", self.folder], log)
        except CommandFailed as failure:
            raise SetupFailed(
                f"{self.python.path} makes no virtual environment ({failure}). On Debian: apt-get install python3-venv"
            ) from None
        install: list[str | Path] = [self.bin / "python", "-m", "pip", "install", "--quiet", "--no-compile"]
        install += [word for file in self.files for word in ("-r", file)]
        try:
            run([*install, *self.packages], log, env=as_the_user())
        except CommandFailed as failure:
            raise SetupFailed(f"the Python packages for {self.name} could not be installed: {failure}") from None


def test_environment(name: str, core: str, python: Python) -> Environment:
    """Return the environment in which the tests of one version of ansible-core run."""
    return Environment(name, python, (core,), _TEST_REQUIREMENTS)


def lint_environment(python: Python) -> Environment:
    """Return the environment of the linters; it also holds what the linted code imports."""
    return Environment("lint", python, ("ansible-core",), _LINT_REQUIREMENTS)


def galaxy_environment(python: Python) -> Environment:
    """Return the environment of the program that Galaxy runs on what is published."""
    return Environment("galaxy", python, (), (places.REQUIREMENTS / "galaxy.txt",))
