# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps what was compressed from staying in the heap.

``isal`` makes its results in buffers of 128 KiB and more and shrinks them. With glibc, the small rests of that keep
large blocks apart from one another, so that they are never used again, and memory grows with the image.

Source: malloc_trim(3), which gives the pages of free blocks back to the system, wherever in the heap they are.
"""

from __future__ import annotations

from typing import Callable


def heap_trimmer() -> Callable[[], object]:
    """Return what gives free memory back to the system; it does nothing where the C library has no such thing."""
    try:
        import ctypes

        trim = ctypes.CDLL(None).malloc_trim
    except (ImportError, OSError, AttributeError):
        return lambda: None
    return lambda: trim(0)
