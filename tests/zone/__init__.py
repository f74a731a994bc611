# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Local test zones: real registries that behave as OpenShift's, and the API beside them. README.md explains them."""

from __future__ import annotations

from .distribution import Distribution
from .process.child import ChildFailed
from .process.registry import NoRegistry
from .zone import Zone
from .zones import LocalZones, attached

__all__ = ["ChildFailed", "Distribution", "LocalZones", "NoRegistry", "Zone", "attached"]
