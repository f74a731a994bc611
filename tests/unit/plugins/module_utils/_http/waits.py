# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock that does not wait, and notes how long it should have."""

from __future__ import annotations

from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Clock


class Waits:
    """``waited`` has the seconds of each wait; it is always second 1000."""

    def __init__(self) -> None:
        self.waited: list[float] = []
        self.clock = Clock(lambda: 1_000.0, self.waited.append, lambda: 1.0)
