# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a target says of who it is to a credential that can be used there.

What only some kinds of credential need is imported where it is needed: a task with a token starts faster.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Callable, Mapping

from .._credential import DEFAULT_USERNAME, Credential
from .._errors import AppuioError, InvalidOptionError, UnauthorizedError
from .._targets import Target
from .auth_document import basic
from .kinds import AuthFile, Choice, Kubeconfig, Token, check_credentials, choose
from .token import expiry, is_api_token

__all__ = ["Resolved", "check_credentials", "resolve_credential"]

BOUND_SECONDS = 24 * 3600


def _nothing() -> None:
    """Release what needs no release."""


@dataclass(frozen=True)
class Resolved:
    """A credential, and what to do with it when the task is done.

    ``expires_at`` is when it ends in seconds since the epoch, where that is known.
    """

    credential: Credential
    release: Callable[[], None] = field(default=_nothing, repr=False)
    expires_at: float | None = None


def resolve_credential(
    target: Target, environment: Mapping[str, str], register_secret: Callable[[str], None]
) -> Resolved:
    """Return the credential of a target, with which its registry and its API can be asked.

    ``release`` revokes an OAuth token that was only fetched for this task. Every secret is given to
    ``register_secret`` as soon as it is known. Raises AppuioError, which names the zone.
    """
    try:
        choice = choose(target, environment)
        resolved = _resolve(choice, target, environment, register_secret)
    except AppuioError as error:
        raise error.at(zone=target.zone.name, step="credentials") from None
    masked(resolved.credential, register_secret)
    return resolved


def masked(credential: Credential, register_secret: Callable[[str], None]) -> Credential:
    """Keep a credential out of the output in all forms it takes; returns it."""
    register_secret(credential.secret)
    register_secret(basic(credential))
    if credential.username != DEFAULT_USERNAME:
        register_secret(basic(replace(credential, username=DEFAULT_USERNAME)))
    return credential


def given_credential(
    choice: Choice, target: Target, environment: Mapping[str, str], register_secret: Callable[[str], None]
) -> Credential | None:
    """Return a credential that needs no server, or None for one that has to be got from the API."""
    kind = choice.kind
    if choice.service_account is not None:
        return None
    if isinstance(kind, AuthFile):
        return masked(_stored(kind, target, environment), register_secret)
    if isinstance(kind, Token):
        return masked(Credential(kind.secret, choice.username, origin=kind.source), register_secret)
    if isinstance(kind, Kubeconfig):
        from .kubeconfig import kubeconfig_login

        login = kubeconfig_login(kind, target.zone.host, environment)
        return masked(Credential(login.token, choice.username, origin=kind.source), register_secret)
    return None


def _resolve(
    choice: Choice, target: Target, environment: Mapping[str, str], register_secret: Callable[[str], None]
) -> Resolved:
    given = given_credential(choice, target, environment, register_secret)
    if given is not None:
        return Resolved(given, expires_at=expiry(given.secret))
    from .api_access import api_access

    access = api_access(choice, target, environment, register_secret)
    if choice.service_account is None:
        credential = Credential(access.token, choice.username, origin=choice.kind.source)
        return Resolved(credential, access.revoke, access.expires_at)
    from .._openshift.tokens import account_token

    try:
        found = account_token(access.api(), str(target.namespace), choice.service_account, BOUND_SECONDS)
    finally:
        access.revoke()
    origin = f"the service account {choice.service_account}"
    return Resolved(Credential(found.token, origin=origin), expires_at=expiry(found.token))


def _stored(kind: AuthFile, target: Target, environment: Mapping[str, str]) -> Credential:
    from .auth_file import stored_credential

    registry = target.zone.registry
    if registry is None:
        raise InvalidOptionError(f"{kind.source} holds credentials of registries, and no registry is given")
    found = stored_credential(registry, target.namespace, kind.path, environment)
    if found is None:
        raise UnauthorizedError(
            f"{kind.path} holds no credential for {registry}", hint="Log in with appuio_registry_login first"
        )
    return replace(found, is_token=found.is_token or is_api_token(found.secret))
