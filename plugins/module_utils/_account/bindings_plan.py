# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a service account gets its role: the new binding first, then the old one goes; pure.

A binding's ``roleRef`` cannot be changed (Kubernetes documentation, "Using RBAC Authorization"), so another role is
another binding. At no time has the account neither, and in the end no binding of ours grants it anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._managed_objects import objects
from .._managed_objects.objects import Definition, LiveObject
from .._managed_objects.steps import Steps
from .._managed_objects.token_plan import MARKS
from .account import EDITOR, AccountOptions


@dataclass(frozen=True)
class Bindings:
    """The role bindings of a namespace, as one service account sees them."""

    wanted: AccountOptions
    found: Sequence[LiveObject]

    @property
    def subject(self) -> Definition:
        """The service account as the subject of a binding."""
        return objects.account_subject(self.wanted.namespace, self.wanted.service_account)

    def plan(self, plan: Steps) -> str:
        """Add the steps to the wanted role to the plan, and return the name of the binding that grants it then."""
        wanted = self.wanted
        target = objects.named(self.found, wanted.binding_name)
        holding = [one for one in self.found if objects.grants(one, wanted.role) and self.names(one)]
        holding.sort(key=lambda one: (one is not target, not self._is_own(one)))
        if not holding:
            kept = self._grant(plan, target)
        else:
            kept = _name(holding[0])
            if holding[0] is target or self._is_own(holding[0]):
                self._mark(plan, holding[0])
            else:
                others = ", ".join(map(_name, holding))
                plan.left.append(f"{wanted.service_account} has {wanted.role} by RoleBinding {others} already")
        self._take_others(plan, kept)
        return kept

    def plan_absent(self, plan: Steps) -> None:
        """Add the steps after which no binding of ours names the account."""
        reason = "the service account is to be absent"
        for binding in self.found:
            if not self.names(binding):
                continue
            if self._is_own(binding) or (self.wanted.adopt and _name(binding) == self.wanted.binding_name):
                self._take(plan, binding, reason)
            else:
                plan.left.append(f"RoleBinding {_name(binding)}, which was not made by this collection for the account")

    def names(self, binding: LiveObject) -> bool:
        """Whether the account is a subject of a binding."""
        return self.subject in objects.subjects_of(binding)

    def held_role(self) -> str:
        """Return the role that the account has by a binding of ours, else by another one, else that of a new one."""
        for binding in sorted(self.found, key=lambda one: not self._is_own(one)):
            role = objects.granted(binding)
            if role and self.names(binding):
                return role
        return EDITOR

    def _is_own(self, binding: LiveObject) -> bool:
        """Whether a binding was created for this account: it says so, or has the name that such a binding has."""
        account = objects.annotated(binding, objects.BOUND_ACCOUNT)
        if not objects.is_ours(binding) or account not in (None, self.wanted.service_account):
            return False
        names = (self.wanted.service_account, self.wanted.binding_name)
        return account is not None or _name(binding) in names

    def _grant(self, plan: Steps, target: LiveObject | None) -> str:
        """Bind the role where no binding does: by a new binding, or by one of this name that may be changed."""
        wanted, name = self.wanted, self.wanted.binding_name
        reason = f"it grants {wanted.role}"
        if target is None:
            plan.create(self._definition(name), reason)
            return name
        if not objects.grants(target, wanted.role):
            return self._replace(plan, target)
        if objects.is_ours(target) or wanted.adopt:
            change = objects.changed_subjects(target, [*objects.subjects_of(target), self.subject])
            if wanted.adopt and not objects.is_ours(target):
                change["metadata"]["labels"] = {objects.MANAGED_BY: objects.MANAGER}
            plan.change(target, wanted.marked(change), "extend", reason)
            return name
        other = self._free(name)
        plan.create(self._definition(other), f"{reason}; RoleBinding {name} was not made by this collection")
        return other

    def _replace(self, plan: Steps, target: LiveObject) -> str:
        """Give a binding of the wanted name another role, with one of another name in the meantime."""
        wanted, name = self.wanted, self.wanted.binding_name
        plan.refused = plan.refused or self._why_not_replaced(target)
        if plan.refused:
            return ""
        meanwhile = self._free(f"{name}-next")
        between = self._definition(meanwhile)
        plan.create(between, f"it grants {wanted.role} until {name} does")
        reason = f"it grants {objects.granted(target)}, and the role of a binding cannot be changed"
        plan.delete(target, _identity(target), reason)
        plan.create(self._definition(name), f"it grants {wanted.role}")
        plan.delete(between, between, f"RoleBinding {name} grants {wanted.role} now")
        return name

    def _why_not_replaced(self, binding: LiveObject) -> str:
        wanted, name, granted = self.wanted, self.wanted.binding_name, (binding.get("roleRef") or {}).get("name")
        if not (objects.is_ours(binding) or wanted.adopt):
            return (
                f"the RoleBinding {name} is there, was not made by this collection, and grants {granted} instead of "
                f"{wanted.role}. Choose another role_binding"
            )
        others = [one for one in objects.subjects_of(binding) if one != self.subject]
        if others:
            return (
                f"the RoleBinding {name} grants {granted} to {objects.names_of(others)} too, so it cannot be replaced "
                f"by one to {wanted.role}. Choose another role_binding, or remove them from it"
            )
        return ""

    def _take_others(self, plan: Steps, kept: str) -> None:
        """Take what our other bindings grant the account; tell what those of others do."""
        ending = {step.name for step in plan.steps if step.kind == "RoleBinding"}
        for binding in self.found:
            name, role = _name(binding), (binding.get("roleRef") or {}).get("name")
            if name == kept or name in ending or not self.names(binding):
                continue
            if self._is_own(binding):
                self._take(plan, binding, f"it grants {role}, and {self.wanted.role} is wanted")
            elif role != self.wanted.role:
                plan.left.append(f"RoleBinding {name}, which was not made for it, and grants it {role} too")

    def _take(self, plan: Steps, binding: LiveObject, reason: str) -> None:
        others = [one for one in objects.subjects_of(binding) if one != self.subject]
        if others:
            change = objects.changed_subjects(binding, others)
            plan.change(binding, change, f"take {self.wanted.service_account} out of", reason)
        else:
            plan.delete(binding, _identity(binding), reason)

    def _mark(self, plan: Steps, binding: LiveObject) -> None:
        wanted = self.wanted
        change = objects.changed_subjects(binding, objects.subjects_of(binding))
        if wanted.adopt and not objects.is_ours(binding):
            change["metadata"]["labels"] = {objects.MANAGED_BY: objects.MANAGER}
            plan.change(binding, wanted.marked(change), "adopt", "adopt is set")
        elif wanted.lacks_marks(binding):
            plan.change(binding, wanted.marked(change), "label", MARKS)

    def _definition(self, name: str) -> Definition:
        wanted = self.wanted
        return wanted.marked(objects.account_binding(wanted.namespace, name, wanted.role, wanted.service_account))

    def _free(self, name: str) -> str:
        """Return a name that no binding has: this one, or the next number after it."""
        taken = {_name(one) for one in self.found}
        number, free = 1, name
        while free in taken:
            number += 1
            free = f"{name}-{number}"
        return free


def _identity(binding: LiveObject) -> Definition:
    metadata: dict[str, Any] = dict(binding["metadata"])
    return {"apiVersion": f"{objects.RBAC_GROUP}/v1", "kind": "RoleBinding", "metadata": metadata}


def _name(binding: LiveObject) -> str:
    return str(binding["metadata"]["name"])
