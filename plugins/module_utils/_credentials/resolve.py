# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a target says of who it is to a credential that can be used there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Callable, Mapping

from .._credential import DEFAULT_USERNAME, Credential
from .._errors import InvalidOption, NotAuthenticated, Problem
from .._targets import Target
from .auth_document import basic
from .auth_file import stored_credential
from .kinds import AuthFile, Choice, Token, check_credentials, choose
from .token import expiry, subject

__all__ = ["Resolved", "check_credentials", "resolve_credential"]


def _nothing() -> None:
    """Release what needs no release."""


@dataclass(frozen=True)
class Resolved:
    """A credential, and what to do with it when the task is done."""

    credential: Credential
    release: Callable[[], None] = field(default=_nothing, repr=False)

    @property
    def expires_at(self) -> float | None:
        """Seconds since the epoch at which it ends, where it says."""
        return expiry(self.credential.secret)


def resolve_credential(target: Target, environment: Mapping[str, str], mask: Callable[[str], None]) -> Resolved:
    """Return the credential of a target, with which its registry and its API can be asked.

    ``release`` revokes an OAuth token that was only fetched for this task. Every secret is given to
    ``mask`` as soon as it is known. Raises Problem, which names the zone.
    """
    try:
        choice = choose(target, environment)
        resolved = _resolve(choice, target, environment, mask)
    except Problem as problem:
        raise problem.at(zone=target.zone.name, step="credentials") from None
    masked(resolved.credential, mask)
    return resolved


def masked(credential: Credential, mask: Callable[[str], None]) -> Credential:
    """Keep a credential out of the output in all forms it takes; returns it."""
    mask(credential.secret)
    mask(basic(credential))
    if credential.username != DEFAULT_USERNAME:
        mask(basic(replace(credential, username=DEFAULT_USERNAME)))
    return credential


def _resolve(choice: Choice, target: Target, environment: Mapping[str, str], mask: Callable[[str], None]) -> Resolved:
    kind = choice.kind
    if isinstance(kind, AuthFile):
        return Resolved(_stored(kind, target, environment))
    if choice.service_account is None and isinstance(kind, Token):
        return Resolved(Credential(kind.secret, choice.username, origin=kind.source))
    raise InvalidOption(f"{kind.source} cannot be used yet")


def _stored(kind: AuthFile, target: Target, environment: Mapping[str, str]) -> Credential:
    registry = target.zone.registry
    if registry is None:
        raise InvalidOption(f"{kind.source} holds credentials of registries, and no registry is given")
    found = stored_credential(registry, target.namespace, kind.path, environment)
    if found is None:
        raise NotAuthenticated(
            f"{kind.path} holds no credential for {registry}", advice="Log in with appuio_registry_login first"
        )
    return replace(found, is_token=found.is_token or is_api_token(found.secret))


def is_api_token(secret: str) -> bool:
    """Tell whether a stored password is a token of an OpenShift API: an OAuth token or a service account's."""
    return secret.startswith("sha256~") or (subject(secret) or "").startswith("system:serviceaccount:")
