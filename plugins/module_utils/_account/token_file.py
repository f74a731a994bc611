# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that a token alone is written into, readable by its owner only."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from .._credentials.token import checked_token, claims
from .._errors import AppuioError, InvalidOptionError
from .account import AccountOptions

# No token is longer; a longer file is something else.
LARGEST = 64 * 1024


@dataclass(frozen=True)
class TokenFile:
    """A file with nothing but a token in it."""

    path: str

    def read(self) -> str | None:
        """Return the token, None where there is none yet; raises InvalidOptionError for what this is no file for."""
        folder = os.path.dirname(os.path.abspath(self.path))
        if not os.path.isdir(folder):
            raise InvalidOptionError(f"the directory {folder} of token_file is not there", hint="Create it first")
        try:
            # Before it is opened, since opening a fifo waits, and opening a device may do something.
            if not stat.S_ISREG(os.stat(self.path).st_mode):
                raise InvalidOptionError(f"token_file {self.path} is not a regular file")
            with open(self.path, "rb") as file:
                content = file.read(LARGEST + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InvalidOptionError(f"token_file {self.path} cannot be read: {error.strerror}") from None
        return self._token(content) if content.strip() else None

    def wide(self) -> bool:
        """Whether others than the owner may do anything with the file."""
        try:
            return bool(os.stat(self.path).st_mode & 0o077)
        except OSError:
            return False

    def write(self, token: str) -> None:
        """Put the token into the file, at once and with mode 0600; raises AppuioError."""
        target = os.path.realpath(self.path)
        temporary = ""
        try:
            number, temporary = tempfile.mkstemp(prefix=".token-", dir=os.path.dirname(target))
            with open(number, "w", encoding="ascii") as file:
                file.write(token)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except OSError as error:
            if temporary:
                with suppress(OSError):
                    os.unlink(temporary)
            raise AppuioError(
                f"token_file {self.path} cannot be written: {error.strerror}", step="write the token into the file"
            ) from None

    def exists(self) -> bool:
        """Whether there is such a file."""
        return os.path.lexists(self.path)

    def remove(self) -> None:
        """Delete the file; raises AppuioError."""
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise AppuioError(
                f"token_file {self.path} cannot be deleted: {error.strerror}", step="delete the file with the token"
            ) from None

    def _token(self, content: bytes) -> str:
        try:
            token = checked_token(content.decode("ascii"), "token_file")
            if len(content) > LARGEST or not claims(token):
                raise ValueError("not the token of a service account")
            return token
        except (ValueError, InvalidOptionError):
            raise InvalidOptionError(
                f"token_file {self.path} holds something that is no token, so it is neither used nor overwritten",
                hint="Delete the file, or name another one",
            ) from None


def token_files(accounts: Iterable[AccountOptions]) -> dict[str, str | None]:
    """Return the tokens that the files of accounts hold by their paths; raises InvalidOptionError for other files."""
    found: dict[str, str | None] = {}
    for account in accounts:
        file = TokenFile(account.token_file)
        if account.token_file and (account.state == "present" or file.exists()):
            found[account.token_file] = file.read()
    return found
