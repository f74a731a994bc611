# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a login is kept: the entry of an auth file, or a credential helper that the file names."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Mapping

from .._credentials.auth_document import (
    IDENTITY_TOKEN_USER,
    find_credential,
    find_entry,
    helper_for,
    is_usable,
    key_of,
    matching_keys,
    parse,
    put_entry,
    remove_entry,
)
from .._credentials.auth_edit import Edited, edit
from .._credentials.auth_file import read_text
from .._errors import AppuioError
from .._targets import DEFAULT_USERNAME, Credential
from .options import Login

if TYPE_CHECKING:
    from .._credentials.helper import Helper

FILE = "file"


@dataclass(frozen=True)
class CredentialStore:
    """A key in an auth file, and the helper that keeps its secret (None: the file itself).

    ``document`` is the file's content when it was read, and ``exists`` whether there was a file.
    """

    login: Login
    key: str
    helper: Helper | None
    document: Mapping[str, Any] = field(repr=False)
    exists: bool = True

    @property
    def name(self) -> str:
        """``file``, or the name of the helper."""
        return self.helper.name if self.helper else FILE

    @property
    def forced(self) -> bool:
        """Whether the task says where the secret is kept, and not the file."""
        return self.login.credential_store != "auto" and not self.login.namespaced

    def stored(self) -> Credential | None:
        """Return what is kept for the key; raises AppuioError."""
        if self.helper:
            return self.helper.get(self.key)
        return find_credential(self.document, self.key, self.login.auth_file)

    def adapted(self, credential: Credential) -> Credential:
        """Return a credential as it can be kept here: helpers take the user ``<token>`` for an identity token."""
        if self.helper and credential.username == IDENTITY_TOKEN_USER:
            return credential._replace(username=DEFAULT_USERNAME)
        return credential

    def is_current(self, wanted: Credential, stored: Credential) -> bool:
        """Tell whether clients find a wanted credential here; the registry ignores the user name, unless one is given.

        OpenShift's registry gives nothing for an identity token, even if it is a token of its API.
        """
        usable = stored.username != IDENTITY_TOKEN_USER if self.helper else is_usable(self.document, self.key)
        wanted = self.adapted(wanted)
        return usable and wanted.secret == stored.secret and wanted.username in (stored.username, DEFAULT_USERNAME)

    def file_reasons(self) -> list[str]:
        """Return why the file is to change, even if the credential is the right one."""
        after = copy.deepcopy(dict(self.document))
        self._select(after)
        reasons = []
        if after != self.document:
            reasons.append(f"credentials of this registry are to be kept by {self.name}")
        if not self.login.attributes.fit_file(self.login.auth_file):
            reasons.append("the file's owner or mode is not as it is to be")
        return reasons

    def holds_entry(self) -> bool:
        """Tell whether the file itself has an entry for the key, even one without a secret."""
        return bool(matching_keys(self.document.get("auths") or {}, self.key))

    def keep(self, credential: Credential | None, stored: Callable[[], None] = lambda: None) -> Edited:
        """Let clients find a credential here, None for the one that is there already; raises AppuioError.

        ``stored`` is called as soon as it is, which it may be when the file cannot be written.
        """
        kept = self.adapted(credential) if credential else None
        if self.helper and kept:
            self.helper.store(self.key, kept)
            stored()

        def change(document: dict[str, Any]) -> None:
            self._select(document)
            if kept and self.helper is None:
                put_entry(document, self.key, kept)

        done = f"the helper {self.name} has the credential already" if self.helper and kept else ""
        edited = self._edit(change, done)
        stored()
        return edited

    def remove(self, stored: Credential | None) -> Edited:
        """Remove what is kept for the key; raises AppuioError."""
        if self.helper and stored:
            self.helper.erase(self.key)
        if not self.exists:
            return Edited(False)

        def change(document: dict[str, Any]) -> None:
            remove_entry(document, self.key)

        done = f"the helper {self.name} has removed the credential already" if self.helper and stored else ""
        return self._edit(change, done)

    def _edit(self, change: Callable[[dict[str, Any]], None], done: str) -> Edited:
        """Edit the file; ``done`` is what the helper has done before, and a failure tells of."""
        try:
            return edit(self.login.auth_file, change, self.login.attributes, self.login.backup)
        except AppuioError as error:
            raise after(done, error) if done else error from None

    def _select(self, document: dict[str, Any]) -> None:
        """Change a file so that clients look for the key here; no secret of a helper stays in the file."""
        if self.forced and helper_for(document, self.key) != (self.helper.name if self.helper else None):
            self._name_helper(document)
        if self.helper and find_entry(document, self.key) is not None:
            remove_entry(document, self.key)

    def _name_helper(self, document: dict[str, Any]) -> None:
        """Name the helper that was asked for, or none, for this registry; others stay as they are."""
        helpers = dict(document.get("credHelpers") or {})
        for name in matching_keys(helpers, self.key):
            del helpers[name]
        if self.helper:
            helpers[self.key] = self.helper.name
        elif document.get("credsStore"):
            helpers[self.key] = ""
        if helpers or document.get("credHelpers"):
            document["credHelpers"] = helpers
        if not helpers:
            document.pop("credHelpers", None)


def after(done: str, error: AppuioError) -> AppuioError:
    """Return the error of a login or logout of which a part is done, so that something has changed."""
    error.message += f"; {done}"
    error.result["changed"] = True
    return error


def open_store(login: Login, environment: Mapping[str, str]) -> CredentialStore:
    """Return where a login is, or would be, kept; raises AppuioError for a file that cannot be read."""
    text = read_text(login.auth_file)
    document = parse(text or "", login.auth_file)
    if login.namespaced:
        return CredentialStore(login, f"{login.registry}/{login.target.namespace}", None, document, text is not None)
    key = key_of(login.registry)
    wanted = login.credential_store
    name = _configured(document, key, login.client) if wanted == "auto" else None if wanted == FILE else wanted
    helper = None
    if name:
        from .._credentials.helper import Helper

        helper = Helper(name, environment)
    return CredentialStore(login, key, helper, document, text is not None)


def _configured(document: Mapping[str, Any], key: str, client: str) -> str | None:
    """Return the helper a client would ask; ``credsStore`` is docker's alone."""
    if client == "podman":
        return helper_for({"credHelpers": document.get("credHelpers")}, key)
    return helper_for(document, key)
