# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A blob that comes over the network: read once into a file, which all uploads follow while it grows."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .._errors import AppuioError, CancelledError, SourceError
from .._http.message import BLOCK_SIZE, Reader
from .local_file import TemporaryFile

if TYPE_CHECKING:
    from .stream import StreamedBlob


class SpooledBlob:
    """The body of a blob that is fetched into a file in ``directory`` when the first upload opens it."""

    def __init__(self, source: StreamedBlob, directory: str) -> None:
        self._source = source
        self._where = source.where
        self._directory = directory
        # Guards all below, and wakes the uploads when the file has grown, or will grow no more.
        self._grown = threading.Condition()
        self._file: TemporaryFile | None = None
        self._available = 0
        self._error: AppuioError | None = None

    @property
    def length(self) -> int:
        """Bytes of the blob."""
        return self._source.length

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
            self._file = None
            if self._available < self.length and self._error is None:
                self._error = CancelledError(f"{self._where} is not needed any more")
            self._grown.notify_all()
        self._source.release()

    def _fetch(self, file: TemporaryFile) -> None:
        """Write and announce block by block; the last one comes when the digest is known to be right."""
        buffer, got = memoryview(bytearray(BLOCK_SIZE)), 0
        reader = self._source.open()
        try:
            while count := reader.readinto(buffer):
                file.write(buffer[:count])
                got += count
                self._announce(got)
        except AppuioError as error:
            self._stop(error)
        except Exception as error:
            self._stop(SourceError(f"{self._where} cannot be read: {type(error).__name__}"))
        finally:
            reader.close()

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


def _copy(error: AppuioError) -> AppuioError:
    """Several zones raise it, and each writes its own name into it."""
    new = error.__class__.__new__(error.__class__, *error.args)
    new.__dict__.update(error.__dict__)
    return new
