# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for all tests: three local zones for the whole run, a fresh project for each test.

The zones are imported when a test asks for one: unit tests also run where what the zones need is not installed.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.zone import LocalZones, Zone

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def local_zones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalZones]:
    """Three zones that run as long as the tests do."""
    from tests.zone import LocalZones

    with LocalZones(3, directory=tmp_path_factory.mktemp("zones")) as running:
        yield running


@pytest.fixture
def zones(local_zones: LocalZones) -> Iterator[list[Zone]]:
    """The three zones, whole and without faults, with an empty request log."""
    for zone in local_zones.zones:
        zone.faults.clear()
        zone.clear_requests()
    yield local_zones.zones
    for zone in local_zones.zones:
        zone.faults.clear()
        zone.start()
        zone.reset_settings()


@pytest.fixture
def zone(zones: list[Zone]) -> Zone:
    """The first zone."""
    return zones[0]


@pytest.fixture
def fresh_project(zones: list[Zone]) -> Callable[..., str]:
    """Return a function that makes a project with a name of its own in every zone and returns the name."""

    def make(prefix: str = "test") -> str:
        name = f"{prefix}-{os.getpid()}-{next(_numbers)}"
        for each in zones:
            each.create_project(name)
        return name

    return make
