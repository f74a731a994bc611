# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may pull from and push into a namespace, and with which pull Secrets: what is to be done about it; pure.

Source: APPUiO Cloud documentation, "Advanced user access"; Kubernetes documentation, "Pull an Image from
a Private Registry" (``imagePullSecrets`` of a service account).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._json import JsonError, parse_json
from .._managed_objects import objects
from .._managed_objects.objects import Definition, LiveObject
from .._managed_objects.steps import Steps

SUBJECT_KINDS = ("User", "Group", "ServiceAccount")


@dataclass(frozen=True)
class PullSecret:
    """A Secret for another registry, and the service accounts whose pods use it."""

    name: str
    auths: Mapping[str, Mapping[str, str]] = field(repr=False)
    service_accounts: Sequence[str] = ("default",)


@dataclass(frozen=True)
class AccessOptions:
    """What is wanted: by role the subjects, each as its binding's name in ``bindings`` grants it."""

    namespace: str
    bindings: Mapping[str, str]
    subjects: Mapping[str, Sequence[Mapping[str, str]]]
    pull_secrets: Sequence[PullSecret] = ()
    exclusive: bool = False
    state: str = "present"


@dataclass(frozen=True)
class AccessState:
    """What is there: role bindings, Secrets of the pull Secrets' names, and service accounts."""

    bindings: Sequence[LiveObject] = ()
    secrets: Sequence[LiveObject] = field(default=(), repr=False)
    accounts: Sequence[LiveObject] = ()


def plan_access(wanted: AccessOptions, found: AccessState) -> Steps:
    """Return the steps from what was found to what is wanted."""
    plan = Steps()
    for role, name in wanted.bindings.items():
        _plan_role(plan, wanted, found, role, name)
    links: dict[str, list[str]] = {_name(one): _links(one) for one in found.accounts}
    for secret in wanted.pull_secrets:
        _plan_pull_secret(plan, wanted, found, secret, links)
    for account in found.accounts:
        if links[_name(account)] != _links(account):
            change = _linked(account, links[_name(account)])
            plan.change(account, change, "link", "its pods pull with these Secrets")
    return Steps(refused=plan.refused) if plan.refused else plan


def subject(namespace: str, given: Mapping[str, str]) -> Definition:
    """Return a subject as the API has it; a service account without a namespace is of this one."""
    if given["kind"] == "ServiceAccount":
        return objects.account_subject(given.get("namespace") or namespace, given["name"])
    return {"apiGroup": objects.RBAC_GROUP, "kind": given["kind"], "name": given["name"]}


def _plan_role(plan: Steps, wanted: AccessOptions, found: AccessState, role: str, name: str) -> None:
    subjects = [subject(wanted.namespace, given) for given in wanted.subjects.get(role, ())]
    own = objects.named(found.bindings, name)
    if own and not (objects.is_ours(own) and objects.grants(own, role)):
        plan.refused = plan.refused or (
            f"the RoleBinding {name} is there and was not made by this collection for {role}. "
            "Choose another name for it"
        )
        return
    if wanted.state == "absent":
        if own:
            plan.delete(own, _own(own), "nobody is to have access by it")
        return
    others = [
        binding
        for binding in found.bindings
        if binding is not own and objects.grants(binding, role) and not _name(binding).startswith("system:")
    ]
    if wanted.exclusive:
        _plan_exclusive(plan, others, subjects)
    elsewhere = [one for binding in others for one in objects.subjects_of(binding)]
    here = objects.subjects_of(own) if own else []
    kept = [one for one in here if one in subjects or not wanted.exclusive]
    now = kept + [one for one in subjects if one not in kept and one not in elsewhere]
    if now == here:
        return
    if not own:
        plan.create(objects.role_binding(wanted.namespace, name, role, now), f"it grants {role}")
    elif now:
        change = objects.changed_subjects(own, now)
        plan.change(own, change, "change", f"it grants {role} to {objects.names_of(now)}")
    else:
        plan.delete(own, _own(own), "it grants nothing to anybody")


def _plan_exclusive(plan: Steps, others: Sequence[LiveObject], wanted: Sequence[Definition]) -> None:
    """Take out who is not wanted, which is what was asked for; service accounts that push stay."""
    for binding in others:
        unwanted = [one for one in objects.subjects_of(binding) if one not in wanted]
        if not unwanted:
            continue
        if objects.is_ours(binding):
            plan.left.append(f"RoleBinding {_name(binding)}, which this collection has made for a service account")
            continue
        rest = [one for one in objects.subjects_of(binding) if one in wanted]
        change = objects.changed_subjects(binding, rest)
        plan.change(binding, change, "change", f"{objects.names_of(unwanted)} is not to have access")


def _plan_pull_secret(
    plan: Steps, wanted: AccessOptions, found: AccessState, secret: PullSecret, links: dict[str, list[str]]
) -> None:
    there = objects.named(found.secrets, secret.name)
    if there and not objects.is_ours(there):
        plan.refused = plan.refused or (
            f"the Secret {secret.name} is there and was not made by this collection. Choose another name"
        )
        return
    definition = objects.pull_secret(wanted.namespace, secret.name, secret.auths)
    accounts = secret.service_accounts if wanted.state == "present" else ()
    missing = [name for name in accounts if name not in links]
    if missing:
        plan.refused = plan.refused or f"the service account {', '.join(missing)} for {secret.name} is not there"
    for name, linked in links.items():
        if name in accounts and secret.name not in linked:
            linked.append(secret.name)
        elif name not in accounts and secret.name in linked:
            linked.remove(secret.name)
    if wanted.state == "absent":
        if there:
            plan.delete(there, definition, "nothing is to pull with it")
    elif not there:
        plan.create(definition, f"for {', '.join(secret.auths)}")
    elif _auths(there) != {registry: dict(entry) for registry, entry in secret.auths.items()}:
        plan.change(there, definition, "change", f"other credentials for {', '.join(secret.auths)}")


def _own(binding: LiveObject) -> Definition:
    return {"apiVersion": f"{objects.RBAC_GROUP}/v1", "kind": "RoleBinding", "metadata": dict(binding["metadata"])}


def _links(account: LiveObject) -> list[str]:
    return [str(one["name"]) for one in account.get("imagePullSecrets") or [] if one.get("name")]


def _linked(account: LiveObject, names: Sequence[str]) -> Definition:
    """A service account that somebody changes at the same time is another version, and the API refuses."""
    metadata = {name: account["metadata"].get(name) for name in ("name", "namespace", "resourceVersion")}
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata,
        "imagePullSecrets": [{"name": name} for name in names],
    }


def _auths(secret: LiveObject) -> Any:
    """Return what a pull Secret holds, None where it cannot be read."""
    try:
        held = parse_json(base64.b64decode(str((secret.get("data") or {}).get(".dockerconfigjson", ""))))
    except (JsonError, ValueError):
        return None
    return held.get("auths") if isinstance(held, dict) else None


def _name(found: LiveObject) -> str:
    return str(found["metadata"]["name"])
