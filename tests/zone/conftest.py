# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The zones that the tests of this folder share."""

from __future__ import annotations

from tests.zone.fixtures import fresh_project, local_zones, zone, zones

__all__ = ["fresh_project", "local_zones", "zone", "zones"]
