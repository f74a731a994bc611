# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of an auth file, reached and held by descriptors, so that nothing swapped on the way matters.

A task may run as root for a file in the home of a user who can replace any part of it at any moment. Such a user's
symbolic links are followed only to what belongs to the same user, and a file is opened only if it is a regular one.
Source: openat(2), symlink(7), proc(5) on ``fs.protected_symlinks``.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Callable, Iterator

from .._errors import AppuioError

LARGEST = 16 * 1024 * 1024
_LINKS = 40
_COMMON = os.O_CLOEXEC | os.O_NOFOLLOW
# Where the system has it, a directory that may be entered but not listed can be opened too.
_ENTER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | _COMMON
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | _COMMON
_OTHER_FILE = "Name another file with auth_file or REGISTRY_AUTH_FILE"


@dataclass(frozen=True)
class AuthFolder:
    """An open directory, and the name of the auth file in it, which is no link.

    ``path`` is the file as the user named it, ``directory`` the path of the directory without links. ``descriptor``
    serves as ``dir_fd`` alone.
    """

    descriptor: int
    name: str
    path: str
    directory: str

    def status(self, name: str | None = None) -> os.stat_result | None:
        """Return what the system says of a name in the directory, by default the file's; None where there is none."""
        return _status(self.name if name is None else name, self.descriptor)

    def read(self) -> bytes | None:
        """Return the content of the file up to a byte more than LARGEST, None where there is no file.

        Raises OSError, and AppuioError for what is no regular file, which is never opened in a way that blocks.
        """
        # Opening a device may have effects of its own, so the name is looked at before it is opened.
        found = self.status()
        if found is None:
            return None
        self._check_regular(found)
        number = os.open(self.name, _READ, dir_fd=self.descriptor)
        with os.fdopen(number, "rb") as stream:
            self._check_regular(os.fstat(number))
            return stream.read(LARGEST + 1)

    def create(self, name: str) -> int:
        """Return the descriptor of a new private file in the directory, open for writing; raises OSError."""
        return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _COMMON, 0o600, dir_fd=self.descriptor)

    def open_lock(self, name: str) -> int:
        """Return the descriptor of a file to lock, which is made if need be; raises OSError."""
        number = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | _COMMON, 0o600, dir_fd=self.descriptor)
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise OSError(errno.EINVAL, f"{name} beside it is no regular file")
        return number

    def open_directory(self) -> int:
        """Return a descriptor of the directory that can be locked and synchronised; raises OSError."""
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | _COMMON, dir_fd=self.descriptor)

    def remove(self, name: str) -> None:
        """Remove a name from the directory, if it is there; raises OSError."""
        try:
            os.unlink(name, dir_fd=self.descriptor)
        except FileNotFoundError:
            pass

    def same(self, other: AuthFolder) -> bool:
        """Tell whether another one is the same name in the same directory."""
        here, there = os.fstat(self.descriptor), os.fstat(other.descriptor)
        return self.name == other.name and os.path.samestat(here, there)

    def _check_regular(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise AppuioError(
                f"the auth file {self.path} is {_kind(found.st_mode)}, not a regular file", hint=_OTHER_FILE
            )


@contextmanager
def open_folder(path: str, make: Callable[[str, int], None] | None = None) -> Iterator[AuthFolder]:
    """Yield the directory of an auth file; ``make(name, dir_fd)`` makes a missing directory on the way to it.

    Raises OSError, with FileNotFoundError for a directory that is missing, and AppuioError for what must not be
    followed: another user's link to what is not that user's, and a hard link that has another owner.
    """
    walk = _Walk(path, make)
    try:
        yield walk.folder()
    finally:
        walk.close()


@dataclass
class _Walk:
    """From the root directory to a file, a component at a time."""

    path: str
    make: Callable[[str, int], None] | None
    descriptor: int = -1
    trail: list[str] = field(default_factory=list)
    links: list[tuple[str, int]] = field(default_factory=list)

    def folder(self) -> AuthFolder:
        self._restart()
        ahead = _components(os.path.abspath(self.path))
        followed = 0
        while ahead:
            name = ahead.pop()
            found = _status(name, self.descriptor)
            if found is not None and stat.S_ISLNK(found.st_mode):
                followed += 1
                if followed > _LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                ahead += self._follow(name, found)
            elif not ahead:
                return self._arrived(name, found)
            else:
                self._enter(name, found)
        return self._arrived(".", os.fstat(self.descriptor))

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _arrived(self, name: str, found: os.stat_result | None) -> AuthFolder:
        around = os.fstat(self.descriptor)
        self._check_links(os.path.join("/", *self.trail, name), found or around)
        foreign = found is not None and found.st_uid != around.st_uid and around.st_uid not in _trusted()
        if found is not None and foreign and stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
            raise AppuioError(
                f"{self.path} is a hard link to a file of user {found.st_uid}, in a directory of user {around.st_uid}",
                hint="Remove it, or name another file with auth_file",
            )
        return AuthFolder(self.descriptor, name, self.path, os.path.join("/", *self.trail))

    def _restart(self) -> None:
        root = os.open("/", _ENTER)
        self.close()
        self.descriptor = root
        self.trail.clear()

    def _enter(self, name: str, found: os.stat_result | None) -> None:
        if found is None:
            if self.make is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            self._check_links(os.path.join("/", *self.trail), os.fstat(self.descriptor))
            self.make(name, self.descriptor)
        inner = os.open(name, _ENTER, dir_fd=self.descriptor)
        self.close()
        self.descriptor = inner
        if name == "..":
            del self.trail[-1:]
        else:
            self.trail.append(name)

    def _follow(self, name: str, link: os.stat_result) -> list[str]:
        """Return what a link adds to the way, and note whose link it is unless that user is trusted."""
        target = os.readlink(name, dir_fd=self.descriptor)
        again = _status(name, self.descriptor)
        if again is None or (again.st_ino, again.st_ctime_ns) != (link.st_ino, link.st_ctime_ns):
            raise OSError(errno.EAGAIN, "a symbolic link on its way was replaced at the same moment")
        # Who owns the directory can have moved another user's link there.
        owners = (link.st_uid, os.fstat(self.descriptor).st_uid)
        here = os.path.join("/", *self.trail, name)
        self.links += [(here, owner) for owner in owners if owner not in _trusted()][:1]
        if os.path.isabs(target):
            self._restart()
        return _components(target)

    def _check_links(self, target: str, found: os.stat_result) -> None:
        # What belongs to root is out of reach for everybody else, so that only root can be led astray to it.
        harmless = (0,) if os.geteuid() else ()
        for link, owner in self.links:
            if found.st_uid not in (owner, *harmless):
                raise AppuioError(
                    f"the symbolic link {link} of user {owner} leads to {target}, which belongs to user "
                    f"{found.st_uid}: it is not followed",
                    hint="Name the file itself with auth_file, or remove the link",
                )


def _trusted() -> tuple[int, int]:
    return (0, os.geteuid())


def _components(path: str) -> list[str]:
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _status(name: str, descriptor: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISLNK, "a symbolic link"),
    )
    return next((text for test, text in kinds if test(mode)), "a device")
