# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library that is there compresses, always to the same bytes, and what comes out is the layer again."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zlib
from types import ModuleType

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._compression import compressors
from ansible_collections.appuio.registry.plugins.module_utils._compression.compressors import (
    choose_compressor,
    compression_of,
)
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError, MissingLibraryError
from hypothesis import given
from hypothesis import strategies as some

CONTENT = b"the same words again and again, " * 4000


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what Python brings, whatever is installed where the tests run."""
    hidden = ("isal", "isal.isal_zlib", "zlib_ng", "zlib_ng.zlib_ng", "zstandard", "compression", "backports")
    for name in hidden:
        monkeypatch.setitem(sys.modules, name, None)


def packed(kind: str, level: int | None, content: bytes, block: int = 10_000) -> bytes:
    stream = choose_compressor(kind, level).begin()
    parts = [stream.compress(memoryview(content[at : at + block])) for at in range(0, len(content), block)]
    return b"".join([*parts, stream.flush()])


@given(some.binary(max_size=200_000), some.integers(1, 70_000), some.sampled_from([None, 0, 1, 9]))
def test_gzip_gives_the_layer_back(content: bytes, block: int, level: int | None) -> None:
    assert gzip.decompress(packed("gzip", level, content, block)) == content


def test_the_same_bytes_each_time() -> None:
    assert packed("gzip", None, CONTENT) == packed("gzip", None, CONTENT)
    assert len(packed("gzip", 9, CONTENT)) <= len(packed("gzip", 1, CONTENT)) < len(CONTENT)
    assert choose_compressor("gzip").identity == choose_compressor("gzip").identity
    assert choose_compressor("gzip", 9).identity != choose_compressor("gzip", 1).identity


def test_none_leaves_the_layer_as_it_is() -> None:
    assert packed("none", None, CONTENT) == CONTENT


@pytest.mark.parametrize(
    ("installed", "level", "used"),
    [
        ({}, None, "zlib"),
        ({"isal.isal_zlib"}, None, "isal"),
        ({"isal.isal_zlib", "zlib_ng.zlib_ng"}, 2, "isal"),
        ({"isal.isal_zlib", "zlib_ng.zlib_ng"}, 6, "zlib_ng"),
        ({"isal.isal_zlib"}, 6, "zlib"),
        ({"zlib_ng.zlib_ng"}, None, "zlib_ng"),
    ],
)
def test_the_fastest_library_that_can(
    monkeypatch: pytest.MonkeyPatch, installed: set[str], level: int | None, used: str
) -> None:
    for name in installed:
        package, _dot, _module = name.partition(".")
        module = ModuleType(name)
        module.compressobj, module.DEFLATED = zlib.compressobj, zlib.DEFLATED  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, package, ModuleType(package))
        monkeypatch.setitem(sys.modules, name, module)
    assert choose_compressor("gzip", level).identity.split()[1].partition(".")[0] == used


@pytest.mark.parametrize(("kind", "level"), [("gzip", 10), ("gzip", -1), ("zstd", 0), ("zstd", 20)])
def test_levels_that_there_are_not(kind: str, level: int) -> None:
    with pytest.raises(InvalidOptionError, match="compression_level is a number from"):
        choose_compressor(kind, level)


def test_zstd_without_its_library() -> None:
    with pytest.raises(MissingLibraryError, match="zstandard"):
        choose_compressor("zstd")


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (gzip.compress(b"x"), "gzip"),
        (bz2.compress(b"x"), "bzip2"),
        (lzma.compress(b"x"), "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"etc/passwd", "none"),
        (b"", "none"),
    ],
    ids=["gzip", "bzip2", "xz", "zstd", "a path", "nothing"],
)
def test_how_a_file_is_compressed(start: bytes, kind: str) -> None:
    assert compression_of(start) == kind
    assert compressors.compression_of(start[:8]) == kind
