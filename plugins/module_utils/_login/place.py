# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a login is kept: the entry of an auth file, or a credential helper that the file names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Mapping

from .._credential import Credential
from .._credentials.auth_document import (
    find_credential,
    find_entry,
    helper_for,
    key_of,
    matching_keys,
    parse,
    put_entry,
    remove_entry,
)
from .._credentials.auth_file import read_text
from .._credentials.helper import Helper
from .options import Login

FILE = "file"


@dataclass(frozen=True)
class Place:
    """A key in a file, and the helper that keeps its secret (None: the file itself)."""

    path: str
    key: str
    helper: Helper | None
    forced: bool
    document: Mapping[str, Any] = field(repr=False)
    exists: bool = True

    @property
    def store(self) -> str:
        """``file``, or the name of the helper."""
        return self.helper.name if self.helper else FILE

    def stored(self) -> Credential | None:
        """Return what is kept for the key; raises AppuioError."""
        if self.helper:
            return self.helper.get(self.key)
        return find_credential(self.document, self.key, self.path)

    def keep(self, credential: Credential) -> Callable[[dict[str, Any]], None]:
        """Return the change of the file that goes with keeping a credential here."""

        def change(document: dict[str, Any]) -> None:
            _point(document, self)
            if self.helper is None:
                put_entry(document, self.key, credential)
            elif find_entry(document, self.key) is not None:
                remove_entry(document, self.key)

        return change

    def point(self, document: dict[str, Any]) -> None:
        """Change a file so that clients look for the key here; no secret of a helper stays in the file."""
        _point(document, self)
        if self.helper and find_entry(document, self.key) is not None:
            remove_entry(document, self.key)

    def forget(self, document: dict[str, Any]) -> None:
        """Change a file so that it knows the key no more."""
        remove_entry(document, self.key)


def place_of(login: Login, environment: Mapping[str, str]) -> Place:
    """Return where a login is, or would be, kept; raises AppuioError for a file that cannot be read."""
    text = read_text(login.auth_file)
    document = parse(text or "", login.auth_file)
    if login.namespaced:
        key = f"{login.registry}/{login.target.namespace}"
        return Place(login.auth_file, key, None, False, document, text is not None)
    key = key_of(login.registry)
    wanted = login.credential_store
    name = _configured(document, key, login.client) if wanted == "auto" else None if wanted == FILE else wanted
    helper = Helper(name, environment) if name else None
    return Place(login.auth_file, key, helper, wanted != "auto", document, text is not None)


def _configured(document: Mapping[str, Any], key: str, client: str) -> str | None:
    """Return the helper a client would ask; ``credsStore`` is docker's alone."""
    if client == "podman":
        return helper_for({"credHelpers": document.get("credHelpers")}, key)
    return helper_for(document, key)


def _point(document: dict[str, Any], place: Place) -> None:
    """Name the helper that was asked for, or none, for this registry; others stay as they are."""
    if not place.forced or helper_for(document, place.key) == (place.helper.name if place.helper else None):
        return
    helpers = dict(document.get("credHelpers") or {})
    for name in matching_keys(helpers, place.key):
        del helpers[name]
    if place.helper:
        helpers[place.key] = place.helper.name
    elif document.get("credsStore"):
        helpers[place.key] = ""
    if helpers or document.get("credHelpers"):
        document["credHelpers"] = helpers
    if not helpers:
        document.pop("credHelpers", None)
