# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where an auth file is changed: under a lock, read again, one change, replaced as a whole.

The lock is on the file's folder, so that it leaves nothing behind; where folders cannot be locked (NFS), it is
on a file beside it. A kill at any moment leaves the old file or the new one.
"""

from __future__ import annotations

import copy
import errno
import fcntl
import os
import shutil
import stat
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Iterator

from .._errors import AppuioError
from .auth_document import format_like, parse
from .auth_file import read_text

PRIVATE = 0o600
LOCK_SECONDS = 120.0
_PAUSE = 0.02
_ADVICE = (
    "Name a file that can be written with auth_file or REGISTRY_AUTH_FILE, or set HOME to a directory that is writable"
)
_NOT_LOCKABLE = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)


@dataclass(frozen=True)
class FileAttributes:
    """What the file is to have: permissions, and numbers of owner and group, None for as they are."""

    mode: int = PRIVATE
    owner: int | None = None
    group: int | None = None

    def mode_for(self, existing: int | None) -> int:
        """Return the permissions of a file: a private one that is narrower still stays so."""
        if existing is None or self.mode != PRIVATE:
            return self.mode
        return (existing & PRIVATE) or PRIVATE

    def fit(self, path: str) -> bool:
        """Tell whether a file, where it exists, has these attributes."""
        try:
            found = os.stat(path)
        except OSError:
            return True
        return (
            stat.S_IMODE(found.st_mode) == self.mode_for(stat.S_IMODE(found.st_mode))
            and self.owner in (None, found.st_uid)
            and self.group in (None, found.st_gid)
        )


@dataclass(frozen=True)
class Edited:
    """What became of an edit; ``backup_file`` is the copy of the file as it was."""

    changed: bool
    backup_file: str | None = None


def edit(path: str, change: Callable[[dict[str, Any]], None], attributes: FileAttributes, backup: bool) -> Edited:
    """Let ``change`` alter the content of an auth file, and write the file if that made a difference.

    A symbolic link is followed, missing folders are made (mode 0700). Raises AppuioError when the file cannot be
    written, and BrokenAuthFileError, which leaves it as it is, when it holds something else.
    """
    real = os.path.realpath(path)
    folder = os.path.dirname(real)
    try:
        _make_folder(folder, attributes)
        with _locked(real):
            _remove(_new_file(real))
            text = read_text(real)
            before = parse(text or "", real)
            after = copy.deepcopy(before)
            change(after)
            if text is not None and after == before:
                return Edited(_apply_attributes(real, attributes))
            if text is None and not after:
                return Edited(False)
            kept = _backup(real) if backup and text is not None else None
            _replace(real, format_like(after, text or ""), attributes)
            return Edited(True, kept)
    except OSError as error:
        raise AppuioError(
            f"{error.filename or real} cannot be written: {error.strerror or error}", hint=_ADVICE
        ) from None


@contextmanager
def _locked(path: str) -> Iterator[None]:
    """Hold the lock of a file's folder; another process that holds it is waited for."""
    number = _lock(path)
    try:
        yield
    finally:
        os.close(number)


def _lock(path: str) -> int:
    folder = os.path.dirname(path)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(number), os.stat(folder)):
                return number
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(number)
                raise AppuioError(f"{folder} is locked by another process since {LOCK_SECONDS:g} s") from None
        except OSError as error:
            os.close(number)
            if error.errno in _NOT_LOCKABLE:
                return _lock_beside(path, deadline)
            raise
        os.close(number)
        time.sleep(_PAUSE)


def _lock_beside(path: str, deadline: float) -> int:
    number = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    while True:
        try:
            fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return number
        except (BlockingIOError, PermissionError):
            if time.monotonic() > deadline:
                os.close(number)
                raise AppuioError(f"{path} is locked by another process since {LOCK_SECONDS:g} s") from None
        time.sleep(_PAUSE)


def _make_folder(folder: str, attributes: FileAttributes) -> None:
    missing = []
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    for path in reversed(missing):
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            continue
        _give(path, attributes.owner, attributes.group)


def _new_file(path: str) -> str:
    """Under the lock, one name for the new file is enough, and one that a killed process left is nobody's."""
    return os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.appuio-new")


def _replace(path: str, text: str, attributes: FileAttributes) -> None:
    new = _new_file(path)
    try:
        existing: os.stat_result | None = os.stat(path)
    except FileNotFoundError:
        existing = None
    number = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as stream:
            owner = attributes.owner if attributes.owner is not None else existing and existing.st_uid
            group = attributes.group if attributes.group is not None else existing and existing.st_gid
            _give(new, owner, group)
            os.fchmod(stream.fileno(), attributes.mode_for(existing and stat.S_IMODE(existing.st_mode)))
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(new, path)
    except BaseException:
        _remove(new)
        raise
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _apply_attributes(path: str, attributes: FileAttributes) -> bool:
    if attributes.fit(path):
        return False
    found = os.stat(path)
    _give(path, attributes.owner, attributes.group)
    os.chmod(path, attributes.mode_for(stat.S_IMODE(found.st_mode)))
    return True


def _give(path: str, owner: int | None, group: int | None) -> None:
    found = os.stat(path)
    uid = -1 if owner in (None, found.st_uid) else owner
    gid = -1 if group in (None, found.st_gid) else group
    if (uid, gid) != (-1, -1):
        os.chown(path, -1 if uid is None else uid, -1 if gid is None else gid)


def _backup(path: str) -> str:
    """Of several changes by one task in one second, the file before the first is the one to keep."""
    kept = f"{path}.{os.getpid()}.{time.strftime('%Y-%m-%d@%H:%M:%S~', time.localtime())}"
    if not os.path.exists(kept):
        os.close(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
        shutil.copyfile(path, kept)
    return kept


def _remove(path: str) -> None:
    if os.path.lexists(path):
        os.unlink(path)
