# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demonstration: one image arrives in three zones of this machine. ``tests/demo/run`` starts it."""
