# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role ``registry_access`` has to do: who may pull and push, and with which pull Secrets; pure.

Source: APPUiO Cloud documentation, "Advanced user access"; Kubernetes documentation, "Pull an Image from
a Private Registry" (``imagePullSecrets`` of a service account).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import objects
from .objects import Definition, LiveObject
from .steps import Steps

SUBJECT_KINDS = ("User", "Group", "ServiceAccount")


@dataclass(frozen=True)
class PullSecret:
    """A Secret for a foreign registry, and the service accounts whose pods use it."""

    name: str
    auths: Mapping[str, Mapping[str, str]]
    service_accounts: Sequence[str] = ("default",)


@dataclass(frozen=True)
class Access:
    """What is wanted: by role the subjects, each as its binding's name in ``bindings`` grants it."""

    namespace: str
    bindings: Mapping[str, str]
    subjects: Mapping[str, Sequence[Mapping[str, str]]]
    pull_secrets: Sequence[PullSecret] = ()
    exclusive: bool = False
    state: str = "present"


@dataclass(frozen=True)
class Namespace:
    """What is there: role bindings, Secrets of the pull Secrets' names, and service accounts."""

    bindings: Sequence[LiveObject] = ()
    secrets: Sequence[LiveObject] = ()
    accounts: Sequence[LiveObject] = ()


def plan_access(access: Access, found: Namespace) -> Steps:
    """Return the steps from what was found to what is wanted."""
    plan = Steps()
    for role, name in access.bindings.items():
        _plan_role(plan, access, found, role, name)
    links: dict[str, list[str]] = {str(one["metadata"]["name"]): _links(one) for one in found.accounts}
    for secret in access.pull_secrets:
        _plan_pull_secret(plan, access, found, secret, links)
    for account in found.accounts:
        name = str(account["metadata"]["name"])
        if links[name] != _links(account):
            plan.to_put(_linked(account, links[name]), "link", "its pods pull with these Secrets")
    return Steps(refused=plan.refused) if plan.refused else plan


def subject(namespace: str, given: Mapping[str, str]) -> Definition:
    """Return a subject as the API has it; a service account without a namespace is of this one."""
    if given["kind"] == "ServiceAccount":
        return objects.account_subject(given.get("namespace") or namespace, given["name"])
    return {"apiGroup": objects.RBAC_GROUP, "kind": given["kind"], "name": given["name"]}


def _plan_role(plan: Steps, access: Access, found: Namespace, role: str, name: str) -> None:
    wanted = [subject(access.namespace, given) for given in access.subjects.get(role, ())]
    own = objects.named(found.bindings, name)
    if own and not (objects.is_ours(own) and objects.grants(own, role)):
        plan.refused = plan.refused or (
            f"the RoleBinding {name} is there and was not made by this role for {role}. Choose another name for it"
        )
        return
    if access.state == "absent":
        if own:
            plan.to_remove(_own(own), "nobody is to have access by it")
        return
    foreign = [
        binding
        for binding in found.bindings
        if binding is not own
        and objects.grants(binding, role)
        and not binding["metadata"]["name"].startswith("system:")
    ]
    if access.exclusive:
        _plan_exclusive(plan, foreign, wanted)
    elsewhere = [one for binding in foreign for one in objects.subjects_of(binding)]
    here = objects.subjects_of(own) if own else []
    kept = [one for one in here if one in wanted or not access.exclusive]
    now = kept + [one for one in wanted if one not in kept and one not in elsewhere]
    if now == here:
        return
    if not own:
        plan.to_put(objects.role_binding(access.namespace, name, role, now), "make", f"it grants {role}")
    elif now:
        plan.to_put(objects.changed_subjects(own, now), "change", f"it grants {role} to {_names(now)}")
    else:
        plan.to_remove(_own(own), "it grants nothing to anybody")


def _plan_exclusive(plan: Steps, foreign: Sequence[LiveObject], wanted: Sequence[Definition]) -> None:
    """Take out who is not wanted; what another role of this collection has made, as pushers, stays."""
    for binding in foreign:
        unwanted = [one for one in objects.subjects_of(binding) if one not in wanted]
        if not unwanted:
            continue
        name = binding["metadata"]["name"]
        if objects.is_ours(binding):
            plan.left.append(f"RoleBinding {name}, which another role of this collection has made")
            continue
        rest = [one for one in objects.subjects_of(binding) if one in wanted]
        plan.to_put(objects.changed_subjects(binding, rest), "change", f"{_names(unwanted)} is not to have access")


def _plan_pull_secret(
    plan: Steps, access: Access, found: Namespace, secret: PullSecret, links: dict[str, list[str]]
) -> None:
    there = objects.named(found.secrets, secret.name)
    if there and not objects.is_ours(there):
        plan.refused = plan.refused or (
            f"the Secret {secret.name} is there and was not made by this role. Choose another name"
        )
        return
    definition = objects.pull_secret(access.namespace, secret.name, secret.auths)
    wanted = secret.service_accounts if access.state == "present" else ()
    missing = [name for name in wanted if name not in links]
    if missing:
        plan.refused = plan.refused or f"the service account {', '.join(missing)} for {secret.name} is not there"
    for name, linked in links.items():
        if name in wanted and secret.name not in linked:
            linked.append(secret.name)
        elif name not in wanted and secret.name in linked:
            linked.remove(secret.name)
    if access.state == "absent":
        if there:
            plan.to_remove(definition, "nothing is to pull with it")
    elif not there:
        plan.to_put(definition, "make", f"for {', '.join(secret.auths)}")
    elif _auths(there) != _plain(secret.auths):
        plan.to_put(definition, "change", f"other credentials for {', '.join(secret.auths)}")


def _own(binding: LiveObject) -> Definition:
    return {"apiVersion": f"{objects.RBAC_GROUP}/v1", "kind": "RoleBinding", "metadata": dict(binding["metadata"])}


def _links(account: LiveObject) -> list[str]:
    return [str(one["name"]) for one in account.get("imagePullSecrets") or []]


def _linked(account: LiveObject, names: Sequence[str]) -> Definition:
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
        held = json.loads(base64.b64decode((secret.get("data") or {}).get(".dockerconfigjson", "")))
        return held.get("auths")
    except (ValueError, AttributeError):
        return None


def _plain(auths: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {registry: dict(entry) for registry, entry in auths.items()}


def _names(subjects: Sequence[Any]) -> str:
    return ", ".join(f"{one.get('kind')} {one.get('name')}" for one in subjects) or "nobody"
