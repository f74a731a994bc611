# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One service account of a task: what is to be done about it, what came of it, and what results tell of it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._credentials.token import timestamp
from .._managed_objects.steps import difference
from .._managed_objects.token_plan import retired_secrets
from .account import AccountOptions
from .plan import AccountState, ObjectsPlan


@dataclass(frozen=True)
class AccountPlan:
    """The steps to one account, and to its token where that takes something else than objects.

    ``renew`` is why a new bound token is requested, ``file`` what is done to the file with the token, each empty
    where nothing is. ``token`` is what is handed on, None where it has yet to be made.
    """

    wanted: AccountOptions
    objects: ObjectsPlan
    found: AccountState = field(default=AccountState(), repr=False)
    renew: str = ""
    file: str = ""
    token: str | None = field(default=None, repr=False)
    expires_at: float | None = None

    @property
    def changed(self) -> bool:
        """Whether there is something to do."""
        return bool(self.objects.steps.steps or self.renew or self.file)

    def with_token(self, token: str | None, **changes: Any) -> AccountPlan:
        """Return the plan with the token that came of it."""
        return replace(self, token=token, **changes)

    def steps(self) -> list[dict[str, str]]:
        """Return all steps, each with its reason, in order."""
        name, file = self.wanted.service_account, self.wanted.token_file
        steps = [step.result() for step in self.objects.steps.in_order()]
        if self.renew:
            steps.append({"action": "request", "kind": "TokenRequest", "name": name, "reason": self.renew})
        if self.file:
            action = "delete" if self.wanted.state == "absent" else "write"
            steps.append({"action": action, "kind": "file", "name": file, "reason": self.file})
        for step in steps:
            step["namespace"] = self.wanted.namespace
        return steps

    def result(self) -> dict[str, Any]:
        """Return what the module tells of the account, the token included."""
        wanted, plan = self.wanted, self.objects
        return {
            "namespace": wanted.namespace,
            "service_account": wanted.service_account,
            "role": plan.role if wanted.state == "present" else None,
            "role_binding": plan.role_binding or None,
            "kind": wanted.kind,
            "secret_name": plan.secret_name or None,
            "token": self.token,
            "expires_at": timestamp(self.expires_at),
            "retired": retired_secrets(wanted.secrets, self.found.secrets, plan.steps),
            "left": list(plan.steps.left),
            "steps": self.steps(),
            "changed": self.changed,
            "msg": self.message(),
        }

    def message(self) -> str:
        """Return what was or will be done, and why."""
        steps = [f"{step['action']} {step['kind']} {step['name']}: {step['reason']}" for step in self.steps()]
        left = [f"leave {one}" for one in self.objects.steps.left]
        state = "is as it is to be" if self.wanted.state == "present" else "is not there"
        return f"{self.wanted.key}: {'; '.join([*(steps or [state]), *left])}"

    def diffs(self, zone: str) -> list[dict[str, str]]:
        """Return the objects before and after, without the contents of Secrets."""
        if not self.changed:
            return []
        header = f"{zone} {self.wanted.key}"
        before, after = difference(self.objects.steps.in_order())
        if self.renew:
            after += "bound token: a new one\n"
        if self.file:
            after += f"file {self.wanted.token_file}: {self.file}\n"
        return [{"before_header": header, "after_header": header, "before": before, "after": after}]


@dataclass(frozen=True)
class AccountPlans:
    """All accounts of a zone; ``several`` says that the task has named ``accounts``."""

    accounts: tuple[AccountPlan, ...]
    several: bool = False

    @property
    def changed(self) -> bool:
        """Whether there is something to do about one of them."""
        return any(plan.changed for plan in self.accounts)

    @property
    def secrets(self) -> Sequence[str]:
        """The tokens."""
        return [plan.token for plan in self.accounts if plan.token]

    def result(self, handed_on: bool = True) -> dict[str, Any]:
        """Return what the accounts of a zone come to in the module's result, with the tokens or without."""
        results = [plan.result() for plan in self.accounts]
        tokens = {plan.wanted.key: plan.token for plan in self.accounts if plan.token and handed_on}
        for one in results:
            one["token"] = one["token"] if handed_on else None
        shared = {"tokens": tokens, "changed": self.changed}
        if not self.several:
            return {**results[0], **shared}
        return {
            "accounts": results,
            "token": results[-1]["token"],
            "steps": [step for one in results for step in one["steps"]],
            "left": [f"{one['namespace']}: {left}" for one in results for left in one["left"]],
            "msg": "; ".join(str(one["msg"]) for one in results),
            **shared,
        }

    def diffs(self, zone: str) -> list[dict[str, str]]:
        """Return the difference of each account that changes."""
        return [diff for plan in self.accounts for diff in plan.diffs(zone)]
