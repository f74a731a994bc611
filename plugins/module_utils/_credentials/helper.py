# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credential helpers: the programs ``docker-credential-NAME``, asked by their protocol.

Source: docker/docker-credential-helpers, README, "Development": one word as argument, input and output by pipes.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Any, Mapping

from .._errors import AppuioError, InvalidOptionError
from .._json import JsonError, parse_json
from .._targets import SECRET_VARIABLES, Credential
from .auth_document import checked_secret

TIMEOUT = 60.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOT_THERE = ("credentials not found", "no credentials", "not found in native keychain")


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for a program that is none of those which our secrets are for."""
    return {name: value for name, value in environment.items() if name not in SECRET_VARIABLES}


@dataclass(frozen=True)
class Helper:
    """A helper; its secrets go through pipes, never through arguments or the environment."""

    name: str
    environment: Mapping[str, str] = field(repr=False)

    def get(self, server: str) -> Credential | None:
        """Return what is kept for a server, or None; raises AppuioError when the helper fails."""
        code, output = self._run("get", server)
        if code:
            if any(sign in output.lower() for sign in _NOT_THERE):
                return None
            raise self._failed("get", output)
        found = self._json(output, "get")
        secret, username = checked_secret(found.get("Secret") or ""), found.get("Username") or ""
        if secret is None or not isinstance(username, str):
            raise self._failed("get", "its answer holds no user name and secret")
        return Credential(secret, username, is_token=False, origin=self.program) if secret else None

    def store(self, server: str, credential: Credential) -> None:
        """Keep a credential; raises AppuioError."""
        words = {"ServerURL": server, "Username": credential.username, "Secret": credential.secret}
        code, output = self._run("store", json.dumps(words))
        if code:
            raise self._failed("store", output.replace(credential.secret, "…"))

    def erase(self, server: str) -> None:
        """Forget a server; one that is not known is no failure. Raises AppuioError."""
        code, output = self._run("erase", server)
        if code and not any(sign in output.lower() for sign in _NOT_THERE):
            raise self._failed("erase", output)

    def list(self) -> dict[str, str]:
        """Return server → user name of all that is kept; raises AppuioError."""
        code, output = self._run("list", "")
        if code:
            raise self._failed("list", output)
        return {str(server): str(user) for server, user in self._json(output, "list").items()}

    @property
    def program(self) -> str:
        """The name of the program."""
        return f"docker-credential-{self.name}"

    def find(self) -> str:
        """Return the path of the program; raises InvalidOptionError for a bad name, AppuioError where there is none."""
        if not _NAME.fullmatch(self.name):
            raise InvalidOptionError(
                f"{self.name!r} is not the name of a credential helper",
                hint="credsStore and credHelpers of the auth file name helpers: pass for docker-credential-pass",
            )
        path = shutil.which(self.program, path=self.environment.get("PATH"))
        if path is None:
            raise AppuioError(
                f"the credential helper {self.program} is not installed, or not in PATH",
                hint="Install it, or set credential_store to file",
            )
        return path

    def _run(self, word: str, given: str) -> tuple[int, str]:
        try:
            ended = subprocess.run(  # pylint: disable=ansible-bad-function
                [self.find(), word],
                input=given.encode(),
                capture_output=True,
                env=without_secrets(self.environment),
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise self._failed(word, f"no answer within {TIMEOUT:g} s") from None
        except OSError as error:
            raise self._failed(word, error.strerror or str(error)) from None
        output = ended.stdout.decode(errors="replace")
        if ended.returncode and not output.strip():
            output = ended.stderr.decode(errors="replace")
        return ended.returncode, output

    def _json(self, output: str, word: str) -> dict[str, Any]:
        try:
            found = parse_json(output)
        except JsonError:
            found = None
        if not isinstance(found, dict):
            raise self._failed(word, "its answer is no JSON object")
        return found

    def _failed(self, word: str, output: str) -> AppuioError:
        said = "".join(letter if letter.isprintable() else " " for letter in output)
        return AppuioError(
            f"{self.program} {word} failed: {' '.join(said.split())[:300] or 'it gave no reason'}",
            hint="Mend the helper, or log in with credential_store: file, which keeps the credential in the auth file",
        )
