# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials for a login: those at hand, those that are stored and still good, and the end of one given up."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._credentials.method import ApiLogin, Method
from .._credentials.token import account_user, expiry, subject, timestamp
from .._errors import (
    AppuioError,
    ForbiddenError,
    InvalidOptionError,
    MissingLibraryError,
    NotFoundError,
    UnauthorizedError,
)
from .._targets import Credential

if TYPE_CHECKING:
    from .._credentials.password_method import PasswordMethod
    from .._credentials.service_account_method import ServiceAccountMethod
    from .._openshift.client import Api
    from .options import Login

# The tokens that OpenShift's OAuth server gives to users.
USER_TOKEN = "sha256~"


@dataclass(frozen=True)
class ReusableCredential:
    """A credential without a new token being made for it, if there is one; ``expires_at`` where it is known.

    ``kept`` says that it is the stored one.
    """

    credential: Credential | None
    expires_at: float | None = None
    kept: bool = False


def reusable_credential(login: Login, method: Method, stored: Credential | None) -> ReusableCredential:
    """Return what a login would use without making a token: nothing is changed anywhere. Raises AppuioError.

    A stored token that is the same user's or service account's is kept while more than ``min_validity`` seconds
    are left, so that a second run changes nothing.
    """
    known = method.known_credential()
    if known is not None:
        return ReusableCredential(known.credential, known.expires_at)
    from .._credentials.password_method import PasswordMethod
    from .._credentials.service_account_method import ServiceAccountMethod

    if isinstance(method, ServiceAccountMethod):
        return _of_account(login, method, stored)
    if isinstance(method, PasswordMethod) and stored is not None:
        return _of_user(login, method, stored)
    return ReusableCredential(None)


def api_for(method: Method, token: str, *, attempt_once: bool = False) -> Api:
    """Return the zone's API for a token that is not the method's own; raises AppuioError where nothing names it.

    No token is got for that, and a client certificate of a kubeconfig does not count before the token.
    """
    from .._credentials.password_method import PasswordMethod
    from .._credentials.service_account_method import ServiceAccountMethod
    from .._openshift.resources import ApiAddress

    access = method.access if isinstance(method, ServiceAccountMethod) and method.access else method
    if isinstance(access, PasswordMethod):
        address = ApiAddress(access.api_host(), access.api_connection())
    else:
        address = access.api_login().address
    own = method.target.connection
    how = address.connection._replace(client_cert=own.client_cert, client_key=own.client_key)
    if attempt_once:
        how = how._replace(retries=0)
    return ApiLogin(address._replace(connection=how), token).api()


def _of_account(login: Login, method: ServiceAccountMethod, stored: Credential | None) -> ReusableCredential:
    from .._credentials.password_method import PasswordMethod
    from .._managed_objects.tokens import token_in_secret

    namespace = str(login.target.namespace)
    # With a password, to look would cost a token of the user.
    if method.access is not None and not isinstance(method.access, PasswordMethod):
        api = method.access.api_login().api()
        try:
            found = token_in_secret(api, namespace, method.account)
        except ForbiddenError:
            found = None
        finally:
            api.close()
        if found is not None:
            credential = Credential(found.token, origin=f"the token of the service account {method.account}")
            known = method.registered(credential)
            return ReusableCredential(known.credential, known.expires_at)
    if stored is None or subject(stored.secret) != account_user(namespace, method.account):
        return ReusableCredential(None)
    return _while_valid(login, stored, expiry(stored.secret))


def _of_user(login: Login, method: PasswordMethod, stored: Credential) -> ReusableCredential:
    """Whoever logs in as JANE, or by an address, may be known to OpenShift as jane.

    The name that the token was stored with counts as much, therefore.
    """
    from .._openshift.oauth import oauth_token_end, user_name

    if login.target.zone.host is None or not stored.secret.startswith(USER_TOKEN):
        return ReusableCredential(None)
    by_name = stored.username == method.user
    api = api_for(method, stored.secret)
    try:
        name = user_name(api)
        if not by_name and name.casefold() != method.user.casefold():
            return ReusableCredential(None)
        end = oauth_token_end(api, stored.secret)
    except UnauthorizedError:
        return ReusableCredential(None)
    except MissingLibraryError:
        # The registry tells whether the token is good; only its end is not known.
        return ReusableCredential(stored, kept=True) if by_name else ReusableCredential(None)
    finally:
        api.close()
    return _while_valid(login, stored, end)


def _while_valid(login: Login, stored: Credential, end: float | None) -> ReusableCredential:
    if end is not None and end - time.time() <= login.min_validity:
        return ReusableCredential(None)
    return ReusableCredential(stored, end, kept=True)


def unrevocable(login: Login, stored: Credential) -> str | None:
    """Return why the token of a stored login cannot be revoked by itself, None where it can; asks nobody.

    Raises InvalidOptionError where it could, and nothing names the API.
    """
    if stored.secret.startswith(USER_TOKEN):
        if login.target.zone.host is None:
            raise InvalidOptionError(
                "the token cannot be revoked: nothing names the API", step="revoke the token", hint="Give zone or host"
            )
        return None
    account = subject(stored.secret) or ""
    if not account.startswith("system:serviceaccount:"):
        return "it was not revoked, as it is no token of the zone's API"
    end = expiry(stored.secret)
    when = f"it ends at {timestamp(end)}" if end else "it is good until its Secret is deleted"
    return f"the token of the service account {account.rpartition(':')[2]} was not revoked: {when}"


def revoke(login: Login, stored: Credential) -> None:
    """Revoke a user's token; one that is over already is no failure. Raises AppuioError."""
    from .._openshift.oauth import revoke_oauth_token
    from .._openshift.resources import ApiAddress

    api = ApiLogin(ApiAddress(str(login.target.zone.host), login.target.connection), stored.secret).api()
    try:
        revoke_oauth_token(api, stored.secret)
    except (UnauthorizedError, NotFoundError):
        return
    except AppuioError as error:
        raise error.at(step="revoke the token") from None
    finally:
        api.close()
