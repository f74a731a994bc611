# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of a service account that end by themselves: when one at hand is still good, and how a new one is got.

Source: Kubernetes, TokenRequest (``authentication.k8s.io/v1``). All times are seconds since the epoch.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Callable

from .._openshift.client import Api
from .._openshift.objects import LiveObject
from .._openshift.tokens import bound_token
from .token import account_user, claims, expiry, subject

# A cluster may add a little to what was asked for, and the clocks of two machines differ.
TOLERANCE = 60


def why_renewed(
    current: str | None, namespace: str, name: str, account: LiveObject | None, expiration: int, now: float
) -> str:
    """Return why a bound token at hand is replaced; empty while it is good for more than half of its life.

    ``account`` is the service account as the API has it, None where it is not there or may not be read.
    """
    if current is None:
        return "none is at hand"
    if subject(current) != account_user(namespace, name):
        return "the one at hand is of somebody else"
    held = claims(current)
    of = held.get("kubernetes.io")
    bound = of.get("serviceaccount") if isinstance(of, dict) else None
    known = bound.get("uid") if isinstance(bound, dict) else None
    if account is not None and known and known != account["metadata"].get("uid"):
        return "the service account was made anew since the one at hand"
    end = expiry(current)
    if end is None:
        return "the one at hand does not end"
    made = held.get("iat")
    life = end - made if isinstance(made, (int, float)) else expiration
    return "the one at hand is past half of its life" if end - now <= life / 2 else ""


def request_bound_token(
    api: Api, namespace: str, name: str, seconds: int, now: float, warn: Callable[[str], None]
) -> tuple[str, float | None]:
    """Return a new bound token and when it ends; raises AppuioError. Warns where the cluster gave less than asked."""
    made = bound_token(api, namespace, name, seconds)
    end = expiry(made.token)
    if end is None and made.expires_at:
        try:
            end = datetime.strptime(made.expires_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            end = None
    if end is not None and end - now < seconds - TOLERANCE:
        warn(
            f"the cluster gives tokens for less time than expiration says: that of {namespace}/{name} ends after "
            f"{round(end - now)} seconds instead of {seconds}"
        )
    return made.token, end
