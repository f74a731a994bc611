# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials for a login: those at hand, those that are stored and still good, those that have to be got."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Callable, Mapping

from .._credential import Credential
from .._credentials.api_access import api_access, api_connection
from .._credentials.kinds import Choice, Password, choose
from .._credentials.resolve import Resolved, given_credential, masked, resolve_credential
from .._credentials.token import account_user, expiry, subject
from .._errors import AppuioError, ForbiddenError, UnauthorizedError
from .._openshift.client import Api, ApiAddress
from .._openshift.tokens import OAUTH_PREFIX, oauth_token_end, token_in_secret, user_name
from .options import Login, credential_environment


@dataclass(frozen=True)
class Candidate:
    """A credential without a new token being made for it, if there is one; ``expires_at`` where it is known."""

    credential: Credential | None
    expires_at: float | None = None
    kept: bool = False


def candidate(
    login: Login, stored: Credential | None, environment: Mapping[str, str], register_secret: Callable[[str], None]
) -> Candidate:
    """Return what a login would use without making a token: nothing is changed anywhere. Raises AppuioError.

    A stored token that is the same user's or service account's is kept while more than ``min_validity``
    seconds are left, so that a second run changes nothing.
    """
    known = credential_environment(environment)
    choice = choose(login.target, known)
    given = given_credential(choice, login.target, known, register_secret)
    if given is not None:
        return Candidate(given, expiry(given.secret))
    if choice.service_account is not None:
        return _account(choice, choice.service_account, login, stored, known, register_secret)
    if isinstance(choice.kind, Password) and stored is not None:
        return _user(choice, choice.kind.username, login, stored, known)
    return Candidate(None)


def fetched(login: Login, environment: Mapping[str, str], register_secret: Callable[[str], None]) -> Resolved:
    """Return a credential that may have been made for this login; raises AppuioError."""
    return resolve_credential(login.target, credential_environment(environment), register_secret)


def _account(
    choice: Choice,
    account: str,
    login: Login,
    stored: Credential | None,
    environment: Mapping[str, str],
    register_secret: Callable[[str], None],
) -> Candidate:
    namespace = str(login.target.namespace)
    if not isinstance(choice.kind, Password):
        with api_access(choice, login.target, environment, register_secret) as access:
            try:
                found = token_in_secret(access.api(), namespace, account)
            except ForbiddenError:
                found = None
        if found is not None:
            credential = Credential(found.token, origin=f"the service account {account}")
            return Candidate(masked(credential, register_secret), expiry(found.token))
    if stored is None or subject(stored.secret) != account_user(namespace, account):
        return Candidate(None)
    return _still_good(stored, expiry(stored.secret), login)


def _user(choice: Choice, username: str, login: Login, stored: Credential, environment: Mapping[str, str]) -> Candidate:
    host = login.target.zone.host
    if host is None or not stored.secret.startswith(OAUTH_PREFIX):
        return Candidate(None)
    api = Api(ApiAddress(host, api_connection(login.target, environment if choice.environment else {})), stored.secret)
    try:
        if user_name(api) != username:
            return Candidate(None)
        end = oauth_token_end(api, stored.secret)
    except UnauthorizedError:
        return Candidate(None)
    except AppuioError as error:
        raise error.at(zone=login.target.zone.name) from None
    finally:
        api.close()
    return _still_good(stored, end, login)


def _still_good(stored: Credential, end: float | None, login: Login) -> Candidate:
    if end is not None and end - time.time() <= login.min_validity:
        return Candidate(None)
    return Candidate(stored, end, kept=True)
