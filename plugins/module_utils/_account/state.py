# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what there is of a service account in its namespace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._errors import NotFoundError
from .._openshift import resources
from .._openshift.account_secrets import AccountSecrets
from .._openshift.client import Api
from .._openshift.objects import LiveObject, normalised
from .account import AccountOptions
from .plan import AccountState


def read_state(api: Api, wanted: AccountOptions, secrets: AccountSecrets) -> AccountState:
    """Return the objects that the plan for an account looks at; raises AppuioError."""
    namespace = wanted.namespace
    bindings = api.items(resources.ROLE_BINDING, namespace, step="read the role bindings")
    return AccountState(
        bindings=_normal(bindings),
        account=secrets.possible_account(),
        secrets=secrets.read(),
        image_streams=_image_streams(api, wanted) if wanted.state == "present" else [],
    )


def _image_streams(api: Api, wanted: AccountOptions) -> list[LiveObject]:
    found = []
    for name in dict.fromkeys(wanted.image_streams):
        try:
            found.append(api.get(resources.IMAGE_STREAM, wanted.namespace, name, step="read the ImageStream"))
        except NotFoundError:
            pass
    return _normal(found)


def _normal(found: Iterable[Any]) -> list[LiveObject]:
    return [one for one in map(normalised, found) if one is not None]
