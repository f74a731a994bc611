# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last layer of an archive stays half compressed for as long as a test wants."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._push import archive_layer
from ansible_collections.appuio.registry.plugins.module_utils._source import growing, layer

from tests.unit.plugins.module_utils._push.fake_zones import waiting_for


class HalfWay:
    """The last of two layers waits when its first block is compressed, until ``go_on`` is set."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.lasts: list[str] = []
        self.fails: Exception | None = None
        self.altered = ""
        self._begun: list[str] = []
        self._turn = threading.Lock()
        self._make: Any = archive_layer.make_layer

    def make(self, part: Any, diff_id: str, *more: Any) -> Any:
        with self._turn:
            self._begun.append(diff_id)
            if len(self._begun) % 2:
                return self._make(part, diff_id, *more)
            self.lasts.append(diff_id)
            return self._make(part, self.altered or diff_id, *more[:-1], self._stopping(more[-1]))

    def _stopping(self, file: Any) -> Any:
        halfway = self

        class Stopping:
            def grow(self, written: Any, size: int) -> None:
                file.grow(written, size)
                waiting_for(halfway.go_on)()
                if halfway.fails is not None:
                    raise halfway.fails

        return Stopping()


@pytest.fixture
def halfway(monkeypatch: pytest.MonkeyPatch) -> HalfWay:
    """Every block of a layer can be sent, and the last of two layers is not compressed before ``go_on``."""
    made = HalfWay()
    monkeypatch.setattr(growing, "SMALLEST_PART", 1)
    monkeypatch.setattr(layer, "_TRIM_EVERY", 1)
    monkeypatch.setattr(archive_layer, "make_layer", made.make)
    return made
