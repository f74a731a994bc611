# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a target to its zone's API, with whatever credential the target has."""

from __future__ import annotations

from typing import Callable, Mapping

from .._errors import InvalidOptionError, UnauthorizedError
from .._targets import Target
from .api_access import ApiAccess, api_access
from .kinds import AuthFile, choose
from .resolve import given_credential, is_api_token


def zone_access(target: Target, environment: Mapping[str, str], register_secret: Callable[[str], None]) -> ApiAccess:
    """Return the access to a target's API; raises AppuioError. Whoever gets it ends it with ``revoke``.

    What is stored for a registry serves too where it is a token of the API, which is what the registries of
    zones take. Every secret is given to ``register_secret`` as soon as it is known.
    """
    choice = choose(target, environment)
    if not isinstance(choice.kind, AuthFile):
        access = api_access(choice, target, environment, register_secret)
        register_secret(access.token)
        return access
    if target.zone.host is None:
        raise InvalidOptionError("the API of the zone has to be asked, and nothing names it", hint="Give zone or host")
    stored = given_credential(choice, target, environment, register_secret)
    if stored is None or not is_api_token(stored.secret):
        raise UnauthorizedError(
            f"what {choice.kind.path} holds for {target.zone.registry} is no token of the zone's API",
            hint="Give token, username and password, or kubeconfig",
        )
    return ApiAccess(target.zone.host, stored.secret, target.connection)
