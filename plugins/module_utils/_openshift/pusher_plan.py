# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role ``image_pusher`` has to do in a namespace: objects found and wanted in, steps out; pure.

Source: Kubernetes documentation, "Managing Service Accounts", "Using RBAC Authorization" (a role
binding's ``roleRef`` cannot be changed, so a binding to another role is deleted and made again).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from . import objects
from .objects import Definition, LiveObject
from .steps import Steps, called
from .token_plan import TokenWish, plan_no_secret, plan_secret

MARKS = "it is to have other labels or annotations"
EDITOR = "registry-editor"
OF_EVERY_NAMESPACE = ("default", "builder", "deployer")


@dataclass(frozen=True)
class Pusher:
    """What is wanted: names as the role's variables give them; an empty ``role`` is the one that the pusher has."""

    namespace: str
    service_account: str
    secret_name: str
    role: str
    role_binding: str
    state: str = "present"
    adopt: bool = False
    image_streams: Sequence[str] = ()
    token_kind: str = "secret"
    rotate: bool = False
    grace: int = 3600
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def tokens(self) -> TokenWish:
        """What is wanted of the Secrets with the tokens."""
        return TokenWish(
            self.namespace,
            self.service_account,
            self.secret_name,
            self.rotate,
            self.grace,
            self.adopt,
            self.labels,
            self.annotations,
        )

    @property
    def subject(self) -> Definition:
        """The service account as the subject of a role binding."""
        return objects.account_subject(self.namespace, self.service_account)

    def marked(self, definition: Definition) -> Definition:
        """Return a definition with the labels and annotations that are wanted."""
        return objects.marked(definition, self.labels, self.annotations)

    def lacks_marks(self, found: LiveObject) -> bool:
        """Whether an object that the role has made has other labels and annotations than are wanted."""
        return objects.is_ours(found) and objects.lacks_marks(found, self.labels, self.annotations)


@dataclass(frozen=True)
class Namespace:
    """What is there: the objects of the pusher's names, and all role bindings."""

    account: LiveObject | None = None
    secrets: Sequence[LiveObject] = ()
    bindings: Sequence[LiveObject] = ()
    image_streams: Sequence[LiveObject] = ()


@dataclass(frozen=True)
class PusherPlan:
    """The steps, the name of the Secret that holds the token afterwards (empty where none does), and the role."""

    steps: Steps
    secret_name: str = ""
    role: str = ""


def plan_pusher(pusher: Pusher, found: Namespace, now: datetime | None = None) -> PusherPlan:
    """Return the steps from what was found to what is wanted; ``now`` counts for old tokens."""
    pusher = replace(pusher, role=pusher.role or _held_role(pusher, found.bindings))
    if pusher.state == "absent":
        return PusherPlan(_plan_absent(pusher, found), role=pusher.role)
    plan = _plan_present(pusher, found, now or datetime.now(timezone.utc))
    return PusherPlan(Steps(refused=plan.steps.refused), role=pusher.role) if plan.steps.refused else plan


def _plan_present(pusher: Pusher, found: Namespace, now: datetime) -> PusherPlan:
    plan = Steps()
    if not found.account:
        plan.to_put(_account(pusher), "make", "the pusher needs it")
    elif pusher.adopt and not objects.is_ours(found.account):
        plan.to_put(_account(pusher), "adopt", "image_pusher_adopt is set")
    elif pusher.lacks_marks(found.account):
        plan.to_put(_account(pusher), "mark", MARKS)
    name_of_secret = ""
    if pusher.token_kind == "secret":
        name_of_secret = plan_secret(plan, pusher.tokens, found.secrets, now)
    else:
        plan_no_secret(plan, pusher.tokens, found.secrets, "the token is a bound one")
    for name in pusher.image_streams:
        stream = objects.named(found.image_streams, name)
        wanted = pusher.marked(objects.image_stream(pusher.namespace, name))
        if not stream:
            plan.to_put(wanted, "make", "it is to be pushed into")
        elif pusher.lacks_marks(stream):
            plan.to_put({**objects.identity(wanted), "metadata": wanted["metadata"]}, "mark", MARKS)
    _plan_binding(plan, pusher, found.bindings)
    return PusherPlan(plan, name_of_secret, pusher.role)


def _held_role(pusher: Pusher, bindings: Sequence[LiveObject]) -> str:
    """Return the role that the pusher has by its binding, else by another one, else that of a new pusher."""
    own = objects.named(bindings, pusher.role_binding)
    for binding in [own, *bindings] if own else bindings:
        if pusher.subject in objects.subjects_of(binding) and binding["roleRef"].get("kind") == "ClusterRole":
            return str(binding["roleRef"]["name"])
    return EDITOR


def _plan_binding(plan: Steps, pusher: Pusher, bindings: Sequence[LiveObject]) -> None:
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
        plan.to_put(pusher.marked(change), "adopt", "image_pusher_adopt is set")
    elif pusher.lacks_marks(own):
        change = objects.changed_subjects(own, objects.subjects_of(own))
        plan.to_put(pusher.marked(change), "mark", MARKS)


def _why_not_replaced(pusher: Pusher, binding: LiveObject) -> str:
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
    plan_no_secret(plan, pusher.tokens, found.secrets, reason)
    if found.account:
        if pusher.service_account in OF_EVERY_NAMESPACE:
            plan.left.append(f"{called(_account(pusher))}, which every namespace has")
        elif objects.is_ours(found.account) or pusher.adopt:
            plan.to_remove(_account(pusher), reason)
        else:
            plan.left.append(
                f"{called(_account(pusher))}, which was not made by this role (image_pusher_adopt would remove it)"
            )
    return plan


def _account(pusher: Pusher) -> Definition:
    return pusher.marked(objects.service_account(pusher.namespace, pusher.service_account))


def _binding(pusher: Pusher) -> Definition:
    return pusher.marked(objects.role_binding(pusher.namespace, pusher.role_binding, pusher.role, [pusher.subject]))


def _names(subjects: Sequence[Any]) -> str:
    return ", ".join(f"{subject.get('kind')} {subject.get('name')}" for subject in subjects)
