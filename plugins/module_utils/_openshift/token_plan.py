# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Secrets hold the tokens of a pusher: the first, the next at a rotation, and the end of old ones; pure.

A token in a Secret has no time in it: the same Secret made again for the same account holds the same
token. A rotation therefore takes the next name, ``image-pusher-secret``, ``image-pusher-secret-2`` and
so on, and marks the Secret it replaces, which a later run removes when the grace period is over.
Source: Kubernetes, ``pkg/serviceaccount/legacy.go`` (the claims of such a token).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from . import objects
from .objects import Found
from .steps import Steps, called

RETIRED = "registry.appuio.cloud/retired-at"
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class TokenWish:
    """What is wanted: the first Secret's name, whether to rotate, and seconds for which an old token lives on."""

    namespace: str
    service_account: str
    secret_name: str
    rotate: bool = False
    grace: int = 3600
    adopt: bool = False


def plan_secret(plan: Steps, wish: TokenWish, found: Sequence[Found], now: datetime) -> str:
    """Add the steps for the token's Secret to the plan and return the name of the one that holds the token."""
    first = objects.named(found, wish.secret_name)
    if first and not objects.is_token_of(first, wish.service_account):
        plan.refused = (
            f"the Secret {wish.secret_name} is there and is no token of the service account "
            f"{wish.service_account}. Choose another image_pusher_secret_name, or delete that Secret"
        )
        return ""
    family = family_of(wish, found)
    current = [secret for secret in family if not _retired_at(secret)]
    for secret in family:
        retired = _retired_at(secret)
        if retired and now - retired >= timedelta(seconds=wish.grace):
            plan.to_remove(_definition(wish, _name(secret)), f"it was replaced at {retired.strftime(_TIME)}")
    if current and not wish.rotate:
        _adopt(plan, wish, current[-1])
        return _name(current[-1])
    name = _next_name(wish, family)
    plan.to_put(_definition(wish, name), "make", "it holds the new token" if current else "it holds the token")
    for secret in current:
        metadata = {"name": _name(secret), "namespace": wish.namespace}
        metadata["annotations"] = {RETIRED: now.astimezone(timezone.utc).strftime(_TIME)}  # type: ignore[assignment]
        change = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
        plan.to_put(change, "retire", f"its token lives on for {wish.grace} seconds, until a run after that")
    return name


def plan_no_secret(plan: Steps, wish: TokenWish, found: Sequence[Found], reason: str) -> None:
    """Add the removal of all Secrets with tokens that the role has made, or was told to adopt."""
    first = objects.named(found, wish.secret_name)
    if first and not objects.is_token_of(first, wish.service_account):
        plan.left.append(f"{called(_definition(wish, wish.secret_name))}, which is no token of {wish.service_account}")
    for secret in family_of(wish, found):
        definition = _definition(wish, _name(secret))
        if objects.is_ours(secret) or wish.adopt:
            plan.to_remove(definition, reason)
        else:
            plan.left.append(
                f"{called(definition)}, which was not made by this role (image_pusher_adopt would remove it)"
            )


def family_of(wish: TokenWish, found: Sequence[Found]) -> list[Found]:
    """Return the token Secrets of the account that have the first one's name or a number after it, in order."""
    tokens = [one for one in found if objects.is_token_of(one, wish.service_account) and _number(wish, _name(one))]
    return sorted(tokens, key=lambda secret: _number(wish, _name(secret)))


def _adopt(plan: Steps, wish: TokenWish, secret: Found) -> None:
    if wish.adopt and not objects.is_ours(secret):
        plan.to_put(_definition(wish, _name(secret)), "adopt", "image_pusher_adopt is set")


def _definition(wish: TokenWish, name: str) -> dict[str, Any]:
    return objects.token_secret(wish.namespace, name, wish.service_account)


def _next_name(wish: TokenWish, family: Sequence[Found]) -> str:
    if not family:
        return wish.secret_name
    return f"{wish.secret_name}-{_number(wish, _name(family[-1])) + 1}"


def _number(wish: TokenWish, name: str) -> int:
    """Return 1 for the first Secret's name, n for the name with -n, and 0 for any other."""
    if name == wish.secret_name:
        return 1
    match = re.fullmatch(re.escape(wish.secret_name) + r"-([2-9]|[1-9][0-9]+)", name)
    return int(match.group(1)) if match else 0


def _retired_at(secret: Found) -> datetime | None:
    text = (secret["metadata"].get("annotations") or {}).get(RETIRED)
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=timezone.utc) if text else None
    except ValueError:
        return None


def _name(secret: Found) -> str:
    return str(secret["metadata"]["name"])
