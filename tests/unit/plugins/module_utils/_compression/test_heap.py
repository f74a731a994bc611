# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The heap does not keep what was compressed."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import types
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._compression import heap

# Blocks of bytes of which each second one stays: what is freed between them lies idle in a heap.
CHECKERBOARD = """
import runpy, sys
if sys.argv[2] == "asked":
    assert runpy.run_path(sys.argv[1])["give_back_large_blocks"]()
blocks = [bytes([1]) * 100_000 for _ in range(600)]
del blocks[::2]
lines = open("/proc/self/status").read().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("RssAnon")))
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library than glibc")
def test_large_blocks_are_given_back() -> None:
    used = {}
    for how in ("asked", "not asked"):
        command = [sys.executable, "-c", CHECKERBOARD, str(Path(heap.__file__)), how]
        used[how] = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert used["not asked"] - used["asked"] > 20_000, "KiB"


@pytest.mark.parametrize("library", [None, types.SimpleNamespace()])
def test_without_such_a_library_nothing_happens(monkeypatch: pytest.MonkeyPatch, library: object) -> None:
    monkeypatch.setitem(sys.modules, "ctypes", library and types.SimpleNamespace(CDLL=lambda _name: library))
    assert heap.give_back_large_blocks() is False
