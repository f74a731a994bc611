# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks among everything that runs in one checkout, threads and processes alike."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

from . import places


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock of this name."""
    places.BUILD.mkdir(exist_ok=True)
    with open(places.BUILD / f".{name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Be the only run in this checkout, waiting for another to end; kept by what this process turns into."""
    places.BUILD.mkdir(exist_ok=True)
    with open(places.BUILD / ".run.lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another run is going on in this checkout; waiting for it to end", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), True)
        yield
