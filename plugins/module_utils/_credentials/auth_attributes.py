# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owner, group and permissions of an auth file: what is asked for, what a file has, and how a new one gets them."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import re
import stat
from dataclasses import dataclass
from typing import Any

from .._errors import AppuioError, InvalidOptionError
from .auth_folder import open_folder

PRIVATE = 0o600
_NUMBER = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True)
class FileAttributes:
    """What the file is to have: permissions, and numbers of owner and group, None for as they are."""

    mode: int = PRIVATE
    owner: int | None = None
    group: int | None = None

    def mode_for(self, existing: os.stat_result | None) -> int:
        """Return the permissions of a file: a private one that is narrower still stays so."""
        if existing is None or self.mode != PRIVATE:
            return self.mode
        return (stat.S_IMODE(existing.st_mode) & PRIVATE) or PRIVATE

    def fit(self, existing: os.stat_result) -> bool:
        """Tell whether a file has these attributes."""
        return (
            stat.S_IMODE(existing.st_mode) == self.mode_for(existing)
            and self.owner in (None, existing.st_uid)
            and self.group in (None, existing.st_gid)
        )

    def fit_file(self, path: str) -> bool:
        """Tell whether a file, where it exists, has these attributes; raises AppuioError."""
        try:
            with open_folder(path) as folder:
                found = folder.status()
        except OSError:
            return True
        return found is None or self.fit(found)


def file_attributes(mode: Any, owner: str | None, group: str | None) -> FileAttributes:
    """Return what the options mode, owner and group ask for; raises InvalidOptionError."""
    return FileAttributes(_mode(mode), _owner(owner), _group(group))


def give(number: int, path: str, attributes: FileAttributes, existing: os.stat_result | None) -> tuple[str, ...]:
    """Give a new file the owner and group asked for, else those of the file ``path`` that it replaces.

    Returns what could not be kept, as warnings; raises AppuioError for what was asked for and cannot be.
    """
    owner = attributes.owner if attributes.owner is not None else existing and existing.st_uid
    group = attributes.group if attributes.group is not None else existing and existing.st_gid
    try:
        change_owner(number, FileAttributes(owner=owner, group=group))
        return ()
    except OSError as error:
        # EINVAL: a number that means nobody in this user namespace.
        if error.errno not in (errno.EPERM, errno.EINVAL):
            raise
    if attributes.owner is not None or attributes.group is not None:
        raise AppuioError(
            f"{path} cannot be given the owner or group that is asked for",
            hint="Only root can give a file away, and others only to a group that they are in",
        )
    made = os.fstat(number)
    if owner != made.st_uid:
        raise AppuioError(
            f"{path} belongs to user {owner}, and user {made.st_uid} cannot replace it for that user",
            hint="Run the task as that user or as root, or name another file with auth_file",
        )
    return (
        f"{path} belonged to group {group}, which user {made.st_uid} is not in: it belongs to group {made.st_gid} now",
    )


def change_owner(number: int, attributes: FileAttributes) -> None:
    """Give an open file or directory the owner and group that it does not have already; raises OSError."""
    found = os.fstat(number)
    uid = -1 if attributes.owner in (None, found.st_uid) else attributes.owner
    gid = -1 if attributes.group in (None, found.st_gid) else attributes.group
    if (uid, gid) != (-1, -1):
        os.fchown(number, -1 if uid is None else uid, -1 if gid is None else gid)


def _mode(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise InvalidOptionError("mode is no octal number", hint="Write it in quotes, as '0600'")
    if isinstance(value, int):
        mode = value
    else:
        try:
            mode = int(value, 8)
        except ValueError:
            raise InvalidOptionError(
                f"mode {value!r} is no octal number", hint="Write it in quotes, as '0600'"
            ) from None
    if not 0 <= mode <= 0o777 or mode & 0o600 != 0o600:
        raise InvalidOptionError(
            f"mode {value!r} does not let the owner read and write", hint="Write it in quotes, as '0600'"
        )
    if mode & 0o007:
        raise InvalidOptionError(
            f"mode {value!r} would let everybody read the credentials", hint="Give '0600', or '0640' with group"
        )
    return mode


def _owner(name: str | None) -> int | None:
    if name is None:
        return None
    try:
        return _number(name, "owner") if _NUMBER.fullmatch(name) else pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError):
        raise InvalidOptionError(
            f"there is no user {name!r}, whom owner names", hint="Name one that this host knows, or give a number"
        ) from None


def _group(name: str | None) -> int | None:
    if name is None:
        return None
    try:
        return _number(name, "group") if _NUMBER.fullmatch(name) else grp.getgrnam(name).gr_gid
    except (KeyError, ValueError):
        raise InvalidOptionError(
            f"there is no group {name!r}, which group names", hint="Name one that this host knows, or give a number"
        ) from None


def _number(text: str, option: str) -> int:
    """The largest number of 32 bits means "as it is" to the system."""
    if int(text) >= 2**32 - 1:
        raise InvalidOptionError(f"{option} {text} is beyond the numbers that users and groups have")
    return int(text)
