# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of service accounts and of users, as the API keeps and gives them.

Sources: Kubernetes documentation, "Managing Service Accounts" (Secrets of type
``kubernetes.io/service-account-token``, TokenRequest); OpenShift's oauth.openshift.io/v1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Mapping

from .._errors import ForbiddenError, NotFoundError, ServerError
from . import resources
from .client import Api
from .documents import mapping, text
from .errors import no_api
from .objects import LiveObject, is_token_of, normalised

SECRET_TYPE = "kubernetes.io/service-account-token"
ACCOUNT_ANNOTATION = "kubernetes.io/service-account.name"
OAUTH_PREFIX = "sha256~"
STEP = "read the service account's token"


@dataclass(frozen=True)
class AccountToken:
    """A token of a service account; ``secret_name`` is None for a bound one, and ``expires_at`` its end (RFC 3339)."""

    token: str = field(repr=False)
    secret_name: str | None = None
    expires_at: str | None = None


def token_in_secret(api: Api, namespace: str, name: str) -> AccountToken | None:
    """Return the token of the newest filled Secret of a service account, or None; raises AppuioError."""
    found = api.items(resources.SECRET, namespace, step=STEP, field_selector=f"type={SECRET_TYPE}")
    secrets = [one for one in map(normalised, found) if one is not None and _is_of(one, name)]
    for secret in sorted(secrets, key=_age, reverse=True):
        token = token_of_secret(secret)
        if token:
            return AccountToken(token, str(secret["metadata"]["name"]))
    return None


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


def user_name(api: Api) -> str:
    """Return the name of whoever a token stands for; raises AppuioError."""
    found = api.get(resources.USER, "", "~", step="ask who the token is of")
    return str((found.get("metadata") or {}).get("name") or "")


def oauth_token_end(api: Api, token: str) -> float | None:
    """Return when a user's OAuth token ends in seconds since the epoch, None where the API does not tell."""
    name = oauth_token_name(token)
    try:
        found = api.get(resources.USER_OAUTH_TOKEN, "", name, step="ask when the token ends")
        made = datetime.strptime(str(found["metadata"]["creationTimestamp"]), "%Y-%m-%dT%H:%M:%SZ")
        seconds = int(found["expiresIn"])
    except (KeyError, TypeError, ValueError, ForbiddenError, NotFoundError, ServerError):
        return None
    return made.replace(tzinfo=timezone.utc).timestamp() + seconds if seconds > 0 else None


def revoke_oauth_token(api: Api, token: str) -> None:
    """Let a user's OAuth token end; raises AppuioError. It may be taken for up to two more minutes (caches)."""
    name = oauth_token_name(token)
    try:
        api.delete(resources.USER_OAUTH_TOKEN, "", name, step="revoke the token")
    except ForbiddenError:
        api.delete(resources.OAUTH_TOKEN, "", name, step="revoke the token")


def oauth_token_name(token: str) -> str:
    """Return the name of the object that stands for a user's token: a digest, so that it is no secret."""
    digest = hashlib.sha256(token[len(OAUTH_PREFIX) :].encode()).digest()
    return OAUTH_PREFIX + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


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
