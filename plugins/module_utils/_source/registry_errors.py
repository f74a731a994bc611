# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of a source's registry, in words about the source: its side, and its options as what to do next."""

from __future__ import annotations

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
from .._targets import Credential

_NO_CREDENTIAL = (
    "If it is private, give source_username and source_password, or source_auth_file; "
    "else look whether its name is spelled right"
)


def source_error(error: AppuioError, description: str, registry: str, credential: Credential | None) -> AppuioError:
    """Return an error as one of the source: what a zone's client says of zones and their rights is not true of it."""
    if isinstance(error, (SourceError, LocalStorageError, CancelledError)):
        return error
    if isinstance(error, NotFoundError):
        return SourceError(f"{description} does not exist", step=error.step, server_message=error.server_message)
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
