# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A blob that comes over the network, read by who needs it, and verified before its last block is given.

It is read on from where it broke, and again from where a reader wants it: RFC 9110, 14.2 (Range).
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from typing import Any, Callable, Protocol

from .._errors import AppuioError, CancelledError, ConnectionFailedError, ServerError
from .._http.message import BLOCK_SIZE, Reader
from .._http.retry import PASSING_STATUSES, Attempts, ConnectionLostError
from .._oci.model import Descriptor, new_hash
from .base import altered, truncated

# Bytes between two states of the hash that are kept, so that what was sent need not all be read again.
CHECKPOINT = 32 * BLOCK_SIZE


class Stream(Protocol):
    """Bytes on their way here."""

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer; return the number of bytes, 0 at the end."""

    def cut(self) -> None:
        """End it at once, whatever another thread waits for."""


OpenStream = Callable[[int], AbstractContextManager[Stream]]


class StreamedBlob:
    """The body of a blob of which nothing is stored: each reader reads the source, as a rule the only one there is.

    ``open_stream`` reads it from an offset; ``explain`` makes its errors those of the source.
    """

    def __init__(
        self,
        descriptor: Descriptor,
        where: str,
        open_stream: OpenStream,
        attempts: Attempts,
        explain: Callable[[AppuioError], AppuioError] = lambda error: error,
    ) -> None:
        self.descriptor = descriptor
        self.where = where
        self.open_stream = open_stream
        self.attempts = attempts
        self.released = False
        self._explain = explain
        aborted = attempts.aborted
        attempts.aborted = lambda: self.released or aborted()
        self._lock = threading.Lock()
        self._hashes: dict[int, Any] = {0: new_hash(descriptor.digest)}
        self._streams: list[Stream] = []

    @property
    def length(self) -> int:
        """Bytes of the blob."""
        return self.descriptor.size

    def open(self, offset: int = 0) -> Reader:
        """Return a reader from ``offset`` on; nothing is read before it is asked for a block."""
        return _StreamReader(self, offset)

    def release(self) -> None:
        """Give nothing more: a reader gets CancelledError, at once also where it waits for bytes."""
        self.released = True
        for stream in list(self._streams):
            stream.cut()

    def hash_before(self, offset: int) -> tuple[int, Any]:
        """Return the last position up to ``offset`` whose hash is kept, and the hash of what comes before it."""
        with self._lock:
            position = max(known for known in self._hashes if known <= offset)
            return position, self._hashes[position].copy()

    def next_stop(self, position: int) -> int:
        """Return the next position whose hash is known, or is to be kept; the end is the last one."""
        stop = min(self.length, position - position % CHECKPOINT + CHECKPOINT)
        with self._lock:
            return min((known for known in self._hashes if position < known < stop), default=stop)

    def keep(self, position: int, found: Any) -> bool:
        """Keep the hash of what comes before a position; return whether it is the one that is known already."""
        with self._lock:
            return bool(self._hashes.setdefault(position, found.copy()).digest() == found.digest())

    def altered(self, found: str) -> AppuioError:
        """Return the error for other bytes than the blob's, after which nothing is known of them any more."""
        with self._lock:
            self._hashes = {0: self._hashes[0]}
        return altered(self.descriptor, self.where, found)

    def opened(self, stream: Stream) -> None:
        """Take a stream into account that ``release`` is to cut."""
        self._streams.append(stream)
        # Looked at after it is listed, so that ``release`` cannot miss it.
        self.check_needed()

    def closed(self, stream: Stream) -> None:
        """Forget a stream."""
        self._streams.remove(stream)

    def check_needed(self) -> None:
        """Raise CancelledError where nobody needs the blob any more."""
        if self.released:
            raise CancelledError(f"{self.where} is not needed any more")

    def explained(self, error: AppuioError) -> AppuioError:
        """Return an error that no further attempt can help as one of the source."""
        if self.released:
            return CancelledError(f"{self.where} is not needed any more")
        error = self._explain(error)
        if not isinstance(error, ConnectionLostError):
            return error
        # The upload would take it for a break of its own connection, and try again for nothing.
        final = ConnectionFailedError(error.message)
        final.__dict__.update(error.__dict__)
        return final


class _StreamReader:
    """Reads, hashes and gives; ``_position`` is how far it has read, from before what it gives first."""

    _source: AbstractContextManager[Stream] | None = None
    _stream: Stream | None = None

    def __init__(self, blob: StreamedBlob, offset: int) -> None:
        self._blob = blob
        self._offset = offset
        self._position, self._hash = blob.hash_before(offset)
        self._stop = blob.next_stop(self._position)
        # Where the stream that is open began, and where the last one broke.
        self._begun = self._last_cut = self._position

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer; return the number of bytes, 0 at the end; raises AppuioError."""
        try:
            self._blob.check_needed()
            while self._position < self._offset:
                self._next(buffer[: self._offset - self._position])
            return self._next(buffer) if self._position < self._blob.length else self._verified(0)
        except AppuioError as error:
            self._close(error)
            raise self._blob.explained(error) from None

    def close(self) -> None:
        """Close the connection to the source; how far it got is kept for the next reader."""
        if self._stream is not None:
            self._blob.keep(self._position, self._hash)
        self._close()

    def _next(self, buffer: memoryview) -> int:
        """Read a block and hash it; the last one is given when all bytes are known to be right."""
        count = self._read(buffer[: self._stop - self._position])
        self._hash.update(buffer[:count])
        self._position += count
        if self._position == self._blob.length:
            self._check_end()
            return self._verified(count)
        if self._position == self._stop:
            # What was sent before a break is not all read again, but has to be what is read now.
            if not self._blob.keep(self._position, self._hash):
                raise self._blob.altered("something else each time")
            self._stop = self._blob.next_stop(self._position)
        return count

    def _read(self, buffer: memoryview) -> int:
        """Return the number of bytes, of which there is at least one; goes on where the source broke."""
        blob = self._blob
        while True:
            try:
                count = self._opened().readinto(buffer)
            except (ConnectionLostError, ServerError) as error:
                self._close(error)
                blob.attempts.progressed(self._position - self._last_cut)
                self._last_cut = self._position
                if not tried_again(error, blob.attempts):
                    raise
                continue
            if count:
                return count
            # A server may answer a request for the rest with a part of it (RFC 9110, section 15.3.7).
            if not 0 < self._begun < self._position:
                raise truncated(blob.descriptor, blob.where, self._position)
            self._close()

    def _opened(self) -> Stream:
        """Return the stream, opened where the last one ended; raises AppuioError."""
        if self._stream is None:
            source = self._blob.open_stream(self._position)
            self._stream, self._source, self._begun = source.__enter__(), source, self._position
            self._blob.opened(self._stream)
        return self._stream

    def _check_end(self) -> None:
        """Raise SourceError where more comes than the blob has."""
        try:
            extra = self._opened().readinto(memoryview(bytearray(BLOCK_SIZE)))
        except (ConnectionLostError, ServerError):
            extra = 0  # nothing is missing any more
        if extra:
            raise truncated(self._blob.descriptor, self._blob.where, self._position + extra)
        self._close()

    def _verified(self, count: int) -> int:
        """Return the count of the last bytes; raises SourceError unless all are what the digest says."""
        wanted = self._blob.descriptor.digest
        found = f"{wanted.partition(':')[0]}:{self._hash.hexdigest()}"
        if found != wanted:
            raise self._blob.altered(found)
        return count

    def _close(self, error: AppuioError | None = None) -> None:
        source, stream = self._source, self._stream
        self._source = self._stream = None
        if source is not None and stream is not None:
            self._blob.closed(stream)
            # The error passes through, as it gets its step there.
            source.__exit__(type(error) if error else None, error, None)


def tried_again(error: AppuioError, attempts: Attempts) -> bool:
    """Return True after a wait, as long as the server asks for, where an error can pass and an attempt is left."""
    if isinstance(error, ConnectionLostError):
        return attempts.again()
    return isinstance(error, ServerError) and error.status in PASSING_STATUSES and attempts.again(error.retry_after)
