# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending the token of a login that is given up, where its own user may do that."""

from __future__ import annotations

from typing import Callable

from .._credential import Credential
from .._errors import AppuioError, NotFoundError, UnauthorizedError
from .._openshift.client import Api, ApiAddress
from .._openshift.tokens import OAUTH_PREFIX, revoke_oauth_token
from .options import Login


def revoke(login: Login, credential: Credential, warn: Callable[[str], None]) -> None:
    """Revoke a user's token; one that is over already is no failure. Raises AppuioError."""
    zone = login.target.zone
    if not credential.secret.startswith(OAUTH_PREFIX):
        warn(
            f"zone {zone.name}: only a user's token can be revoked by itself; "
            "that of a service account ends with its Secret or at its time"
        )
        return
    if zone.host is None:
        raise AppuioError(
            "the token cannot be revoked: nothing names the API", zone=zone.name, hint="Give zone or host"
        )
    api = Api(ApiAddress(zone.host, login.target.connection), credential.secret)
    try:
        revoke_oauth_token(api, credential.secret)
    except (UnauthorizedError, NotFoundError):
        return
    except AppuioError as error:
        raise error.at(zone=zone.name, step="revoke the token") from None
    finally:
        api.close()
