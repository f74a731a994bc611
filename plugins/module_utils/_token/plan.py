# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What will be done about a token, why, and what the Secrets are before and after; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from .._credentials.service_account_method import why_renewed
from .._credentials.token import expiry, timestamp
from .._managed_objects.objects import LiveObject
from .._managed_objects.steps import CHANGE, CREATE, DELETE, Steps
from .._managed_objects.token_plan import TIME, family_of, plan_no_secret, plan_secret, retired_at, retired_secrets
from .options import TokenOptions

HOLDS = "holds the token"


@dataclass(frozen=True)
class TokenPlan:
    """One token: the steps to it, or the reason to ask for a new bound one (``renew``), and what came of it.

    ``found`` are the Secrets before, and ``token`` is what is handed on: None where it has yet to be made.
    ``expires_at`` is in seconds since the epoch.
    """

    wanted: TokenOptions
    steps: Steps = field(default_factory=Steps)
    found: Sequence[LiveObject] = field(default=(), repr=False)
    secret_name: str = ""
    renew: str = ""
    token: str | None = field(default=None, repr=False)
    expires_at: float | None = None

    @property
    def changed(self) -> bool:
        """Whether there is something to do."""
        return bool(self.steps.steps or self.renew)

    @property
    def secrets(self) -> Sequence[str]:
        """The token."""
        return [self.token] if self.token else []

    def result(self, handed_on: bool = True) -> dict[str, Any]:
        """Return what the module tells of this token, the token included where it is handed on."""
        wanted = self.wanted
        return {
            "namespace": wanted.namespace,
            "service_account": wanted.service_account,
            "kind": wanted.kind,
            "secret_name": self.secret_name or None,
            "token": self.token if handed_on else None,
            "expires_at": timestamp(self.expires_at),
            "retired": retired_secrets(wanted.secrets, self.found, self.steps),
            "left": list(self.steps.left),
            "changed": self.changed,
            "msg": self.message(),
        }

    def message(self) -> str:
        """Return what was or will be done, and why."""
        account = f"{self.wanted.namespace}/{self.wanted.service_account}"
        done = [self.renew] if self.renew else [str(step) for step in self.steps.in_order()]
        if done:
            return f"Service account {account}: {'; '.join(done)}"
        if self.wanted.state == "absent":
            return f"Service account {account} has no Secret with a token to delete; a bound token ends by itself"
        if self.wanted.bound:
            return f"The bound token of service account {account} is good for more than half of its life"
        return f"Secret {self.secret_name} holds the token of service account {account}"

    def diffs(self, zone: str) -> list[dict[str, str]]:
        """Return the Secrets, or the bound token's end, before and after."""
        if not self.changed:
            return []
        header = f"{zone} {self.wanted.namespace}/{self.wanted.service_account}"
        before, after = self._before(), self._after()
        if self.renew:
            end = timestamp(expiry(self.wanted.current_token)) if self.wanted.current_token else None
            before = {"bound token": f"ends at {end}" if end else "none"}
            after = {"bound token": f"a new one, for {self.wanted.expiration} seconds"}
        return [{"before_header": header, "after_header": header, "before": _lines(before), "after": _lines(after)}]

    def _before(self) -> dict[str, str]:
        family = family_of(self.wanted.secrets, self.found)
        return {str(secret["metadata"]["name"]): _state(secret) for secret in family}

    def _after(self) -> dict[str, str]:
        states = self._before()
        for step in self.steps.in_order():
            if step.kind == "Secret" and step.verb == DELETE:
                states.pop(step.name, None)
            elif step.kind == "Secret" and step.verb in (CREATE, CHANGE):
                states[step.name] = _state(step.definition)
        return states


def plan_of_secret(
    wanted: TokenOptions, account: LiveObject | None, found: Sequence[LiveObject], now: float
) -> TokenPlan:
    """Return the plan for the Secrets of an account; ``refused`` of its steps says why there can be none."""
    steps = Steps()
    name = ""
    if wanted.state == "absent":
        plan_no_secret(steps, wanted.secrets, account, found, "the token is to be absent")
    else:
        name = plan_secret(steps, wanted.secrets, account, found, datetime.fromtimestamp(now, timezone.utc))
    return TokenPlan(wanted, steps, found, name)


def plan_of_bound(wanted: TokenOptions, account: LiveObject | None, now: float) -> TokenPlan:
    """Return the plan for a bound token: the one at hand while more than half of its life is left.

    ``account`` is the service account as the API has it, None where it may not be read.
    """
    current = wanted.current_token
    reason = why_renewed(current, wanted.namespace, wanted.service_account, account, wanted.expiration, now)
    if wanted.state == "rotated":
        reason = "a rotation is asked for"
    if reason or current is None:
        return TokenPlan(wanted, renew=f"a new bound token: {reason}")
    return TokenPlan(wanted, token=current, expires_at=expiry(current))


def _state(secret: LiveObject) -> str:
    retired = retired_at(secret)
    return f"replaced at {retired.strftime(TIME)}" if retired else HOLDS


def _lines(states: dict[str, str]) -> str:
    return "".join(f"{name}: {state}\n" for name, state in states.items())
