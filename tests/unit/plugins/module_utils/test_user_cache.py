# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries are kept where they can be, lost where they cannot, and never in the way."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils import _user_cache as cache_module
from ansible_collections.appuio.registry.plugins.module_utils._user_cache import LONGEST, Cache, cache_from


def test_what_was_put_comes_back(tmp_path: Path) -> None:
    cache = cache_from({"XDG_CACHE_HOME": str(tmp_path)})
    assert cache.get("layers", "a") is None
    cache.put("layers", "a", ["x", 1])
    cache.put("layers", "b", "other")
    cache.put("places", "a", "another kind")
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
    cache = cache_from(environment)
    cache.put("layers", "a", 1)
    assert cache.get("layers", "a") is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"key": "b", "value": 1}',
        b"\xff",
        b"[" * 9999,
        b'{"key": "a", "value": "' + b"x" * 70_000 + b'"}',
    ],
)
def test_a_broken_entry_is_no_entry(tmp_path: Path, content: bytes) -> None:
    cache = Cache(str(tmp_path))
    cache.put("layers", "a", 1)
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    file.write_bytes(content)
    assert cache.get("layers", "a") is None
    cache.put("layers", "a", 2)
    assert cache.get("layers", "a") == 2


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_it_is_bounded_and_the_latest_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MOST_IN_FOLDER", 3)
    cache = Cache(str(tmp_path))
    for number in range(2000):
        cache.put("layers", str(number), number)
        newest = cache._path("layers", str(number))
        os.utime(newest, (1_000_000_000 + number, 1_000_000_000 + number))
    assert len(files(tmp_path)) <= 3 * 256
    young = Cache(str(tmp_path), now=lambda: 1_000_002_000.0)
    assert young.get("layers", "1999") == 1999
    assert young.get("layers", "0") is None


def test_what_is_old_is_forgotten(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    cache.put("layers", "a", 1)
    old = Cache(str(tmp_path), now=lambda: time.time() + LONGEST + 10)
    assert (cache.get("layers", "a"), old.get("layers", "a")) == (1, None)
    (folder,) = (tmp_path / "layers").iterdir()
    leftover = folder / "tmpkilled"
    leftover.touch()
    os.utime(leftover, (0, 0))
    cache.put("layers", "a", 2)
    assert not leftover.exists(), "what a run that was killed had begun is removed"
    assert cache.get("layers", "a") == 2


def test_what_is_no_file_is_no_entry(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    cache.put("layers", "a", 1)
    (file,) = files(tmp_path)
    file.unlink()
    os.mkfifo(file)
    assert cache.get("layers", "a") is None
    file.unlink()
    file.mkdir()
    assert cache.get("layers", "a") is None
    cache.put("layers", "a", 1)
    assert cache.get("layers", "\ud800") is None
    cache.put("layers", "\ud800", 1)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def replace(*_paths: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", replace)
    Cache(str(tmp_path)).put("layers", "a", 1)
    assert files(tmp_path) == []
