# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Secrets hold the tokens of a service account: the first, the next at a rotation, and the end of old ones; pure.

A token in a Secret has no time in it: the same Secret made again for the same account holds the same
token. A rotation therefore takes the next name, ``image-pusher-secret``, ``image-pusher-secret-2`` and
so on, and marks the Secret it replaces, which a later run removes when the grace period is over.
Source: Kubernetes, ``pkg/serviceaccount/legacy.go`` (the claims of such a token).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from . import objects
from .objects import LiveObject
from .steps import Steps, called

RETIRED = "registry.appuio.cloud/retired-at"
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class TokenWish:
    """What is wanted: the first Secret's name, whether to rotate, and seconds for which an old token lives on.

    ``options`` is what the names of the user's options begin with, for messages that name them.
    """

    namespace: str
    service_account: str
    secret_name: str
    rotate: bool = False
    grace: int = 3600
    adopt: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    options: str = "image_pusher_"


def plan_secret(plan: Steps, wish: TokenWish, found: Sequence[LiveObject], now: datetime) -> str:
    """Add the steps for the token's Secret to the plan and return the name of the one that holds the token."""
    first = objects.named(found, wish.secret_name)
    if first and not objects.is_token_of(first, wish.service_account):
        plan.refused = (
            f"the Secret {wish.secret_name} is there and is no token of the service account "
            f"{wish.service_account}. Choose another {wish.options}secret_name, or delete that Secret"
        )
        return ""
    family = family_of(wish, found)
    current = [secret for secret in family if not retired_at(secret)]
    for secret in family:
        retired = retired_at(secret)
        if retired and _may_change(wish, secret) and now - retired >= timedelta(seconds=wish.grace):
            plan.to_remove(_definition(wish, _name(secret)), f"it was replaced at {retired.strftime(_TIME)}")
    if current and not wish.rotate:
        _change(plan, wish, current[-1])
        return _name(current[-1])
    name = _next_name(wish, family)
    plan.to_put(_definition(wish, name), "make", "it holds the new token" if current else "it holds the token")
    for secret in current:
        if _may_change(wish, secret):
            change = _retirement(wish, _name(secret), now)
            plan.to_put(change, "retire", f"its token lives on for {wish.grace} seconds, until a run after that")
        else:
            plan.left.append(_not_ours(wish, _definition(wish, _name(secret)), "retire"))
    return name


def plan_no_secret(plan: Steps, wish: TokenWish, found: Sequence[LiveObject], reason: str) -> None:
    """Add the removal of all Secrets with tokens that the role has made, or was told to adopt."""
    first = objects.named(found, wish.secret_name)
    if first and not objects.is_token_of(first, wish.service_account):
        plan.left.append(f"{called(_definition(wish, wish.secret_name))}, which is no token of {wish.service_account}")
    for secret in family_of(wish, found):
        definition = _definition(wish, _name(secret))
        if _may_change(wish, secret):
            plan.to_remove(definition, reason)
        else:
            plan.left.append(_not_ours(wish, definition, "remove"))


def family_of(wish: TokenWish, found: Sequence[LiveObject]) -> list[LiveObject]:
    """Return the token Secrets of the account that have the first one's name or a number after it, in order."""
    tokens = [one for one in found if objects.is_token_of(one, wish.service_account) and _number(wish, _name(one))]
    return sorted(tokens, key=lambda secret: _number(wish, _name(secret)))


def retired_at(secret: LiveObject) -> datetime | None:
    """Return when a rotation has replaced the Secret, or None."""
    text = (secret["metadata"].get("annotations") or {}).get(RETIRED)
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=timezone.utc) if text else None
    except ValueError:
        return None


def _change(plan: Steps, wish: TokenWish, secret: LiveObject) -> None:
    """Take over a Secret of somebody else, or bring labels and annotations of ours to what is wanted."""
    definition = _definition(wish, _name(secret))
    if wish.adopt and not objects.is_ours(secret):
        plan.to_put(definition, "adopt", f"{wish.options}adopt is set")
    elif objects.is_ours(secret) and objects.lacks_marks(secret, wish.labels, wish.annotations):
        plan.to_put(definition, "mark", "it is to have other labels or annotations")


def _may_change(wish: TokenWish, secret: LiveObject) -> bool:
    """Whether a Secret may be changed and removed: made by this collection, or to be adopted."""
    return objects.is_ours(secret) or wish.adopt


def _not_ours(wish: TokenWish, definition: dict[str, Any], verb: str) -> str:
    return f"{called(definition)}, which was not made by this collection ({wish.options}adopt would {verb} it)"


def _retirement(wish: TokenWish, name: str, now: datetime) -> dict[str, Any]:
    """A Secret that is adopted to be retired is ours from then on, so that a later run may remove it."""
    metadata: dict[str, Any] = {"name": name, "namespace": wish.namespace}
    metadata["labels"] = {objects.MANAGED_BY: objects.MANAGER}
    metadata["annotations"] = {RETIRED: now.astimezone(timezone.utc).strftime(_TIME)}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}


def _definition(wish: TokenWish, name: str) -> dict[str, Any]:
    made = objects.token_secret(wish.namespace, name, wish.service_account)
    return objects.marked(made, wish.labels, wish.annotations)


def _next_name(wish: TokenWish, family: Sequence[LiveObject]) -> str:
    if not family:
        return wish.secret_name
    return f"{wish.secret_name}-{_number(wish, _name(family[-1])) + 1}"


def _number(wish: TokenWish, name: str) -> int:
    """Return 1 for the first Secret's name, n for the name with -n, and 0 for any other."""
    if name == wish.secret_name:
        return 1
    match = re.fullmatch(re.escape(wish.secret_name) + r"-([2-9]|[1-9][0-9]+)", name)
    return int(match.group(1)) if match else 0


def _name(secret: LiveObject) -> str:
    return str(secret["metadata"]["name"])
