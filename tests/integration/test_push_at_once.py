# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two pushes to the same tags in the same zones at the same time: the zones never end up with other images."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._zones import tags
from ansible_collections.appuio.registry.plugins.module_utils._zones.zone_tags import ZoneTags

from tests.image import make_layout
from tests.integration.push import Pusher
from tests.zone.client import GUARD

pytestmark = pytest.mark.thorough


class Runs:
    """Two runs that begin together. Where one gives the other its time, it waits until that one has moved its tags.

    In life that is a second; here a busy machine may need more.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._begin = threading.Barrier(2, timeout=GUARD)
        self._moved = (threading.Event(), threading.Event())
        self._own = threading.local()
        settle = tags.settle

        def settled(zones: Sequence[ZoneTags], _sleep: Callable[[float], None]) -> None:
            settle(zones, lambda _seconds: self._wait_for_the_other())

        monkeypatch.setattr(tags, "settle", settled)

    def run(self, number: int, work: Callable[[], object]) -> AppuioError | None:
        """Do the work of the first or the second run; return why it failed."""
        self._own.number = number
        self._begin.wait()
        try:
            work()
        except AppuioError as error:
            return error
        finally:
            self._moved[number].set()
        return None

    def _wait_for_the_other(self) -> None:
        self._moved[self._own.number].set()
        assert self._moved[1 - self._own.number].wait(GUARD)


@pytest.mark.parametrize("number", range(4))
def test_zones_agree_after_two_pushes_in_opposite_orders(
    pusher: Pusher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    runs = Runs(monkeypatch)

    def push(one: int) -> AppuioError | None:
        folder = tmp_path / f"{number}-{one}"
        make_layout(folder, seed=folder.name, platforms=("linux/amd64",))
        entries = pusher.entries(*(reversed(pusher.zones) if one else pusher.zones))
        return runs.run(one, lambda: pusher.push(f"oci:{folder}", zones=entries, tags=["1.0", "2.0"]))

    with ThreadPoolExecutor(2) as pool:
        errors = list(pool.map(push, range(2)))
    assert len({str(there) for there in pusher.tags()}) == 1, (pusher.tags(), errors)
    for error in filter(None, errors):
        assert "meanwhile" in str(error) or "at the same time" in str(error)
