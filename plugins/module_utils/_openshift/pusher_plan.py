# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role ``image_pusher`` has to do in a namespace: objects found and wanted in, steps out; pure.

Source: Kubernetes documentation, "Managing Service Accounts", "Using RBAC Authorization" (a role
binding's ``roleRef`` cannot be changed, so a binding to another role is deleted and made again).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import objects
from .objects import Definition, Found
from .steps import Steps, called

OF_EVERY_NAMESPACE = ("default", "builder", "deployer")


@dataclass(frozen=True)
class Pusher:
    """What is wanted: names as the role's variables give them."""

    namespace: str
    service_account: str
    secret_name: str
    role: str
    role_binding: str
    state: str = "present"
    adopt: bool = False
    image_streams: Sequence[str] = ()

    @property
    def subject(self) -> Definition:
        """The service account as the subject of a role binding."""
        return objects.account_subject(self.namespace, self.service_account)


@dataclass(frozen=True)
class Namespace:
    """What is there: the objects of the pusher's names, and all role bindings."""

    account: Found | None = None
    secret: Found | None = None
    bindings: Sequence[Found] = ()
    image_streams: Sequence[Found] = ()


def plan_pusher(pusher: Pusher, found: Namespace) -> Steps:
    """Return the steps from what was found to what is wanted."""
    if pusher.state == "absent":
        return _plan_absent(pusher, found)
    plan = _plan_present(pusher, found)
    return Steps(refused=plan.refused) if plan.refused else plan


def _plan_present(pusher: Pusher, found: Namespace) -> Steps:
    plan = Steps()
    if found.secret and not objects.is_token_of(found.secret, pusher.service_account):
        plan.refused = (
            f"the Secret {pusher.secret_name} is there and is no token of the service account "
            f"{pusher.service_account}. Choose another image_pusher_secret_name, or delete that Secret"
        )
    wanted = (
        (_account(pusher), found.account, "the pusher needs it"),
        (_secret(pusher), found.secret, "it holds the token"),
    )
    for definition, there, reason in wanted:
        if not there:
            plan.to_put(definition, "make", reason)
        elif pusher.adopt and not objects.is_ours(there):
            plan.to_put(definition, "adopt", "image_pusher_adopt is set")
    for name in pusher.image_streams:
        if not objects.named(found.image_streams, name):
            plan.to_put(objects.image_stream(pusher.namespace, name), "make", "it is to be pushed into")
    _plan_binding(plan, pusher, found.bindings)
    return plan


def _plan_binding(plan: Steps, pusher: Pusher, bindings: Sequence[Found]) -> None:
    """Bind the role unless some binding does; never change the rights of anybody else."""
    own = objects.named(bindings, pusher.role_binding)
    elsewhere = [
        str(binding["metadata"]["name"])
        for binding in bindings
        if binding is not own
        and objects.grants(binding, pusher.role)
        and pusher.subject in objects.subjects_of(binding)
    ]
    if own and not objects.grants(own, pusher.role):
        refused = _why_not_replaced(pusher, own)
        if not refused:
            granted = own["roleRef"]["name"]
            trial = f"{pusher.role_binding}-dry-run"
            plan.ask_first.append(objects.role_binding(pusher.namespace, trial, pusher.role, [pusher.subject]))
            plan.to_remove(_binding(pusher), f"it grants {granted}, and the role of a binding cannot be changed")
        elif not elsewhere or objects.is_ours(own):
            plan.refused = plan.refused or refused
        own = None
    if elsewhere:
        plan.left.append(f"{pusher.service_account} has {pusher.role} by RoleBinding {', '.join(elsewhere)} already")
    elif not own:
        plan.to_put(_binding(pusher), "make", f"it grants {pusher.role}")
    elif pusher.subject not in objects.subjects_of(own):
        subjects = [*objects.subjects_of(own), pusher.subject]
        plan.to_put(objects.changed_subjects(own, subjects), "extend", f"it grants {pusher.role}")
    elif pusher.adopt and not objects.is_ours(own):
        change = objects.changed_subjects(own, objects.subjects_of(own))
        change["metadata"]["labels"] = {objects.MANAGED_BY: objects.MANAGER}
        plan.to_put(change, "adopt", "image_pusher_adopt is set")


def _why_not_replaced(pusher: Pusher, binding: Found) -> str:
    """Return why a binding to another role may not be deleted, empty where it may."""
    granted = binding["roleRef"]["name"]
    others = [subject for subject in objects.subjects_of(binding) if subject != pusher.subject]
    if not (objects.is_ours(binding) or pusher.adopt):
        return (
            f"the RoleBinding {pusher.role_binding} is there, was not made by this role, and grants {granted} "
            f"instead of {pusher.role}. Choose another image_pusher_role_binding"
        )
    if others:
        return (
            f"the RoleBinding {pusher.role_binding} grants {granted} to {_names(others)} too, so it cannot be "
            f"replaced by one to {pusher.role}. Choose another image_pusher_role_binding, or remove them from it"
        )
    return ""


def _plan_absent(pusher: Pusher, found: Namespace) -> Steps:
    """Take the rights first, then the token, then the account; image streams hold images and stay."""
    plan = Steps()
    reason = "the pusher is to be absent"
    binding = objects.named(found.bindings, pusher.role_binding)
    if binding and pusher.subject in objects.subjects_of(binding):
        others = [subject for subject in objects.subjects_of(binding) if subject != pusher.subject]
        ours = objects.is_ours(binding)
        if not others and (ours or pusher.adopt):
            plan.to_remove(_binding(pusher), reason)
        elif ours or objects.grants(binding, pusher.role):
            change = objects.changed_subjects(binding, others)
            plan.to_put(change, f"take {pusher.service_account} out of", reason)
        else:
            plan.left.append(f"{called(_binding(pusher))}, which was not made by this role")
    if found.secret:
        if not objects.is_token_of(found.secret, pusher.service_account):
            plan.left.append(f"{called(_secret(pusher))}, which is no token of {pusher.service_account}")
        else:
            _remove_or_leave(plan, pusher, _secret(pusher), found.secret, reason)
    if found.account:
        if pusher.service_account in OF_EVERY_NAMESPACE:
            plan.left.append(f"{called(_account(pusher))}, which every namespace has")
        else:
            _remove_or_leave(plan, pusher, _account(pusher), found.account, reason)
    return plan


def _remove_or_leave(plan: Steps, pusher: Pusher, definition: Definition, there: Found, reason: str) -> None:
    if objects.is_ours(there) or pusher.adopt:
        plan.to_remove(definition, reason)
    else:
        plan.left.append(f"{called(definition)}, which was not made by this role (image_pusher_adopt would remove it)")


def _account(pusher: Pusher) -> Definition:
    return objects.service_account(pusher.namespace, pusher.service_account)


def _secret(pusher: Pusher) -> Definition:
    return objects.token_secret(pusher.namespace, pusher.secret_name, pusher.service_account)


def _binding(pusher: Pusher) -> Definition:
    return objects.role_binding(pusher.namespace, pusher.role_binding, pusher.role, [pusher.subject])


def _names(subjects: Sequence[Any]) -> str:
    return ", ".join(f"{subject.get('kind')} {subject.get('name')}" for subject in subjects)
