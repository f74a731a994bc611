# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Makefile and the noxfile need: interpreters, versions, Debian's programs, copies of the checkout.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"  # everything generated, and nothing elsewhere
LOGS = BUILD / "logs"
REQUIREMENTS = ROOT / "tests" / "setup" / "requirements"


class SetupError(Exception):
    """Something the checks need is not there and could not be made; the message names the remedy."""
