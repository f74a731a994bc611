# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of ansible-core that everything is tried on, each with a Python that it supports."""

from __future__ import annotations

from dataclasses import dataclass

from .pythons import Python, newest_python


@dataclass(frozen=True)
class Core:
    """One version of ansible-core and the Pythons that can run it; ``coming`` as long as it is no release."""

    name: str
    requirement: str
    lowest: tuple[int, int]
    highest: tuple[int, int]
    coming: bool = False

    @property
    def python(self) -> Python | None:
        """The newest interpreter here that runs this version, or None."""
        return newest_python(self.lowest, self.highest)


CORES = (
    Core("2.16", "ansible-core==2.16.*", (3, 11), (3, 12)),
    Core("2.19", "ansible-core==2.19.*", (3, 11), (3, 13)),
    Core("2.20", "ansible-core==2.20.*", (3, 12), (3, 14)),
    Core("2.21", "ansible-core==2.21.*", (3, 12), (3, 14)),
    Core("2.22", "ansible-core>=2.22.0rc1,<2.23", (3, 13), (3, 14), coming=True),
)
OLDEST_TARGET = (3, 9)  # modules run there; tests/config.yml says so too


def runnable() -> list[Core]:
    """Return the versions that a Python is there for, the oldest first."""
    return [core for core in CORES if core.python is not None]


def oldest() -> Core | None:
    """Return the oldest version that can run here."""
    return next(iter(runnable()), None)


def newest() -> Core | None:
    """Return the newest release that can run here."""
    return next((core for core in reversed(runnable()) if not core.coming), None)


def for_zones() -> list[Core]:
    """Return the versions that the slow tests run on: the oldest and the newest release."""
    ends = (oldest(), newest())
    return [core for core in runnable() if core in ends]


def for_sanity() -> list[Core]:
    """Return the versions whose ``ansible-test sanity`` runs.

    That of 2.20 tests what those around it test. The pylint of a coming release may be on GitHub alone.
    """
    return [core for core in runnable() if core.name != "2.20" and not core.coming]


def left_out() -> list[str]:
    """Return a sentence for each thing that no Python here can run."""
    sentences = [
        f"ansible-core {core.name} did not run: it needs Python {_dotted(core.lowest)} to {_dotted(core.highest)}, "
        f"and none is on the path or kept by pyenv or uv"
        for core in CORES
        if core.python is None
    ]
    if newest_python(OLDEST_TARGET, OLDEST_TARGET) is None:
        sentences.append(f"Modules were not tried with Python {_dotted(OLDEST_TARGET)}, as there is none here")
    return sentences


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(str(part) for part in version)
