# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What saves work in a later run and is safe to lose: small files in the user's cache directory.

Source: XDG Base Directory Specification 0.8. Where nothing can be written, as in an execution environment,
nothing is remembered, and that is no error.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from typing import Any, Mapping

_FOLDER = "appuio.registry"


class Cache:
    """JSON values by kind and key; nothing here ever raises. ``directory`` is None where there is no place for them."""

    def __init__(self, directory: str | None) -> None:
        self._directory = directory

    def get(self, kind: str, key: str) -> Any:
        """Return what was noted, or None."""
        if self._directory is None:
            return None
        try:
            with open(self._path(kind, key), encoding="utf-8") as file:
                note = json.load(file)
        except (OSError, ValueError):
            return None
        return note.get("value") if isinstance(note, dict) and note.get("key") == key else None

    def put(self, kind: str, key: str, value: Any) -> None:
        """Note a value in place of what was noted before."""
        if self._directory is None:
            return
        path = self._path(kind, key)
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            handle, new = tempfile.mkstemp(dir=os.path.dirname(path))
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"key": key, "value": value}, file)
            os.replace(new, path)
        except OSError:
            pass

    def _path(self, kind: str, key: str) -> str:
        encoded = hashlib.sha256(key.encode()).hexdigest()
        return os.path.join(str(self._directory), kind, encoded[:2], encoded)


def cache_from(environment: Mapping[str, str]) -> Cache:
    """Return the cache of the user whose environment this is."""
    cache = environment.get("XDG_CACHE_HOME") or ""
    if not os.path.isabs(cache):
        home = environment.get("HOME") or ""
        cache = os.path.join(home, ".cache") if os.path.isabs(home) else ""
    return Cache(os.path.join(cache, _FOLDER) if cache else None)
