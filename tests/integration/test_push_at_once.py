# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two pushes to the same tags in the same zones at the same time: the zones never end up with other images."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError

from tests.image import make_layout
from tests.integration.push import Pusher

pytestmark = pytest.mark.thorough


def push(pusher: Pusher, folder: Path, zones_reversed: bool, together: Barrier) -> AppuioError | None:
    """Push when the other one does; return why it failed."""
    entries = pusher.entries(*(reversed(pusher.zones) if zones_reversed else pusher.zones))
    together.wait()
    try:
        pusher.push(f"oci:{folder}", zones=entries, tags=["1.0", "2.0"])
    except AppuioError as error:
        return error
    return None


@pytest.mark.parametrize("number", range(4))
def test_zones_agree_after_two_pushes_in_opposite_orders(pusher: Pusher, tmp_path: Path, number: int) -> None:
    folders = [tmp_path / f"{number}-{one}" for one in "ab"]
    for folder in folders:
        make_layout(folder, seed=folder.name, platforms=("linux/amd64",))
    together = Barrier(2, timeout=60)
    with ThreadPoolExecutor(2) as pool:
        errors = list(pool.map(lambda one: push(pusher, folders[one], bool(one), together), range(2)))
    assert len({str(tags) for tags in pusher.tags()}) == 1, (pusher.tags(), errors)
    for error in filter(None, errors):
        assert "meanwhile" in str(error) or "at the same time" in str(error)
