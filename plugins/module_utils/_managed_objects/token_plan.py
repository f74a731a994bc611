# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Secrets hold the tokens of a service account: the first, the next at a rotation, and the end of old ones; pure.

A rotation takes the next name, and marks the Secret that it replaces: a later run deletes it when the grace period
is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from . import objects
from .objects import Definition, LiveObject
from .steps import CHANGE, DELETE, Steps, called
from .tokens import SecretOptions, name_of, next_name, number_of, numbered, used_annotation, used_number

RETIRED = "registry.appuio.cloud/retired-at"
MARKS = "it is to have other labels or annotations"
TIME = "%Y-%m-%dT%H:%M:%SZ"


def plan_secret(
    plan: Steps, options: SecretOptions, account: LiveObject | None, found: Sequence[LiveObject], now: datetime
) -> str:
    """Add the steps for the token's Secret to the plan and return the name of the one that holds the token.

    ``account`` is the service account, None where it is new or may not be read; ``found`` are all token Secrets of
    the namespace, and the Secret of the first name whatever its type.
    """
    plan.refused = plan.refused or _why_not_used(options, found)
    if plan.refused:
        return ""
    family = family_of(options, found)
    current = [secret for secret in family if not retired_at(secret)]
    expired = [secret for secret in family if _is_over(options, secret, now)]
    if current and not options.rotate:
        _mark(plan, options, current[-1])
        _delete_expired(plan, options, account, family, expired)
        return _name(current[-1])
    name = next_name(options, account, found)
    number = number_of(options, name)
    if account is not None and objects.is_ours(account):
        _record(plan, options, account, number)
    plan.create(definition_of(options, name), "it holds the new token" if family else "it holds the token")
    for secret in current:
        if may_change(options, secret):
            change = _retirement(options, _name(secret), now)
            until = f"its token lives on for {options.grace} seconds, until a run after that"
            plan.change(secret, change, "retire", until, late=True)
        else:
            plan.left.append(_not_ours(secret, "retire"))
    _delete_expired(plan, options, account, [*family, definition_of(options, name)], expired)
    return name


def plan_no_secret(
    plan: Steps, options: SecretOptions, account: LiveObject | None, found: Sequence[LiveObject], reason: str
) -> None:
    """Add the deletion of all Secrets with tokens that this collection has created, or was told to adopt.

    ``account`` is the service account where it stays: its names are not to be used again.
    """
    first = objects.named(found, options.secret_name)
    if first and not objects.is_token_of(first, options.service_account):
        plan.left.append(f"Secret {options.secret_name}, which is no token of {options.service_account}")
    ending = []
    for secret in numbered(options, found):
        if may_change(options, secret):
            ending.append(secret)
        else:
            plan.left.append(_not_ours(secret, "delete"))
    _record_ended(plan, options, account, numbered(options, found), ending)
    for secret in ending:
        plan.delete(secret, definition_of(options, _name(secret)), reason, late=True)


def family_of(options: SecretOptions, found: Sequence[LiveObject]) -> list[LiveObject]:
    """Return the Secrets whose tokens are used, in order: the first one's name, whoever made it, and ours after it.

    A numbered Secret of the account that somebody else has made is neither handed on nor deleted.
    """
    return [one for one in numbered(options, found) if _name(one) == options.secret_name or may_change(options, one)]


def retired_secrets(options: SecretOptions, found: Sequence[LiveObject], plan: Steps) -> list[dict[str, str]]:
    """Return the Secrets of earlier tokens that live on after the plan, and from when on a run deletes them."""
    ending = {step.name for step in plan.of(DELETE) if step.kind == "Secret"}
    changed = {step.name: step.definition for step in plan.of(CHANGE) if step.kind == "Secret"}
    retired = []
    for secret in family_of(options, found):
        name = _name(secret)
        since = retired_at(changed.get(name, secret)) or retired_at(secret)
        if since and name not in ending:
            until = since + timedelta(seconds=options.grace)
            written = {"retired_at": since.strftime(TIME), "removed_after": until.strftime(TIME)}
            retired.append({"secret_name": name, **written})
    return retired


def retired_at(secret: LiveObject) -> datetime | None:
    """Return when a rotation has replaced the Secret, or None."""
    text = objects.annotated(secret, RETIRED)
    try:
        return datetime.strptime(text, TIME).replace(tzinfo=timezone.utc) if text else None
    except ValueError:
        return None


def may_change(options: SecretOptions, secret: LiveObject) -> bool:
    """Whether a Secret may be changed and deleted: created by this collection, or to be adopted."""
    return objects.is_ours(secret) or options.adopt


def definition_of(options: SecretOptions, name: str) -> Definition:
    """Return the Secret of this name that the token controller fills."""
    made = objects.token_secret(options.namespace, name, options.service_account)
    return objects.marked(made, options.labels, options.annotations)


def _why_not_used(options: SecretOptions, found: Sequence[LiveObject]) -> str:
    first = objects.named(found, options.secret_name)
    if not first or objects.is_token_of(first, options.service_account):
        return ""
    return (
        f"the Secret {options.secret_name} is there and is no token of the service account "
        f"{options.service_account}. Choose another secret_name, or delete that Secret"
    )


def _is_over(options: SecretOptions, secret: LiveObject, now: datetime) -> bool:
    retired = retired_at(secret)
    over = retired is not None and now - retired >= timedelta(seconds=options.grace)
    return over and may_change(options, secret)


def _delete_expired(
    plan: Steps,
    options: SecretOptions,
    account: LiveObject | None,
    family: Sequence[LiveObject],
    expired: Sequence[LiveObject],
) -> None:
    _record_ended(plan, options, account, family, expired)
    for secret in expired:
        retired = retired_at(secret)
        reason = f"it was replaced at {retired.strftime(TIME)}" if retired else "it was replaced"
        plan.delete(secret, definition_of(options, _name(secret)), reason, late=True)


def _record_ended(
    plan: Steps,
    options: SecretOptions,
    account: LiveObject | None,
    family: Sequence[LiveObject],
    ending: Sequence[LiveObject],
) -> None:
    """Have the account remember the highest number where the Secret that shows it goes."""
    gone = {_name(secret) for secret in ending}
    numbers = {_name(secret): number_of(options, _name(secret)) for secret in family}
    highest = max(numbers.values(), default=0)
    shown = max((number for name, number in numbers.items() if name not in gone), default=0)
    if account is not None and shown < highest:
        _record(plan, options, account, highest)


def _record(plan: Steps, options: SecretOptions, account: LiveObject, number: int) -> None:
    if used_number(options, account) >= number:
        return
    change: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": options.service_account,
            "namespace": options.namespace,
            "annotations": used_annotation(options, account, number),
        },
    }
    reason = f"the name {name_of(options, number)} is not to be used again, which would give the same token"
    plan.change(account, change, "annotate", reason, optional=True)


def _mark(plan: Steps, options: SecretOptions, secret: LiveObject) -> None:
    """Take over a Secret of somebody else, or bring labels and annotations of ours to what is wanted."""
    definition = definition_of(options, _name(secret))
    if options.adopt and not objects.is_ours(secret):
        plan.change(secret, definition, "adopt", "adopt is set")
    elif objects.is_ours(secret) and objects.lacks_marks(secret, options.labels, options.annotations):
        plan.change(secret, definition, "label", MARKS)


def _not_ours(secret: LiveObject, verb: str) -> str:
    called_secret = called({**secret, "kind": "Secret"})
    return f"{called_secret}, which was not made by this collection (adopt would {verb} it)"


def _retirement(options: SecretOptions, name: str, now: datetime) -> Definition:
    """A Secret that is adopted to be retired is ours from then on, so that a later run may delete it."""
    metadata: dict[str, Any] = {"name": name, "namespace": options.namespace}
    metadata["labels"] = {objects.MANAGED_BY: objects.MANAGER}
    metadata["annotations"] = {RETIRED: now.astimezone(timezone.utc).strftime(TIME)}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}


def _name(secret: LiveObject) -> str:
    return str(secret["metadata"]["name"])
