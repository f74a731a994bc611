# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of ansible-core that everything is tried on, each with a Python that it supports."""

from __future__ import annotations

from dataclasses import dataclass

from .pythons import Python, newest


@dataclass(frozen=True)
class Cell:
    """One version of ansible-core, the Pythons that can run it, and the ``ansible`` whose collections go with it."""

    name: str
    core: str
    lowest: tuple[int, int]
    highest: tuple[int, int]
    collections: str

    @property
    def python(self) -> Python | None:
        """The newest interpreter here that runs this version, or None."""
        return newest(self.lowest, self.highest)


# ansible 11.0.0 carries the oldest dependencies that galaxy.yml takes: kubernetes.core 5.0.0, community.okd 4.0.0.
OLDEST_DEPENDENCIES = "11.0.0"
NEWEST_DEPENDENCIES = "14.5.0"

OLDEST_TARGET = (3, 9)

CELLS = (
    Cell("2.16", "ansible-core==2.16.*", (3, 11), (3, 12), OLDEST_DEPENDENCIES),
    Cell("2.19", "ansible-core==2.19.*", (3, 11), (3, 13), NEWEST_DEPENDENCIES),
    Cell("newest", "ansible-core>=2.20", (3, 12), (3, 14), NEWEST_DEPENDENCIES),
)


def runnable() -> list[Cell]:
    """Return the cells that a Python is there for, the newest first."""
    return [cell for cell in reversed(CELLS) if cell.python is not None]


def oldest_target() -> Python | None:
    """Return the oldest Python that modules run on (tests/config.yml says so too), or None if there is none here."""
    return newest(OLDEST_TARGET, OLDEST_TARGET)


def left_out() -> list[str]:
    """Return a sentence for each thing that no Python here can run."""
    sentences = [
        f"ansible-core {cell.name} did not run: it needs Python {_dotted(cell.lowest)} to {_dotted(cell.highest)}, "
        f"and none is on the path or kept by pyenv or uv"
        for cell in CELLS
        if cell.python is None
    ]
    if oldest_target() is None:
        sentences.append(f"Modules were not tried with Python {_dotted(OLDEST_TARGET)}, as there is none here")
    return sentences


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(str(part) for part in version)
