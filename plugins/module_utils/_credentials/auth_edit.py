# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where an auth file is changed: under a lock, read again, one change, replaced as a whole.

The lock is on the file's directory, so that it leaves nothing behind; where directories cannot be locked (NFS), it is
on a file beside it. A kill at any moment leaves the old file or the new one. Every step goes by the descriptor of the
directory, and nothing that exists is given another owner or mode: a new file gets them before it takes the name.
"""

from __future__ import annotations

import copy
import errno
import fcntl
import os
import stat
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Iterator

from .._errors import AppuioError
from .auth_attributes import FileAttributes, change_owner, give
from .auth_document import format_like, parse
from .auth_file import text_of
from .auth_folder import AuthFolder, open_folder

LOCK_SECONDS = 120.0
# Podman and docker write the file without a lock, at any moment.
_TRIES = 10
_PAUSE = 0.02
_HINT = (
    "Name a file that can be written with auth_file or REGISTRY_AUTH_FILE, or set HOME to a directory that is writable"
)
_MOUNTED = (
    "A single file that is mounted into a container cannot be replaced: mount its directory instead, or name another "
    "file with auth_file"
)
_FULL = "Make room there, or name another file with auth_file or REGISTRY_AUTH_FILE"
_HINTS = {errno.EBUSY: _MOUNTED, errno.ENOSPC: _FULL, errno.EDQUOT: _FULL}
_NOT_LOCKABLE = (errno.EACCES, errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)


@dataclass(frozen=True)
class Edited:
    """What became of an edit; ``backup_file`` is the copy of the file as it was, ``warnings`` what could not stay."""

    changed: bool
    backup_file: str | None = None
    warnings: tuple[str, ...] = ()


def edit(path: str, change: Callable[[dict[str, Any]], None], attributes: FileAttributes, backup: bool) -> Edited:
    """Let ``change`` alter the content of an auth file, and write the file if that made a difference.

    Symbolic links are followed as ``open_folder`` does, missing directories are made (mode 0700). Raises AppuioError
    when the file cannot be written, and BrokenAuthFileError, which leaves it as it is, when it holds something else.
    ``change`` is called again where another program, which knows no lock, writes the file meanwhile.
    """
    try:
        with _locked(path, attributes) as folder:
            # Under the lock, what a killed process left is nobody's.
            folder.remove(_new_name(folder))
            for _try in range(_TRIES):
                try:
                    return _edited(folder, change, attributes, backup)
                except _WrittenMeanwhileError:
                    pass
            raise AppuioError(
                f"{path} was written by another program again and again", hint="Run the task again when that has ended"
            )
    except OSError as error:
        raise AppuioError(
            f"{path} cannot be written: {error.strerror or error}", hint=_HINTS.get(error.errno or 0, _HINT)
        ) from None


class _WrittenMeanwhileError(Exception):
    """Another program has written the file since it was read."""


def _edited(
    folder: AuthFolder, change: Callable[[dict[str, Any]], None], attributes: FileAttributes, backup: bool
) -> Edited:
    existing = folder.status()
    text = text_of(folder)
    before = parse(text or "", folder.path)
    after = copy.deepcopy(before)
    change(after)
    if after == before and (existing is None or attributes.fit(existing)):
        return Edited(False)
    written = text if after == before and text is not None else format_like(after, text or "")
    if existing is None or text is None or after == before or not backup:
        return Edited(True, None, _replace(folder, written, attributes, existing))
    with _backup(folder, text, existing) as kept:
        return Edited(True, kept, _replace(folder, written, attributes, existing))


@contextmanager
def _locked(path: str, attributes: FileAttributes) -> Iterator[AuthFolder]:
    """Hold the lock of a file's directory; another process that holds it is waited for."""
    deadline = time.monotonic() + LOCK_SECONDS

    def make(name: str, inside: int) -> None:
        _make_directory(name, inside, attributes)

    while True:
        with ExitStack() as held:
            folder = held.enter_context(open_folder(path, make))
            if _lock(folder, held):
                # While it was waited for, the directory may have been replaced by another one.
                again = held.enter_context(open_folder(path, make))
                if folder.same(again):
                    yield folder
                    return
        if time.monotonic() > deadline:
            raise AppuioError(
                f"{path} is locked by another process since {LOCK_SECONDS:g} s",
                hint="Run the task again when that process has ended, or name another file with auth_file",
            )
        time.sleep(_PAUSE)


def _lock(folder: AuthFolder, held: ExitStack) -> bool:
    """Try to take the lock, which ends with ``held``; False while another process has it."""
    try:
        number = folder.open_directory()
        held.callback(os.close, number)
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NOT_LOCKABLE:
            raise
    number = folder.open_lock(f"{folder.name}.lock")
    held.callback(os.close, number)
    try:
        fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _make_directory(name: str, inside: int, attributes: FileAttributes) -> None:
    try:
        os.mkdir(name, 0o700, dir_fd=inside)
    except FileExistsError:
        return
    number = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=inside)
    try:
        # It is ours only as long as it is the one just made.
        if os.fstat(number).st_uid == os.geteuid() and not os.listdir(number):
            change_owner(number, attributes)
    finally:
        os.close(number)


def _new_name(folder: AuthFolder) -> str:
    """Under the lock, one name for the new file is enough."""
    return f".{folder.name}.appuio-new"


def _replace(
    folder: AuthFolder, text: str, attributes: FileAttributes, existing: os.stat_result | None
) -> tuple[str, ...]:
    new = _new_name(folder)
    number = folder.create(new)
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            warnings = give(number, folder.path, attributes, existing)
            os.fchmod(number, attributes.mode_for(existing))
            os.fsync(number)
            # The last moment at which nothing of another program is lost.
            if _version(folder.status()) != _version(existing):
                raise _WrittenMeanwhileError
            os.replace(new, folder.name, src_dir_fd=folder.descriptor, dst_dir_fd=folder.descriptor)
            there = folder.status()
            if there is None or not os.path.samestat(there, os.fstat(number)):
                raise AppuioError(f"{folder.path} was replaced by another process at the same moment", hint="Try again")
    except BaseException:
        folder.remove(new)
        raise
    _synchronise(folder)
    return warnings


def _version(status: os.stat_result | None) -> tuple[int, ...]:
    return (status.st_ino, status.st_size, status.st_mtime_ns) if status is not None else ()


@contextmanager
def _backup(folder: AuthFolder, text: str, existing: os.stat_result) -> Iterator[str]:
    """Keep a copy of the file as it was, unless what follows fails; yields its path.

    Of several changes by one task in one second, the file before the first is the one to keep.
    """
    name = f"{folder.name}.{os.getpid()}.{time.strftime('%Y-%m-%d@%H:%M:%S~', time.localtime())}"
    kept = os.path.join(folder.directory, name)
    try:
        number = folder.create(name)
    except FileExistsError:
        found = folder.status(name)
        if found is None or not stat.S_ISREG(found.st_mode) or found.st_uid not in (os.geteuid(), existing.st_uid):
            raise AppuioError(
                f"{kept} is there already, and is no backup of {folder.path}",
                hint="Run the task again, or without backup",
            ) from None
        yield kept
        return
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            give(number, folder.path, FileAttributes(), existing)
            os.fsync(number)
        yield kept
    except BaseException:
        folder.remove(name)
        raise


def _synchronise(folder: AuthFolder) -> None:
    """Let the new name outlast a crash, where the directory can be opened for that."""
    try:
        number = folder.open_directory()
    except PermissionError:
        return
    try:
        os.fsync(number)
    finally:
        os.close(number)
