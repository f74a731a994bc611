# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing, and the command that would bring it."""

from __future__ import annotations


class SetupFailed(Exception):
    """Something the checks need is not there and could not be made; the message names the remedy."""
