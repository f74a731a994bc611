# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the machine that the task runs on, and parts of them: read at offsets by many threads; temporary ones.

Sources: pread(2), open(2) ("O_TMPFILE").
"""

from __future__ import annotations

import errno
import os
import stat
from bisect import bisect_right
from contextlib import suppress
from typing import Callable, NamedTuple, Protocol

from .._errors import LocalStorageError, SourceError
from .._http.message import Reader

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class File(Protocol):
    """A file whose bytes are a source's, or a part of one."""

    @property
    def size(self) -> int:
        """Bytes of the file."""

    def opened(self) -> OpenFile:
        """Return the open file; raises SourceError."""


class OpenFile:
    """A file that is open for reading; ``name`` is what messages call it.

    It is closed when nobody refers to it any more, not before: a reader in another thread would otherwise read from
    whatever file gets the same descriptor next.
    """

    _descriptor = -1

    def __init__(self, descriptor: int, name: str) -> None:
        self._descriptor = descriptor
        self.name = name

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        # Bound early: at the end of the interpreter the module may be gone before its last file.
        if self._descriptor >= 0:
            close(self._descriptor)

    @property
    def size(self) -> int:
        """Bytes of the file as it is now."""
        return os.fstat(self._descriptor).st_size

    def opened(self) -> OpenFile:
        """Return this file."""
        return self

    def read_at(self, buffer: memoryview, offset: int) -> int:
        """Fill the buffer from an offset on; return the number of bytes, 0 at the end; raises SourceError."""
        try:
            if hasattr(os, "preadv"):
                return os.preadv(self._descriptor, [buffer], offset)
            content = os.pread(self._descriptor, len(buffer), offset)
        except OSError as error:
            raise unreadable(self.name, error) from None
        buffer[: len(content)] = content
        return len(content)

    def content(self, offset: int, size: int) -> bytes:
        """Return ``size`` bytes from an offset on, fewer at the end of the file; raises SourceError."""
        content, got = bytearray(size), 0
        with memoryview(content) as view:
            while got < size:
                count = self.read_at(view[got:], offset + got)
                if not count:
                    break
                got += count
        return bytes(content[:got])


class NamedFile:
    """A file that is opened by each who reads it, so that many of them do not stay open; raises SourceError."""

    def __init__(self, path: str) -> None:
        self.path = path
        # Opened once to be sure that it is there, is a regular file, and may be read.
        self.size = open_file(path).size

    def opened(self) -> OpenFile:
        """Return the open file; raises SourceError."""
        return open_file(self.path)


class TemporaryFile(OpenFile):
    """A file without a name in the file system, so that nothing is left of it however the process ends."""

    def __init__(self, directory: str, purpose: str) -> None:
        self._directory = directory
        self._purpose = purpose
        try:
            descriptor = _unnamed_file(directory)
        except OSError as error:
            raise unwritable(directory, purpose, error) from None
        super().__init__(descriptor, f"the temporary file for {purpose}")

    def write(self, block: bytes | memoryview) -> int:
        """Append a block; return its bytes; raises LocalStorageError."""
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            raise unwritable(self._directory, self._purpose, error) from None
        return len(block)


def _unnamed_file(directory: str) -> int:
    """Return the descriptor of a new file for reading and writing; raises OSError.

    What ``tempfile`` does, whose import takes longer than the file.
    """
    flags = os.O_RDWR | os.O_CLOEXEC
    with suppress(OSError):
        return os.open(directory, flags | getattr(os, "O_TMPFILE", 0), 0o600)
    # Not every file system can make one that never had a name.
    path = os.path.join(directory, f"tmp{os.urandom(8).hex()}")
    descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        os.unlink(path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def open_file(path: str) -> OpenFile:
    """Return a regular file, open for reading; raises SourceError for anything else."""
    try:
        # O_NONBLOCK, as opening a named pipe would otherwise wait for its writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    file = OpenFile(descriptor, path)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        raise SourceError(f"{path} is a directory, not a file")
    if not stat.S_ISREG(mode):
        raise SourceError(f"{path} is not a regular file, so it cannot be read at random")
    return file


def unreadable(path: str, error: OSError | ValueError) -> SourceError:
    """Return the error for a file that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return SourceError(f"{path} does not exist")
    return SourceError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}")


def unwritable(directory: str, purpose: str, error: OSError) -> LocalStorageError:
    """Return the error for a temporary file that cannot be made or written."""
    what = f"{directory} has no room" if error.errno in _FULL else f"{directory} cannot be written to"
    hint = "Ansible's remote_tmp (ANSIBLE_REMOTE_TMP) says where temporary files are; it needs room for the image"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        what, hint = "too many files are open", "Lower jobs, or raise the limit of open files (ulimit -n)"
    return LocalStorageError(f"{what} for {purpose}: {error.strerror or error}", hint=hint)


class Extent(NamedTuple):
    """Bytes of a sparse file that are stored: ``offset`` in the file, ``start`` where they lie."""

    offset: int
    start: int
    size: int


class Part(NamedTuple):
    """``size`` bytes of a file from ``start`` on; of a sparse one the ``extents``, in order, and zeros between them."""

    file: File
    start: int
    size: int
    extents: tuple[Extent, ...] | None = None

    @property
    def length(self) -> int:
        """Bytes of the part."""
        return self.size

    def open(self, offset: int = 0) -> Reader:
        """Return a reader that checks nothing; raises SourceError."""
        return _PartReader(self, offset)

    def content(self, limit: int, where: str) -> bytes:
        """Return all bytes; raises SourceError for more than ``limit``, and where the file is shorter."""
        if self.size > limit:
            raise SourceError(f"{where} has {self.size} bytes, and no document of an image has more than {limit}")
        content, got = bytearray(self.size), 0
        reader = self.open()
        with memoryview(content) as view:
            while got < self.size:
                count = reader.readinto(view[got:])
                if not count:
                    raise SourceError(f"{where} is truncated: it has {got} bytes and should have {self.size}")
                got += count
        reader.close()
        return bytes(content)

    def beginning(self, size: int) -> bytes:
        """Return the first bytes, fewer where there are no more; raises SourceError."""
        buffer = bytearray(min(size, self.size))
        with memoryview(buffer) as view:
            count = self.open().readinto(view) if buffer else 0
        return bytes(buffer[:count])


class _PartReader:
    def __init__(self, part: Part, offset: int) -> None:
        self._part = part
        self._file = part.file.opened()
        self._offset = offset
        self._starts = [extent.offset for extent in part.extents or ()]

    def readinto(self, buffer: memoryview) -> int:
        wanted = min(len(buffer), self._part.size - self._offset)
        if wanted <= 0:
            return 0
        if self._part.extents is None:
            count = self._file.read_at(buffer[:wanted], self._part.start + self._offset)
        else:
            count = self._sparse(buffer[:wanted], self._part.extents)
        self._offset += count
        return count

    def _sparse(self, buffer: memoryview, extents: tuple[Extent, ...]) -> int:
        number = bisect_right(self._starts, self._offset) - 1
        if number >= 0:
            extent = extents[number]
            into = self._offset - extent.offset
            if into < extent.size:
                return self._file.read_at(buffer[: extent.size - into], extent.start + into)
        following = self._starts[number + 1] if number + 1 < len(extents) else self._part.size
        count = min(len(buffer), following - self._offset)
        buffer[:count] = bytes(count)
        return count

    def close(self) -> None:
        del self._file
