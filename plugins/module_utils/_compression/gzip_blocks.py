# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gzip in blocks that know nothing of one another, so that every core compresses some: the same bytes however many.

A block that would get no smaller, of a picture or a packed file, is stored: that takes two fifths of the time of a
layer of programs. Sources: RFC 1951, section 3.2.4 (stored blocks); RFC 1952 (header, trailer); zlib's manual,
"deflate" (Z_SYNC_FLUSH ends at a byte, so that blocks can be put one after another).
"""

from __future__ import annotations

import struct
import threading
import zlib
from collections import deque
from typing import Any, Callable

BLOCK = 256 * 1024
# The result of a block that waits for the one before is kept in memory.
MOST_CORES = 8
_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\x03"
_LAST_BLOCK = b"\x03\0"
_RAW = -15
# More memory than zlib takes by itself makes it faster.
_MEMORY_LEVEL = 9
_LARGEST_STORED = 65535
# Every 31st byte, a number that no structure of a file is a multiple of, tells whether a block gets smaller.
_STRIDE = 31
_SMALLEST_SAMPLED = 16 * 1024
_WORTH_IT = 0.97


class BlockWorkers:
    """Threads that compress blocks, as many as there are cores; each ends when no block waits."""

    def __init__(self, cores: int) -> None:
        self.cores = min(MOST_CORES, cores)
        self._lock = threading.Lock()
        self._waiting: deque[_Block] = deque()
        self._running = 0

    def add(self, block: _Block) -> None:
        """Compress a block as soon as a core is free; now, where there is one core or no thread can be started."""
        if self.cores == 1:
            block.run()
            return
        with self._lock:
            self._waiting.append(block)
            if self._running >= self.cores:
                return
            self._running += 1
        try:
            threading.Thread(target=self._work, daemon=True).start()
        except RuntimeError:  # no more threads
            self._work()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._running -= 1
                    return
                block = self._waiting.popleft()
            block.run()


class _Block:
    """One block, compressed by whichever thread."""

    def __init__(self, content: bytes, deflate: Callable[[bytes], bytes]) -> None:
        self._content = content
        self._deflate = deflate
        self._result = b""
        self._error: Exception | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def run(self) -> None:
        """Compress; a failure shows where the result is wanted."""
        try:
            self._result = self._deflate(self._content)
        except Exception as error:
            self._error = error
        finally:
            self._content = b""
            self._done.release()

    @property
    def done(self) -> bool:
        """Whether the result is there."""
        return not self._done.locked()

    def result(self) -> bytes:
        """Return the block compressed, waiting for it."""
        with self._done:
            if self._error is not None:
                raise self._error
            return self._result


class GzipBlocks:
    """One gzip file: blocks in, blocks out; ``module`` is ``zlib``, or one that has the same functions."""

    def __init__(self, module: Any, level: int, workers: BlockWorkers) -> None:
        self._module = module
        self._level = level
        self._workers = workers
        self._most = workers.cores + 2
        self._blocks: deque[_Block] = deque()
        self._rest = bytearray()
        self._ready = [_HEADER]
        self._checksum = 0
        self._size = 0

    def compress(self, block: memoryview) -> bytes:
        """Take a block of any size; return what is ready, perhaps nothing."""
        self._checksum = zlib.crc32(block, self._checksum)
        self._size += len(block)
        # Where a block begins must not depend on how the content came here.
        if self._rest or len(block) != BLOCK:
            self._rest += block
            while len(self._rest) >= BLOCK:
                self._add(bytes(self._rest[:BLOCK]))
                del self._rest[:BLOCK]
        else:
            self._add(bytes(block))
        return self._taken()

    def flush(self) -> bytes:
        """Return the rest."""
        if self._rest:
            self._add(bytes(self._rest))
        self._most = 0
        trailer = struct.pack("<LL", self._checksum, self._size % (1 << 32))
        return self._taken() + _LAST_BLOCK + trailer

    def _add(self, content: bytes) -> None:
        block = _Block(content, self._deflated)
        self._blocks.append(block)
        self._workers.add(block)
        while len(self._blocks) > self._most:
            self._ready.append(self._blocks.popleft().result())

    def _taken(self) -> bytes:
        while self._blocks and (self._blocks[0].done or len(self._blocks) > self._most):
            self._ready.append(self._blocks.popleft().result())
        ready, self._ready = b"".join(self._ready), []
        return ready

    def _deflated(self, content: bytes) -> bytes:
        module = self._module
        if self._level == 0 or not self._gets_smaller(content):
            return _stored(content)
        stream = module.compressobj(self._level, module.DEFLATED, _RAW, _MEMORY_LEVEL)
        return bytes(stream.compress(content) + stream.flush(module.Z_SYNC_FLUSH))

    def _gets_smaller(self, content: bytes) -> bool:
        if len(content) < _SMALLEST_SAMPLED:
            return True
        module, sample = self._module, content[::_STRIDE]
        stream = module.compressobj(1, module.DEFLATED, -12, 4, module.Z_HUFFMAN_ONLY)
        return len(stream.compress(sample)) + len(stream.flush()) <= _WORTH_IT * len(sample)


def _stored(content: bytes) -> bytes:
    parts = []
    for start in range(0, len(content), _LARGEST_STORED):
        part = content[start : start + _LARGEST_STORED]
        parts += [struct.pack("<BHH", 0, len(part), len(part) ^ 0xFFFF), part]
    return b"".join(parts)
