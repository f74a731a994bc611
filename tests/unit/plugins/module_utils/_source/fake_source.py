# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A blob of a source that breaks, answers otherwise than asked, or gives other bytes; and what reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, SourceError
from ansible_collections.appuio.registry.plugins.module_utils._http.message import Body
from ansible_collections.appuio.registry.plugins.module_utils._http.retry import Attempts, Clock, ConnectionLostError
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import Descriptor, digest_of
from ansible_collections.appuio.registry.plugins.module_utils._source.stream import StreamedBlob

CONTENT = bytes(range(256)) * 4096
DESCRIPTOR = Descriptor("application/octet-stream", digest_of(CONTENT), len(CONTENT))


def read(body: Body, offset: int = 0, block: int = 100_000) -> bytes:
    reader, got, buffer = body.open(offset), bytearray(), memoryview(bytearray(block))
    try:
        while count := reader.readinto(buffer):
            got += buffer[:count]
    except SourceError as error:
        error.result["got"] = len(got)
        raise
    finally:
        reader.close()
    return bytes(got)


class Partly(int):
    """A request is answered with the bytes up to here, and no more."""


class FakeStream:
    """Gives these bytes, and breaks then or ends."""

    def __init__(self, content: bytes, broken: bool) -> None:
        self.content, self.broken = content, broken

    def readinto(self, buffer: memoryview) -> int:
        if not self.content and self.broken:
            raise ConnectionLostError("it broke")
        count = min(len(buffer), len(self.content), 70_000)
        buffer[:count], self.content = self.content[:count], self.content[count:]
        return count

    def cut(self) -> None:
        self.content, self.broken = b"", True


class FakeSource:
    """Sends a content per attempt, breaks after so many bytes, or gives an error; ``asked`` has the offsets."""

    def __init__(self, *attempts: bytes | int | AppuioError) -> None:
        self.left = list(attempts)
        self.asked: list[int] = []
        self.opened = 0

    @contextmanager
    def open(self, offset: int) -> Iterator[FakeStream]:
        self.asked.append(offset)
        content = self.left.pop(0)
        if isinstance(content, AppuioError):
            raise content
        self.opened += 1
        try:
            if isinstance(content, int):
                yield FakeStream(CONTENT[offset:content], not isinstance(content, Partly))
            else:
                yield FakeStream(content[offset:], False)
        finally:
            self.opened -= 1

    def blob(self, retries: int = 2, waited: list[float] | None = None) -> StreamedBlob:
        """Return the blob."""
        clock = Clock(lambda: 0.0, (waited if waited is not None else []).append, lambda: 0.0)
        return StreamedBlob(DESCRIPTOR, "the blob", self.open, Attempts(retries, 0, clock))
