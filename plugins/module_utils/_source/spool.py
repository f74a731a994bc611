# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A blob that comes over the network: read once into a file, which all uploads follow while it grows."""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import AbstractContextManager
from typing import Callable, Protocol

from .._errors import AppuioError, SourceError
from .._http.failures import ConnectionLostError
from .._http.message import BLOCK_SIZE, Reader
from .._http.retry import Attempts
from .._oci.digest import new_hash
from .._oci.model import Descriptor
from .verifier import altered, truncated


class Stream(Protocol):
    """Bytes on their way here."""

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer; return the number of bytes, 0 at the end."""


OpenStream = Callable[[int], AbstractContextManager[Stream]]


class SpooledBlob:
    """The body of a blob that is fetched when the first upload opens it; ``open_stream`` reads it from an offset."""

    def __init__(
        self, descriptor: Descriptor, where: str, directory: str, open_stream: OpenStream, attempts: Attempts
    ) -> None:
        self._descriptor = descriptor
        self._where = where
        self._directory = directory
        self._open_stream = open_stream
        self._attempts = attempts
        self._grown = threading.Condition()
        self._path: str | None = None
        self._available = 0
        self._problem: AppuioError | None = None
        self._released = False

    @property
    def length(self) -> int:
        """Bytes of the blob."""
        return self._descriptor.size

    def open(self, offset: int = 0) -> Reader:
        """Return a reader that waits for what is not there yet; it raises SourceError."""
        with self._grown:
            if self._path is None:
                handle, self._path = tempfile.mkstemp(prefix="blob-", dir=self._directory)
                threading.Thread(target=self._fetch, args=(handle,), daemon=True).start()
            return _Follower(self, self._path, offset)

    def wait(self, offset: int) -> int:
        """Return how many bytes may be read, more than ``offset`` unless the blob ends there; raises AppuioError."""
        with self._grown:
            self._grown.wait_for(lambda: self._available > offset or self._problem or self._available == self.length)
            if self._problem and self._available <= offset:
                raise self._problem
            return self._available

    def release(self) -> None:
        """Remove the file; nobody opens the blob any more."""
        with self._grown:
            self._released = True
            if self._path is not None:
                try:
                    os.unlink(self._path)
                except FileNotFoundError:
                    pass

    def _fetch(self, handle: int) -> None:
        try:
            with os.fdopen(handle, "wb", buffering=0) as file:
                self._fill(file.write)
        except OSError as error:
            self._stop(SourceError(f"{self._where} cannot be kept in {self._directory}: {error.strerror or error}"))
        except AppuioError as error:
            self._stop(error)
        except Exception as error:
            self._stop(SourceError(f"{self._where} cannot be read: {type(error).__name__}"))

    def _fill(self, write: Callable[[memoryview], int]) -> None:
        """The last block is announced only when the digest is known to be right."""
        digest = new_hash(self._descriptor.digest)
        buffer = memoryview(bytearray(BLOCK_SIZE))
        got = 0
        while True:
            try:
                with self._open_stream(got) as stream:
                    while count := stream.readinto(buffer):
                        if got + count > self.length:
                            raise truncated(self._descriptor, self._where, got + count)
                        _write_all(write, buffer[:count])
                        digest.update(buffer[:count])
                        got += count
                        if got < self.length:
                            self._announce(got)
                        if self._released:
                            return
                break
            except ConnectionLostError:
                if not self._attempts.again():
                    raise
        if got != self.length:
            raise truncated(self._descriptor, self._where, got)
        found = f"{self._descriptor.digest.partition(':')[0]}:{digest.hexdigest()}"
        if found != self._descriptor.digest:
            raise altered(self._descriptor, self._where, found)
        self._announce(got)

    def _announce(self, available: int) -> None:
        with self._grown:
            self._available = available
            self._grown.notify_all()

    def _stop(self, error: AppuioError) -> None:
        with self._grown:
            self._problem = error
            self._grown.notify_all()


class _Follower:
    """Reads a growing file, each follower at its own pace."""

    def __init__(self, blob: SpooledBlob, path: str, offset: int) -> None:
        self._blob = blob
        self._offset = offset
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115
        self._file.seek(offset)

    def readinto(self, buffer: memoryview) -> int:
        ready = self._blob.wait(self._offset) - self._offset
        if ready <= 0:
            return 0
        count = self._file.readinto(buffer[: min(len(buffer), ready)]) or 0
        self._offset += count
        return count

    def close(self) -> None:
        self._file.close()


def _write_all(write: Callable[[memoryview], int], block: memoryview) -> None:
    while block:
        block = block[write(block) :]
