# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries are kept where they can be, lost where they cannot, and never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._cache.cache import Cache, cache_from


def test_what_was_noted_comes_back(tmp_path: Path) -> None:
    notes = cache_from({"XDG_CACHE_HOME": str(tmp_path)})
    assert notes.get("layers", "a") is None
    notes.put("layers", "a", ["x", 1])
    notes.put("layers", "b", "other")
    notes.put("places", "a", "another kind")
    again = cache_from({"XDG_CACHE_HOME": str(tmp_path), "HOME": "/nowhere"})
    assert (again.get("layers", "a"), again.get("layers", "b"), again.get("places", "a")) == (
        ["x", 1],
        "other",
        "another kind",
    )
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.rglob("*") if path.is_file())


def test_the_home_is_the_place_without_another(tmp_path: Path) -> None:
    cache_from({"HOME": str(tmp_path), "XDG_CACHE_HOME": "relative"}).put("layers", "a", 1)
    assert (tmp_path / ".cache/appuio.registry/layers").is_dir()


@pytest.mark.parametrize("environment", [{}, {"HOME": "/proc/nowhere"}, {"XDG_CACHE_HOME": "/dev/null"}])
def test_without_a_place_nothing_is_kept(environment: dict[str, str]) -> None:
    notes = cache_from(environment)
    notes.put("layers", "a", 1)
    assert notes.get("layers", "a") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"key": "b", "value": 1}', b"\xff"])
def test_a_broken_note_is_no_note(tmp_path: Path, content: bytes) -> None:
    notes = Cache(str(tmp_path))
    notes.put("layers", "a", 1)
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    file.write_bytes(content)
    assert notes.get("layers", "a") is None
    notes.put("layers", "a", 2)
    assert notes.get("layers", "a") == 2
