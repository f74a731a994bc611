# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What will be done about each token, why, and what the Secrets are before and after; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from .._credentials.token import claims, expiry, subject, timestamp
from .._errors import AppuioError
from .._openshift.objects import LiveObject
from .._openshift.steps import Steps
from .._openshift.token_plan import family_of, plan_no_secret, plan_secret, retired_at
from .options import Wish

HOLDS = "holds the token"


@dataclass(frozen=True)
class TokenPlan:
    """One token: the steps to it, or the reason to ask for a new bound one (``renew``), and what came of it.

    ``secrets`` are the Secrets before, and ``token`` is what is handed on: None where it has yet to be made.
    ``expires_at`` is in seconds since the epoch.
    """

    wish: Wish
    steps: Steps = field(default_factory=Steps)
    secrets: Sequence[LiveObject] = field(default=(), repr=False)
    secret_name: str = ""
    renew: str = ""
    token: str | None = field(default=None, repr=False)
    expires_at: float | None = None
    now: float = 0.0
    error: AppuioError | None = None

    @property
    def zone(self) -> str:
        """The zone's name."""
        return self.wish.target.zone.name

    @property
    def changed(self) -> bool:
        """Whether there is something to do."""
        return not self.error and bool(self.steps.steps or self.renew)

    def failed(self, error: AppuioError) -> TokenPlan:
        """Return the plan of a token that cannot be."""
        return replace(self, error=error.at(zone=self.zone))

    def result(self) -> dict[str, Any]:
        """Return what the module tells of this token, the token included."""
        told: dict[str, Any] = {
            "zone": self.zone,
            "namespace": self.wish.namespace,
            "service_account": self.wish.service_account,
            "kind": self.wish.kind,
            "secret_name": self.secret_name or None,
            "token": self.token,
            "expires_at": timestamp(self.expires_at),
            "retired": self._retired(),
            "left": list(self.steps.left),
            "changed": self.changed,
            "msg": self.message(),
        }
        if self.error:
            told.update(failed=True, error=str(self.error), token=None)
        return told

    def message(self) -> str:
        """Return what was or will be done, and why."""
        if self.error:
            return str(self.error)
        account = f"{self.wish.namespace}/{self.wish.service_account}"
        done = [self.renew] if self.renew else list(self.steps.steps)
        if done:
            return f"Service account {account}: {'; '.join(done)}"
        if self.wish.state == "absent":
            return f"Service account {account} has no Secret with a token to remove; a bound token ends by itself"
        if self.wish.kind == "bound":
            return f"The bound token of service account {account} is good for more than half of its life"
        return f"Secret {self.secret_name} holds the token of service account {account}"

    def diff(self) -> dict[str, str] | None:
        """Return the Secrets, or the bound token's end, before and after; None where nothing changes."""
        if not self.changed:
            return None
        header = f"{self.zone} {self.wish.namespace}/{self.wish.service_account}"
        before, after = self._secrets_before(), self._secrets_after()
        if self.renew:
            end = timestamp(expiry(self.wish.current_token)) if self.wish.current_token else None
            before = {"bound token": f"ends at {end}" if end else "none"}
            after = {"bound token": f"a new one, for {self.wish.expiration} seconds"}
        return {
            "before_header": header,
            "after_header": header,
            "before": _lines(before),
            "after": _lines(after),
        }

    def _secrets_before(self) -> dict[str, str]:
        found = {}
        for secret in family_of(self.wish.secrets, self.secrets):
            retired = retired_at(secret)
            found[str(secret["metadata"]["name"])] = f"replaced at {_written(retired)}" if retired else HOLDS
        return found

    def _secrets_after(self) -> dict[str, str]:
        found = self._secrets_before()
        for definition in self.steps.remove:
            found.pop(str(definition["metadata"]["name"]), None)
        for definition in self.steps.put:
            retired = retired_at(definition)
            name = str(definition["metadata"]["name"])
            found[name] = f"replaced at {_written(retired)}" if retired else HOLDS
        return found

    def _retired(self) -> list[dict[str, Any]]:
        """Return the Secrets of earlier tokens that live on, and from when on a run removes them."""
        gone = {definition["metadata"]["name"] for definition in self.steps.remove}
        found = []
        for one in [*family_of(self.wish.secrets, self.secrets), *self.steps.put]:
            retired, name = retired_at(one), one["metadata"]["name"]
            if retired and name not in gone:
                end = retired + timedelta(seconds=self.wish.grace)
                found.append({"secret_name": name, "retired_at": _written(retired), "removed_after": _written(end)})
        return found


@dataclass(frozen=True)
class Plan:
    """All tokens of a task."""

    tokens: tuple[TokenPlan, ...]
    several: bool = False

    @property
    def changed(self) -> bool:
        """Whether there is something to do for one of them."""
        return any(token.changed for token in self.tokens)

    def predict(self) -> dict[str, Any]:
        """Return the result that the plan's execution would give; raises AppuioError where a token cannot be."""
        return result_of(self.tokens, self.several)

    def diff(self) -> Any:
        """Return the difference of each token that changes."""
        found = [diff for diff in (token.diff() for token in self.tokens) if diff]
        return found if self.several else found[0] if found else None


def planned_secret(wish: Wish, found: Sequence[LiveObject], now: float) -> TokenPlan:
    """Return the plan for the Secrets of an account; ``refused`` of its steps says why there can be none."""
    steps = Steps()
    name = ""
    if wish.state == "absent":
        plan_no_secret(steps, wish.secrets, found, "the token is to be absent")
    else:
        name = plan_secret(steps, wish.secrets, found, datetime.fromtimestamp(now, timezone.utc))
    return TokenPlan(wish, steps, found, name, now=now)


def planned_bound(wish: Wish, account: LiveObject | None, now: float) -> TokenPlan:
    """Return the plan for a bound token: the one at hand while more than half of its life is left.

    ``account`` is the service account as the API has it, None where it may not be read.
    """
    current = wish.current_token
    reason = _why_renewed(wish, account, now)
    if reason or current is None:
        return TokenPlan(wish, renew=f"a new bound token: {reason}", now=now)
    return TokenPlan(wish, token=current, expires_at=expiry(current), now=now)


def result_of(tokens: tuple[TokenPlan, ...], several: bool) -> dict[str, Any]:
    """Return the module's result; raises the first AppuioError, with what holds for the other zones.

    A failure holds no token: Ansible prints failures in full.
    """
    told = [token.result() for token in tokens]
    changed = any(token.changed for token in tokens)
    errors = [token.error for token in tokens if token.error]
    if errors:
        error = errors[0]
        if several:
            error.result.update(zones=[{**entry, "token": None} for entry in told], changed=changed)
        raise error
    if not several:
        return {name: value for name, value in told[0].items() if name != "zone"}
    return {"changed": changed, "zones": told, "msg": "; ".join(str(entry["msg"]) for entry in told)}


def _why_renewed(wish: Wish, account: LiveObject | None, now: float) -> str:
    current = wish.current_token
    if wish.state == "rotated":
        return "a rotation is asked for"
    if current is None:
        return "none is at hand"
    if subject(current) != f"system:serviceaccount:{wish.namespace}:{wish.service_account}":
        return "the one at hand is of somebody else"
    held = claims(current)
    of = held.get("kubernetes.io")
    known = ((of if isinstance(of, dict) else {}).get("serviceaccount") or {}).get("uid")
    if account is not None and known and known != account["metadata"].get("uid"):
        return "the service account was made anew since the one at hand"
    end = expiry(current)
    if end is None:
        return "the one at hand does not end"
    made = held.get("iat")
    life = end - made if isinstance(made, (int, float)) else wish.expiration
    return "the one at hand is past half of its life" if end - now <= life / 2 else ""


def _written(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _lines(states: dict[str, str]) -> str:
    return "".join(f"{name}: {state}\n" for name, state in states.items())
