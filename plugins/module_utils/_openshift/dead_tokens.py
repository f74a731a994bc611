# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets with tokens of a service account that was deleted, and may have been made anew under the same name.

Source: Kubernetes documentation, "Managing Service Accounts", token controller: it writes the UID of the service
account into the Secret with the token, and deletes the Secret a moment after the account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._errors import ForbiddenError, NotFoundError
from . import resources
from .client import Api
from .documents import mapping, text
from .objects import SECRET_ACCOUNT_UID, LiveObject, annotated, is_token_of

_DEAD = "deadToken"


def mark_dead(
    api: Api, namespace: str, name: str, found: Sequence[LiveObject], account: LiveObject | None = None
) -> list[LiveObject]:
    """Return the Secrets, with a mark on those whose service account was deleted, though one of its name may be there.

    Their tokens are good for nothing, and the token controller deletes them in a moment. ``account`` is the service
    account as it was read before: it is read anew for a Secret with another UID alone, as either may be the newer one.
    One that may not be read marks none. Raises AppuioError.
    """
    known = _uid(account)
    doubtful = [is_token_of(one, name) and _account_uid(one) not in ("", known) for one in found]
    if not any(doubtful):
        return list(found)
    try:
        uid = _uid(api.get(resources.SERVICE_ACCOUNT, namespace, name, step="read the service account"))
    except NotFoundError:
        uid = ""
    except ForbiddenError:
        return list(found)
    dead = [doubt and _account_uid(one) != uid for one, doubt in zip(found, doubtful)]
    return [{**one, _DEAD: True} if gone else one for one, gone in zip(found, dead)]


def is_dead(secret: LiveObject) -> bool:
    """Whether ``mark_dead`` has marked the Secret."""
    return bool(secret.get(_DEAD))


def _uid(found: Mapping[str, Any] | None) -> str:
    return text(mapping((found or {}).get("metadata")).get("uid"))


def _account_uid(secret: LiveObject) -> str:
    return annotated(secret, SECRET_ACCOUNT_UID) or ""
