# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are inventories of zones."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.inventory.zones import InventoryModule


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("zones.yml", True),
        ("zones.yaml", True),
        ("production.zones.yml", True),
        ("inventory.yml", False),
        ("timezones.yml", False),
        ("zones.yml.bak", False),
    ],
)
def test_file_names(tmp_path: Path, name: str, taken: bool) -> None:
    path = tmp_path / name
    path.write_text("plugin: appuio.registry.zones\n")
    assert InventoryModule().verify_file(str(path)) is taken


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert not InventoryModule().verify_file(str(tmp_path / "zones.yml"))
