# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module appuio_image_sync, and shows how far a set of images is while it runs on the controller."""

from __future__ import annotations

from ansible_collections.appuio.registry.plugins.plugin_utils.watched_module import WatchedModule


class ActionModule(WatchedModule):
    """The module, with an audience where that is possible."""
