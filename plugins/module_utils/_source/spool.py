# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A blob that comes over the network: read once into a file, which all uploads follow while it grows."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from typing import Callable, Protocol

from .._errors import AppuioError, CancelledError, ServerError, SourceError
from .._http.message import BLOCK_SIZE, Reader
from .._http.retry import PASSING_STATUSES, Attempts, ConnectionLostError
from .._oci.model import Descriptor, new_hash
from .base import altered, truncated
from .local_file import TemporaryFile


class Stream(Protocol):
    """Bytes on their way here."""

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer; return the number of bytes, 0 at the end."""


OpenStream = Callable[[int], AbstractContextManager[Stream]]


class SpooledBlob:
    """The body of a blob that is fetched when the first upload opens it.

    ``open_stream`` reads it from an offset; ``explain`` makes its errors those of the source.
    """

    def __init__(
        self,
        descriptor: Descriptor,
        where: str,
        directory: str,
        open_stream: OpenStream,
        attempts: Attempts,
        explain: Callable[[AppuioError], AppuioError] = lambda error: error,
    ) -> None:
        self._descriptor = descriptor
        self._where = where
        self._directory = directory
        self._open_stream = open_stream
        self._attempts = attempts
        self._explain = explain
        # Guards all below, and wakes the uploads when the file has grown, or will grow no more.
        self._grown = threading.Condition()
        self._file: TemporaryFile | None = None
        self._available = 0
        self._error: AppuioError | None = None
        self._released = False

    @property
    def length(self) -> int:
        """Bytes of the blob."""
        return self._descriptor.size

    def open(self, offset: int = 0) -> Reader:
        """Return a reader that waits for what is not there yet; raises AppuioError, also while it is read."""
        with self._grown:
            if self._file is None:
                file = TemporaryFile(self._directory, self._where)
                try:
                    threading.Thread(target=self._fetch, args=(file,), daemon=True).start()
                except RuntimeError:
                    raise SourceError(f"{self._where} cannot be fetched: no further thread can be started") from None
                # Only now: without its thread the other uploads would wait for a file that never grows.
                self._file = file
            return _Follower(self, self._file, offset)

    def wait(self, offset: int) -> int:
        """Return how many bytes may be read, more than ``offset`` unless the blob ends there; raises AppuioError."""
        with self._grown:
            self._grown.wait_for(lambda: self._available > offset or self._error or self._available == self.length)
            if self._error and self._available <= offset:
                raise _copy(self._error)
            return self._available

    def release(self) -> None:
        """Let go of the file, whose room is free when the last upload has closed it; nobody opens the blob any more."""
        with self._grown:
            self._released = True
            self._file = None
            if self._available < self.length and self._error is None:
                self._error = CancelledError(f"{self._where} is not needed any more")
            self._grown.notify_all()

    def _fetch(self, file: TemporaryFile) -> None:
        try:
            self._fill(file)
        except AppuioError as error:
            self._stop(self._explain(error))
        except Exception as error:
            self._stop(SourceError(f"{self._where} cannot be read: {type(error).__name__}"))

    def _fill(self, file: TemporaryFile) -> None:
        """The last block is announced only when the digest is known to be right."""
        digest = new_hash(self._descriptor.digest)
        buffer = memoryview(bytearray(BLOCK_SIZE))
        got = last_cut = 0
        while True:
            begun = got
            try:
                with self._open_stream(got) as stream:
                    while count := stream.readinto(buffer):
                        if got + count > self.length:
                            raise truncated(self._descriptor, self._where, got + count)
                        file.write(buffer[:count])
                        digest.update(buffer[:count])
                        got += count
                        if got < self.length:
                            self._announce(got)
                        if self._released:
                            return
            except (ConnectionLostError, ServerError) as error:
                self._attempts.progressed(got - last_cut)
                last_cut = got
                if not tried_again(error, self._attempts):
                    raise
                continue
            # A server may answer a request for the rest with a part of it (RFC 9110, section 15.3.7).
            if not 0 < begun < got < self.length:
                break
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
            self._error = error
            self._grown.notify_all()


class _Follower:
    """Reads a growing file, each follower at its own pace."""

    def __init__(self, blob: SpooledBlob, file: TemporaryFile, offset: int) -> None:
        self._blob = blob
        self._offset = offset
        self._file = file

    def readinto(self, buffer: memoryview) -> int:
        ready = self._blob.wait(self._offset) - self._offset
        if ready <= 0:
            return 0
        count = self._file.read_at(buffer[: min(len(buffer), ready)], self._offset)
        self._offset += count
        return count

    def close(self) -> None:
        del self._file


def tried_again(error: AppuioError, attempts: Attempts) -> bool:
    """Return True after a wait, as long as the server asks for, where an error can pass and an attempt is left."""
    if isinstance(error, ConnectionLostError):
        return attempts.again()
    return isinstance(error, ServerError) and error.status in PASSING_STATUSES and attempts.again(error.retry_after)


def _copy(error: AppuioError) -> AppuioError:
    """Several zones raise it, and each writes its own name into it."""
    new = error.__class__.__new__(error.__class__, *error.args)
    new.__dict__.update(error.__dict__)
    return new
