# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials that are already stored: what docker and podman would use for a registry."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Mapping

from .._errors import AppuioError
from .._targets import Credential
from .auth_paths import files_to_read

if TYPE_CHECKING:
    from .auth_folder import AuthFolder

# Most sources are public and nothing is stored: what reads a file is imported where there is one.


def stored_credential(
    registry: str, repository: str | None, auth_file: str | None, environment: Mapping[str, str]
) -> Credential | None:
    """Return what docker or podman would use for a registry, or None where nothing is stored.

    Looks in ``auth_file`` if it is given, else where containers' and docker's tools look. A user name of
    ``<token>`` says that the secret is an identity token (docker's convention). Raises AppuioError for an
    ``auth_file`` that does not exist, a broken file and a helper that fails.
    """
    for path in [auth_file] if auth_file else files_to_read(environment):
        # Told so, containers' tools have no credentials.
        text = "" if os.path.realpath(path) == os.devnull else read_text(path)
        if text is None:
            if auth_file:
                raise AppuioError(
                    f"the auth file {path} does not exist",
                    hint="Log in with appuio_registry_login first, or name another file with auth_file",
                )
            continue
        from .auth_document import parse

        found = find_stored(parse(text, path), registry, repository, path, environment)
        if found is not None:
            return found
    return None


def find_stored(
    document: Mapping[str, Any], registry: str, repository: str | None, path: str, environment: Mapping[str, str]
) -> Credential | None:
    """Return what a file and the helpers it names hold for a registry, or None."""
    from .auth_document import find_credential, find_entry, helper_for, key_of, lookup_keys

    for key in lookup_keys(registry, repository):
        if key != key_of(registry):
            if find_entry(document, key) is not None:
                return find_credential(document, key, path)
            continue
        name = helper_for(document, key)
        found = _ask_helper(name, key, environment) if name else None
        return found or find_credential(document, key, path)
    return None


def _ask_helper(name: str, key: str, environment: Mapping[str, str]) -> Credential | None:
    from .helper import Helper

    return Helper(name, environment).get(key)


def _is_absent(path: str) -> bool:
    """Whether it is known that there is no such file; anything else is for whoever opens it to explain."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def read_text(path: str) -> str | None:
    """Return the text of an auth file, None where there is none; raises AppuioError for one that cannot be read."""
    if _is_absent(path):
        return None
    from .auth_folder import open_folder

    try:
        with open_folder(path) as folder:
            return text_of(folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise AppuioError(
            f"the auth file {path} cannot be read: {error.strerror or error}",
            hint=f"It has to be a file that user {os.geteuid()} may read. auth_file names another",
        ) from None


def text_of(folder: AuthFolder) -> str | None:
    """Return the text of the auth file in a directory, None where there is none; raises OSError and AppuioError."""
    from .auth_document import broken
    from .auth_folder import LARGEST

    content = folder.read()
    if content is None:
        return None
    if len(content) > LARGEST:
        raise broken(folder.path, "it is larger than any such file is")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise broken(folder.path, f"it is no UTF-8 text at byte {error.start}") from None
