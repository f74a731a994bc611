# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: a project of the test's own in one zone, or in three, and what modules find around them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.zone import Zone

from .scene import Scene


@pytest.fixture
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let modules write into a folder of the test's own only; return it."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for variable, name in (("HOME", "home"), ("TMPDIR", "tmp"), ("SSL_CERT_DIR", "no-authorities")):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / name))
    # The authorities of the system are never meant, and reading them takes longer than most runs.
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "no-authorities" / "none.pem"))
    return tmp_path


@pytest.fixture
def scene(zones: list[Zone], fresh_project: Callable[..., str], surroundings: Path) -> Scene:
    """A project of the test's own in one zone."""
    return Scene(zones[:1], fresh_project("faults"), surroundings)


@pytest.fixture
def three(zones: list[Zone], fresh_project: Callable[..., str], surroundings: Path) -> Scene:
    """A project of the test's own in three zones."""
    return Scene(zones, fresh_project("faults"), surroundings)
