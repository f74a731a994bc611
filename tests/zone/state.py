# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in which running zones are found again: addresses, tokens and the key for calls, for the owner only."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

_FILE = "state.json"


class NotRunning(Exception):
    """There are no zones in this directory."""


def write_state(directory: Path, zones: list[dict[str, Any]], supervisor: int = 0) -> None:
    """Keep what belongs to the zones, with mode 0600."""
    file = directory / _FILE
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as output:
        json.dump({"supervisor": supervisor or os.getpid(), "zones": zones}, output, indent=2)


def read_state(directory: Path) -> list[dict[str, Any]]:
    """Return the zones; raises NotRunning."""
    zones: list[dict[str, Any]] = _read(directory)["zones"]
    return zones


def supervisor(directory: Path) -> int | None:
    """Return the process that holds the zones, or None when it is gone."""
    try:
        process: int = _read(directory)["supervisor"]
        os.kill(process, 0)
    except (NotRunning, ProcessLookupError, PermissionError):
        return None
    # The number may belong to another process meanwhile.
    command = Path(f"/proc/{process}/cmdline")
    return process if not command.exists() or b"tests.zone" in command.read_bytes() else None


def remove_state(directory: Path) -> None:
    """Forget the zones."""
    (directory / _FILE).unlink(missing_ok=True)


def _read(directory: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((directory / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise NotRunning(f"no zones run in {directory}; start them with: python -m tests.zone up") from None
    return state
