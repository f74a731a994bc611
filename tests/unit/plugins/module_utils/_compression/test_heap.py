# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The heap does not keep what was compressed."""

from __future__ import annotations

import ctypes
import inspect
import subprocess
import sys
import types

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._compression.compressors import heap_trimmer

# Blocks of bytes of which each second one stays: what is freed between them lies idle in the heap.
CHECKERBOARD = """
import sys
trim = heap_trimmer()
blocks = [bytes([1]) * 100_000 for _ in range(600)]
del blocks[::2]
if sys.argv[1] == "trimmed":
    trim()
lines = open("/proc/self/status").read().splitlines()
print(next(line.split()[1] for line in lines if line.startswith("RssAnon")))
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library than glibc")
def test_free_memory_is_given_back() -> None:
    program = f"from __future__ import annotations\n{inspect.getsource(heap_trimmer)}\n{CHECKERBOARD}"
    used = {}
    for how in ("trimmed", "as it is"):
        command = [sys.executable, "-c", program, how]
        used[how] = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert used["as it is"] - used["trimmed"] > 20_000, "KiB"


@pytest.mark.parametrize("library", [None, types.SimpleNamespace()])
def test_without_such_a_library_nothing_happens(monkeypatch: pytest.MonkeyPatch, library: object) -> None:
    monkeypatch.setitem(sys.modules, "ctypes", library and types.SimpleNamespace(CDLL=lambda _name: library))
    heap_trimmer()()
