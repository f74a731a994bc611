# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of service accounts, as the API keeps and gives them.

Source: Kubernetes documentation, "Managing Service Accounts" (Secrets of type
``kubernetes.io/service-account-token``, TokenRequest; the token controller writes the UID of the service account into
the Secret, and deletes the Secret a moment after the account).

A token in a Secret has no time in it: a Secret of the same name for the same account holds the same token. So a
rotation takes the next number, ``image-pusher-secret-2`` and so on, each used once while the account lives, and the
account keeps the highest number as an annotation. Source: Kubernetes, ``pkg/serviceaccount/legacy.go`` (the claims of
such a token).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._errors import ForbiddenError, NotFoundError
from .._json import JsonError, parse_json
from .._openshift import resources
from .._openshift.client import Api
from .._openshift.documents import mapping, text
from .._openshift.errors import no_api
from . import objects
from .objects import SECRET_ACCOUNT_UID, TOKEN_SECRET, LiveObject, annotated, is_token_of, normalised

_DEAD = "deadToken"
STEP = "read the service account's token"
# On the service account: by the first Secret's name the highest number that was used, as JSON.
USED = "registry.appuio.cloud/token-secrets"


@dataclass(frozen=True)
class AccountToken:
    """A token of a service account; ``secret_name`` is None for a bound one, and ``expires_at`` its end (RFC 3339)."""

    token: str = field(repr=False)
    secret_name: str | None = None
    expires_at: str | None = None


def token_in_secret(api: Api, namespace: str, name: str) -> AccountToken | None:
    """Return the token of the newest filled Secret of a service account, or None; raises AppuioError."""
    found = api.items(resources.SECRET, namespace, step=STEP, field_selector=f"type={TOKEN_SECRET}")
    secrets = [one for one in map(normalised, found) if one is not None and _is_of(one, name) and token_of_secret(one)]
    living = [one for one in mark_dead(api, namespace, name, secrets) if not is_dead(one)]
    if not living:
        return None
    newest = max(living, key=_age)
    return AccountToken(token_of_secret(newest), str(newest["metadata"]["name"]))


def bound_token(api: Api, namespace: str, name: str, seconds: int) -> AccountToken:
    """Return a new bound token that ends after some seconds, at least 600 (TokenRequest); raises AppuioError."""
    document = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": seconds},
    }
    answer = api.create(resources.SERVICE_ACCOUNT, namespace, document, step=STEP, name=name, subresource="token")
    status = mapping(answer.get("status"))
    if not text(status.get("token")):
        raise no_api(f"the API gave no token for the service account {name}", STEP)
    return AccountToken(text(status["token"]), expires_at=text(status.get("expirationTimestamp")) or None)


def account_token(api: Api, namespace: str, name: str, seconds: int) -> AccountToken:
    """Return the token in a service account's Secret, else a new bound one; raises AppuioError."""
    hidden: ForbiddenError | None = None
    try:
        kept = token_in_secret(api, namespace, name)
        if kept is not None:
            return kept
    except ForbiddenError as refused:
        hidden = refused
    try:
        return bound_token(api, namespace, name, seconds)
    except NotFoundError as missing:
        raise NotFoundError(
            f"there is no service account {name} in the namespace {namespace}",
            step=STEP,
            server_message=missing.server_message,
            hint="The role appuio.registry.image_pusher sets one up",
        ) from None
    except ForbiddenError as refused:
        read = "may not be read" if hidden else "does not exist"
        raise ForbiddenError(
            f"a Secret with the token of the service account {name} {read} in the namespace {namespace}, "
            "and a new token may not be requested",
            step=STEP,
            server_message=(hidden or refused).server_message,
            hint="Use the credentials of an admin of the namespace, or give the service account's token as token",
        ) from None


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


def _is_of(secret: LiveObject, name: str) -> bool:
    return is_token_of(secret, name) and not secret["metadata"].get("deletionTimestamp")


def _age(secret: Mapping[str, Any]) -> tuple[str, str]:
    metadata = secret["metadata"]
    return str(metadata.get("creationTimestamp") or ""), str(metadata.get("name") or "")


def token_of_secret(secret: Mapping[str, Any]) -> str:
    """Return the token that a Secret holds, empty where it holds none."""
    try:
        encoded = text(mapping(secret.get("data")).get("token"))
        return base64.b64decode(encoded, validate=True).decode("ascii").strip()
    except (binascii.Error, ValueError):
        return ""


@dataclass(frozen=True)
class SecretOptions:
    """What is wanted: the first Secret's name, whether to rotate, and seconds for which an old token lives on."""

    namespace: str
    service_account: str
    secret_name: str
    rotate: bool = False
    grace: int = 3600
    adopt: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


def next_name(options: SecretOptions, account: LiveObject | None, found: Sequence[LiveObject], least: int = 1) -> str:
    """Return the next name that was never used while the account lives, and that nothing else has."""
    taken = {_name(one) for one in found}
    numbers = [number_of(options, _name(one)) for one in numbered(options, found)]
    number = max([*numbers, used_number(options, account), least - 1]) + 1
    while name_of(options, number) in taken:
        number += 1
    return name_of(options, number)


def used_number(options: SecretOptions, account: LiveObject | None) -> int:
    """Return the highest number that the account tells was used for a Secret; 0 where it tells none."""
    return _used(account).get(options.secret_name, 0)


def used_annotation(options: SecretOptions, account: LiveObject | None, number: int) -> dict[str, str]:
    """Return the annotation of the account that tells this number."""
    return {USED: json.dumps({**_used(account), options.secret_name: number}, sort_keys=True)}


def number_of(options: SecretOptions, name: str) -> int:
    """Return 1 for the first Secret's name, n for the name with -n, and 0 for any other."""
    if name == options.secret_name:
        return 1
    match = re.fullmatch(re.escape(options.secret_name) + r"-([2-9]|[1-9][0-9]{1,8})", name)
    return int(match.group(1)) if match else 0


def name_of(options: SecretOptions, number: int) -> str:
    """Return the name of the Secret with this number."""
    return options.secret_name if number == 1 else f"{options.secret_name}-{number}"


def numbered(options: SecretOptions, found: Sequence[LiveObject]) -> list[LiveObject]:
    """Return the token Secrets of the account that have the first one's name or a number after it, in order.

    Those with dead tokens are none: their names are taken, but the token controller deletes them.
    """
    tokens = [one for one in found if is_token_of(one, options.service_account) and not is_dead(one)]
    return sorted(
        (one for one in tokens if number_of(options, _name(one))), key=lambda secret: number_of(options, _name(secret))
    )


def _used(account: LiveObject | None) -> dict[str, int]:
    text = objects.annotated(account, USED) if account else None
    try:
        found = parse_json(text) if text else {}
    except JsonError:
        found = {}
    if not isinstance(found, dict):
        return {}
    return {name: number for name, number in found.items() if isinstance(number, int) and 0 < number < 10**9}


def _name(secret: LiveObject) -> str:
    return str(secret["metadata"]["name"])


def _uid(found: Mapping[str, Any] | None) -> str:
    return text(mapping((found or {}).get("metadata")).get("uid"))


def _account_uid(secret: LiveObject) -> str:
    return annotated(secret, SECRET_ACCOUNT_UID) or ""
