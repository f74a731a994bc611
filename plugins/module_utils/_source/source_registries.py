# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registries that sources are read from: their connections, and their errors in words about the source."""

from __future__ import annotations

import threading

from .._errors import (
    AppuioError,
    CancelledError,
    ConnectionFailedError,
    ForbiddenError,
    LocalStorageError,
    NotFoundError,
    ServerError,
    SourceError,
    TlsVerificationError,
    UnauthorizedError,
)
from .._http.client import HttpClient
from .._http.retry import SYSTEM_CLOCK, Clock
from .._registry.pull_limit import PullLimit
from .._targets import Connection, Credential

_NO_CREDENTIAL = (
    "If it is private, give source_username and source_password, or source_auth_file; "
    "else look whether its name is spelled right"
)


class SourceClients:
    """Clients of registries, one for each user of it, which several sources may share; safe for several threads."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._made: list[tuple[tuple[str, Connection, Credential | None], tuple[HttpClient, PullLimit]]] = []

    def client(
        self, origin: str, connection: Connection, credential: Credential | None
    ) -> tuple[HttpClient, PullLimit]:
        """Return the client of an origin that asks in this way, as this user, and the limit that it meets there.

        It is closed with all others.
        """
        key = (origin, connection, credential)
        with self._lock:
            for known, made in self._made:
                if known == key:
                    return made
            made = (HttpClient(origin, connection, connection.ca_cert, credential, self._clock), PullLimit())
            self._made.append((key, made))
            return made

    def abort(self) -> None:
        """Cut all connections, as ``HttpClient.abort`` does."""
        for _key, (client, _limit) in list(self._made):
            client.abort()

    def close(self) -> None:
        """Give back connections."""
        with self._lock:
            made, self._made = self._made, []
        for _key, (client, _limit) in made:
            client.close()


UNKNOWN = (
    "Is it spelled right? Some registries answer so to who may not read it: then give source_username and "
    "source_password, or source_auth_file"
)


def source_error(error: AppuioError, description: str, registry: str, credential: Credential | None) -> AppuioError:
    """Return an error as one of the source: what a zone's client says of zones and their rights is not true of it."""
    if isinstance(error, (SourceError, LocalStorageError, CancelledError)):
        return error
    if isinstance(error, NotFoundError):
        missing = SourceError(f"{description} does not exist", step=error.step, hint=UNKNOWN)
        missing.server_message = error.server_message
        return missing
    if isinstance(error, (UnauthorizedError, ForbiddenError)):
        refused = f"{registry} does not give it to the credential of {credential.origin}" if credential else ""
        error.message = (
            f"{description} cannot be read: {refused or f'{registry} gives it to nobody without credential'}"
        )
        error.hint = "Is the credential right, and may it pull this repository?" if credential else _NO_CREDENTIAL
    else:
        error.message = f"{description} cannot be read: {error.message}"
        error.hint = _hint(error)
    return error.at(step="read the source")


def _hint(error: AppuioError) -> str | None:
    if isinstance(error, TlsVerificationError):
        return "Name the authority that signed it in source_ca_cert"
    if isinstance(error, ConnectionFailedError):
        return "Is the registry in source spelled right, and can it be reached from where the task runs?"
    if isinstance(error, ServerError) and error.status == 429:
        return "Its limit is reached: give source_username and source_password if there are none, or push later"
    return "Try again later: this is trouble of the source's registry"
