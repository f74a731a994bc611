# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests of this folder."""

from __future__ import annotations

from tests.integration.push import pusher, unhurried

__all__ = ["pusher", "unhurried"]
