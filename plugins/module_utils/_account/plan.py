# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done about a service account that pushes: objects found and wanted in, steps out; pure.

Source: Kubernetes documentation, "Managing Service Accounts", "Using RBAC Authorization".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from .._managed_objects import objects
from .._managed_objects.objects import Definition, LiveObject
from .._managed_objects.steps import Steps, called
from .._managed_objects.token_plan import MARKS, plan_no_secret, plan_secret
from .._managed_objects.tokens import number_of, used_annotation
from .account import AccountOptions
from .bindings_plan import Bindings

# Every namespace has them, so that they are never deleted.
BUILT_IN = ("default", "builder", "deployer")


@dataclass(frozen=True)
class AccountState:
    """What is there: the service account, all token Secrets and the one of the first name, bindings, ImageStreams."""

    account: LiveObject | None = None
    secrets: Sequence[LiveObject] = field(default=(), repr=False)
    bindings: Sequence[LiveObject] = ()
    image_streams: Sequence[LiveObject] = ()


@dataclass(frozen=True)
class ObjectsPlan:
    """The steps, the role, and the names of the Secret (empty where none holds the token) and of the binding."""

    steps: Steps
    secret_name: str = ""
    role: str = ""
    role_binding: str = ""


def plan_objects(wanted: AccountOptions, found: AccountState, now: datetime) -> ObjectsPlan:
    """Return the steps from what was found to what is wanted; ``refused`` of them says why there are none."""
    wanted = replace(wanted, role=wanted.role or Bindings(wanted, found.bindings).held_role())
    if wanted.state == "absent":
        return ObjectsPlan(_plan_absent(wanted, found), role=wanted.role)
    plan = Steps()
    account = found.account
    secret_name = ""
    if wanted.kind == "secret":
        secret_name = plan_secret(plan, wanted.secrets, account, found.secrets, now)
    else:
        plan_no_secret(plan, wanted.secrets, account, found.secrets, "the token is a bound one")
    _plan_account(plan, wanted, account, secret_name)
    _plan_image_streams(plan, wanted, found.image_streams)
    binding = Bindings(wanted, found.bindings).plan(plan)
    if plan.refused:
        return ObjectsPlan(Steps(refused=plan.refused), role=wanted.role)
    return ObjectsPlan(plan, secret_name, wanted.role, binding)


def _plan_account(plan: Steps, wanted: AccountOptions, account: LiveObject | None, secret_name: str) -> None:
    """Put the account before all that needs it; a new one tells from the start which name of a Secret was used."""
    definition = _account(wanted)
    steps = Steps()
    if account is None:
        if secret_name:
            used = used_annotation(wanted.secrets, None, number_of(wanted.secrets, secret_name))
            definition["metadata"]["annotations"] = {**(definition["metadata"].get("annotations") or {}), **used}
        steps.create(definition, "the token and the rights are its own")
    elif wanted.adopt and not objects.is_ours(account):
        steps.change(account, definition, "adopt", "adopt is set")
    elif wanted.lacks_marks(account):
        steps.change(account, definition, "label", MARKS)
    plan.steps[:0] = steps.steps


def _plan_image_streams(plan: Steps, wanted: AccountOptions, found: Sequence[LiveObject]) -> None:
    for name in wanted.image_streams:
        stream = objects.named(found, name)
        definition = wanted.marked(objects.image_stream(wanted.namespace, name))
        if not stream:
            plan.create(definition, "it is to be pushed into")
        elif wanted.lacks_marks(stream):
            # Its tags are not ours.
            plan.change(stream, {key: definition[key] for key in ("apiVersion", "kind", "metadata")}, "label", MARKS)


def _plan_absent(wanted: AccountOptions, found: AccountState) -> Steps:
    """Take the rights first, then the token, then the account; ImageStreams hold images and stay."""
    plan = Steps()
    Bindings(wanted, found.bindings).plan_absent(plan)
    account = found.account
    ends = False
    if account is not None:
        if wanted.service_account in BUILT_IN:
            plan.left.append(f"{called(_account(wanted))}, which every namespace has")
        elif objects.is_ours(account) or wanted.adopt:
            ends = True
        else:
            plan.left.append(
                f"{called(_account(wanted))}, which was not made by this collection (adopt would delete it)"
            )
    reason = "the service account is to be absent"
    # An account that is made anew has other tokens, whatever the names of their Secrets.
    plan_no_secret(plan, wanted.secrets, None if ends else account, found.secrets, reason)
    if ends and account is not None:
        plan.delete(account, _account(wanted), "it is to be absent", late=True)
    return plan


def _account(wanted: AccountOptions) -> Definition:
    return wanted.marked(objects.service_account(wanted.namespace, wanted.service_account))
