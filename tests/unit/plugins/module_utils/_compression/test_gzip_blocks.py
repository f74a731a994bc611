# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks of gzip: the same bytes on every number of cores, all of them used, and nothing lost where one fails."""

from __future__ import annotations

import gzip
import random
import threading
import zlib
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._compression import gzip_blocks
from ansible_collections.appuio.registry.plugins.module_utils._compression.gzip_blocks import BlockWorkers, GzipBlocks
from hypothesis import given
from hypothesis import strategies as some

BLOCK = 20_000
NOISE = random.Random(5).randbytes(6 * BLOCK)
TEXT = b"".join(b"line %d of a file, as there are many\n" % number for number in range(4000))
CONTENT = TEXT + NOISE + TEXT


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> Any:
    """Blocks of which a short content has many."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(gzip_blocks, "BLOCK", BLOCK)
        yield


def packed(content: bytes, cores: int = 2, step: int = BLOCK, level: int = 1, module: Any = zlib) -> bytes:
    stream = GzipBlocks(module, level, BlockWorkers(cores))
    parts = [stream.compress(memoryview(content[at : at + step])) for at in range(0, len(content), step)]
    return b"".join([*parts, stream.flush()])


@given(some.binary(max_size=3 * BLOCK), some.integers(1000, 2 * BLOCK), some.sampled_from([0, 1, 9]))
def test_what_is_compressed_comes_out_again(content: bytes, step: int, level: int) -> None:
    assert gzip.decompress(packed(content, step=step, level=level)) == content


@pytest.mark.parametrize("content", [b"", b"x", TEXT[:BLOCK], NOISE, CONTENT, bytes(5 * BLOCK)])
def test_it_is_one_gzip_file_with_the_checksum_of_all_at_its_end(content: bytes) -> None:
    stream = zlib.decompressobj(31)
    file = packed(content)
    assert stream.decompress(file) == content
    assert (stream.eof, stream.unused_data) == (True, b"")
    assert file[-8:] == zlib.crc32(content).to_bytes(4, "little") + len(content).to_bytes(4, "little")


@pytest.mark.parametrize("cores", [1, 2, 8])
@pytest.mark.parametrize("step", [777, BLOCK, 3 * BLOCK + 1])
def test_neither_cores_nor_reads_change_the_bytes(cores: int, step: int) -> None:
    assert packed(CONTENT, cores, step) == packed(CONTENT, 2)


def test_the_bytes_are_those_of_the_first_release_with_blocks() -> None:
    """They change the digests of layers, so that this is a decision: zeros are the same with every zlib."""
    level_0 = packed(b"0123456789" * 3000, level=0)
    assert level_0[:15].hex() == "1f8b0800000000000003" + "00204edfb1"
    assert level_0[-10:-8] == b"\x03\0"


def test_what_gets_no_smaller_is_stored() -> None:
    assert NOISE[:BLOCK] in packed(NOISE)
    assert len(packed(NOISE)) < len(NOISE) + 100
    assert len(packed(TEXT)) < len(TEXT) // 4
    assert len(packed(CONTENT)) < len(NOISE) + len(TEXT) // 2 + 100


def test_a_higher_level_makes_it_smaller() -> None:
    assert len(packed(TEXT, level=9)) < len(packed(TEXT, level=1)) < len(packed(TEXT, level=0))


def meeting(count: int) -> Any:
    """Return a module that goes on when so many blocks are compressed at the same time."""
    barrier = threading.Barrier(count, timeout=600)

    class Meeting:
        def __init__(self, *how: Any) -> None:
            self._stream = zlib.compressobj(*how)

        def compress(self, content: bytes) -> bytes:
            barrier.wait()
            return self._stream.compress(content)

        def flush(self, *how: int) -> bytes:
            return self._stream.flush(*how)

    sampled = lambda *how: Meeting(*how) if len(how) == 4 else zlib.compressobj(*how)  # noqa: E731
    return SimpleNamespace(
        compressobj=sampled,
        DEFLATED=zlib.DEFLATED,
        Z_SYNC_FLUSH=zlib.Z_SYNC_FLUSH,
        Z_HUFFMAN_ONLY=zlib.Z_HUFFMAN_ONLY,
    )


def test_every_core_compresses_blocks_of_one_layer() -> None:
    content = TEXT[: 6 * BLOCK]
    assert packed(content, cores=3, module=meeting(3)) == packed(content, cores=1)


def test_one_core_needs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _thread: pytest.fail("a thread is started"))
    assert gzip.decompress(packed(CONTENT, cores=1)) == CONTENT


def test_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = packed(CONTENT)

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert packed(CONTENT) == whole


@pytest.mark.parametrize("cores", [1, 2])
def test_a_block_that_fails_is_not_left_out(cores: int) -> None:
    class Failing:
        DEFLATED, Z_HUFFMAN_ONLY, Z_SYNC_FLUSH = zlib.DEFLATED, zlib.Z_HUFFMAN_ONLY, zlib.Z_SYNC_FLUSH

        def __init__(self) -> None:
            self.blocks = 0

        def compressobj(self, *how: Any) -> Any:
            self.blocks += len(how) == 4
            if self.blocks == 3:
                raise MemoryError("no memory for this block")
            return zlib.compressobj(*how)

    with pytest.raises(MemoryError, match="no memory for this block"):
        packed(TEXT, cores, module=Failing())
