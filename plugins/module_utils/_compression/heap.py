# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps what was compressed from staying in the heap.

``isal`` makes its results in buffers of 128 KiB and more and shrinks them. With glibc, the small rests of that keep
large blocks apart from one another, so that they are never used again, and memory grows with the image.

Source: mallopt(3), ``M_MMAP_THRESHOLD``: blocks from this size on are given back to the system when they are freed.
"""

from __future__ import annotations

_M_MMAP_THRESHOLD = -3
_BYTES = 64 * 1024


def give_back_large_blocks() -> bool:
    """Let the C library give large blocks back at once; return whether it can. It may be called again."""
    try:
        import ctypes

        return bool(ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _BYTES))
    except (ImportError, OSError, AttributeError):
        return False
