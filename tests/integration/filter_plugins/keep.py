# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps a value for a test, in a file of its own: no module runs for it, and nothing is shown."""

from __future__ import annotations

import os
from collections.abc import Callable


class FilterModule:
    """The filter ``keep``."""

    def filters(self) -> dict[str, Callable[[str, str], str]]:
        """Return it by its name."""
        return {"keep": keep}


def keep(text: str, path: str) -> str:
    """Write a text to a file that only its owner reads; return nothing of it."""
    with os.fdopen(os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(str(text))
    return "kept"
