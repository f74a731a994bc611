# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are: the checkout, and everything generated, which lives under ``.build`` and nowhere else."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"
LOGS = BUILD / "logs"
ENVIRONMENTS = BUILD / "environments"
COLLECTIONS = BUILD / "collections"
DOWNLOADS = BUILD / "downloads"
HOME = BUILD / "home"
REQUIREMENTS = Path(__file__).resolve().parent / "requirements"
