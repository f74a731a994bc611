# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What saves work in a later run and is safe to lose: small files in the user's cache directory.

Source: XDG Base Directory Specification 0.8. Where nothing can be written, as in an execution environment,
nothing is remembered, and that is no error. What is read here is a hint: whoever uses it checks it first, against
the source or the zone, as anything may have written these files.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from typing import Any, Callable, Mapping

from ._json import JsonError, parse_json

_FOLDER = "appuio.registry"
# Entries of a kind lie in 256 folders, so that 8192 of each kind is all that there ever is.
MOST_IN_FOLDER = 32
LONGEST = 90 * 24 * 3600
LARGEST = 64 * 1024


class Cache:
    """JSON values by kind and key; nothing here ever raises. ``directory`` is None where there is no place for them."""

    def __init__(self, directory: str | None, now: Callable[[], float] = time.time) -> None:
        self._directory = directory
        self._now = now

    def get(self, kind: str, key: str) -> Any:
        """Return a value that was put in the last 90 days, or None."""
        if self._directory is None:
            return None
        try:
            entry = parse_json(self._read(self._path(kind, key)), LARGEST)
        except (OSError, JsonError, UnicodeError):
            return None
        return entry.get("value") if isinstance(entry, dict) and entry.get("key") == key else None

    def put(self, kind: str, key: str, value: Any) -> None:
        """Put a value in place of an earlier one; the oldest entries make room for it."""
        if self._directory is None:
            return
        try:
            path = self._path(kind, key)
            folder = os.path.dirname(path)
            os.makedirs(folder, mode=0o700, exist_ok=True)
            content = json.dumps({"key": key, "value": value}).encode()
            self._make_room(folder)
            new = os.path.join(folder, f"tmp{os.urandom(8).hex()}")
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                os.replace(new, path)
            except OSError:
                # A disk that is full: what was begun would otherwise stay.
                os.unlink(new)
        except (OSError, UnicodeError):
            pass

    def _read(self, path: str) -> bytes:
        # O_NONBLOCK, as a named pipe in its place would be waited for.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_mtime < self._now() - LONGEST:
                raise FileNotFoundError
            return file.read(LARGEST + 1)

    def _make_room(self, folder: str) -> None:
        """Remove what is too old, then the oldest; also what a run that was killed had begun to write."""
        with os.scandir(folder) as found:
            ages = sorted((entry.stat(follow_symlinks=False).st_mtime, entry.path) for entry in found)
        too_many = len(ages) - MOST_IN_FOLDER + 1
        for number, (written, path) in enumerate(ages):
            if number < too_many or written < self._now() - LONGEST:
                try:
                    os.unlink(path)
                except FileNotFoundError:
                    # Another run was faster.
                    continue

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
