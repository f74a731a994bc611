# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role ``image_pusher`` has to do in a namespace: objects found and wanted in, steps out; pure.

What the role makes carries a label; only that, or what it was told to adopt, does it ever remove.
Source: Kubernetes documentation, "Managing Service Accounts", "Using RBAC Authorization" (a role
binding's ``roleRef`` cannot be changed, so a binding to another role is deleted and made again).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "appuio.registry"
TOKEN_SECRET = "kubernetes.io/service-account-token"
SECRET_ACCOUNT = "kubernetes.io/service-account.name"
RBAC_GROUP = "rbac.authorization.k8s.io"
OF_EVERY_NAMESPACE = ("default", "builder", "deployer")

Found = Mapping[str, Any]


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

    @property
    def subject(self) -> dict[str, str]:
        """The service account as the subject of a role binding."""
        return {"kind": "ServiceAccount", "name": self.service_account, "namespace": self.namespace}


@dataclass
class PusherPlan:
    """Definitions to remove first and then to put, a reason for each step, and what is left alone and why."""

    steps: list[str] = field(default_factory=list)
    remove: list[dict[str, Any]] = field(default_factory=list)
    put: list[dict[str, Any]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    refused: str = ""


def plan_pusher(pusher: Pusher, account: Found | None, secret: Found | None, bindings: Sequence[Found]) -> PusherPlan:
    """Return the steps from what was found to what is wanted.

    ``bindings`` are all role bindings of the namespace. ``refused`` of the plan says why nothing can be
    done, where an object of that name belongs to something else.
    """
    if pusher.state == "absent":
        return _plan_absent(pusher, account, secret, bindings)
    plan = _plan_present(pusher, account, secret, bindings)
    return PusherPlan(refused=plan.refused) if plan.refused else plan


def _plan_present(pusher: Pusher, account: Found | None, secret: Found | None, bindings: Sequence[Found]) -> PusherPlan:
    plan = PusherPlan()
    if secret and not _is_token_of(secret, pusher):
        plan.refused = (
            f"the Secret {pusher.secret_name} is there and is no token of the service account "
            f"{pusher.service_account}. Choose another image_pusher_secret_name, or delete that Secret"
        )
        return plan
    wanted = ((_account(pusher), account, "it is not there"), (_secret(pusher), secret, "it holds the token"))
    for definition, found, reason in wanted:
        if not found:
            _put(plan, definition, "make", reason)
        elif pusher.adopt and not _is_ours(found):
            _put(plan, definition, "adopt", "image_pusher_adopt is set")
    _plan_binding(plan, pusher, bindings)
    return plan


def _plan_binding(plan: PusherPlan, pusher: Pusher, bindings: Sequence[Found]) -> None:
    """Bind the role unless some binding does; never change the rights of anybody else."""
    found = _named(bindings, pusher.role_binding)
    elsewhere = [
        binding["metadata"]["name"]
        for binding in bindings
        if binding is not found and _grants(binding, pusher.role) and pusher.subject in _subjects(binding)
    ]
    if found and not _grants(found, pusher.role):
        granted = found.get("roleRef", {}).get("name")
        others = [subject for subject in _subjects(found) if subject != pusher.subject]
        if elsewhere and not _is_ours(found):
            found = None
        elif not (_is_ours(found) or pusher.adopt):
            plan.refused = (
                f"the RoleBinding {pusher.role_binding} is there, was not made by this role, and grants {granted} "
                f"instead of {pusher.role}. Choose another image_pusher_role_binding"
            )
            return
        elif others:
            plan.refused = (
                f"the RoleBinding {pusher.role_binding} grants {granted} to {_names(others)} too, so it cannot be "
                f"replaced by one to {pusher.role}. Choose another image_pusher_role_binding, or remove them from it"
            )
            return
        else:
            reason = f"it grants {granted}, and the role of a binding cannot be changed"
            _remove(plan, _binding(pusher), reason)
            found = None
    if elsewhere:
        plan.left.append(
            f"{pusher.service_account} has {pusher.role} by the RoleBinding {', '.join(elsewhere)} already"
        )
    elif not found:
        _put(plan, _binding(pusher), "make", f"it grants {pusher.role}")
    elif pusher.subject not in _subjects(found):
        _put(
            plan,
            _with_subjects(pusher, found, [*_subjects(found), pusher.subject]),
            "extend",
            f"it grants {pusher.role}",
        )
    elif pusher.adopt and not _is_ours(found):
        _put(plan, _with_subjects(pusher, found, _subjects(found)), "adopt", "image_pusher_adopt is set")


def _plan_absent(pusher: Pusher, account: Found | None, secret: Found | None, bindings: Sequence[Found]) -> PusherPlan:
    """Take the rights first, then the token, then the account."""
    plan = PusherPlan()
    binding = _named(bindings, pusher.role_binding)
    if binding and pusher.subject in _subjects(binding):
        others = [subject for subject in _subjects(binding) if subject != pusher.subject]
        if not others and (_is_ours(binding) or pusher.adopt):
            _remove(plan, _binding(pusher), "the pusher is to be absent")
        elif _is_ours(binding) or _grants(binding, pusher.role):
            _put(
                plan, _with_subjects(pusher, binding, others), f"take {pusher.service_account} out of", "others use it"
            )
        else:
            plan.left.append(f"RoleBinding {pusher.role_binding}, which was not made by this role")
    for definition, found in ((_secret(pusher), secret), (_account(pusher), account)):
        name = f"{definition['kind']} {definition['metadata']['name']}"
        if not found:
            continue
        if definition["kind"] == "Secret" and not _is_token_of(found, pusher):
            plan.left.append(f"{name}, which is no token of {pusher.service_account}")
        elif found["metadata"]["name"] in OF_EVERY_NAMESPACE and definition["kind"] == "ServiceAccount":
            plan.left.append(f"{name}, which every namespace has")
        elif _is_ours(found) or pusher.adopt:
            _remove(plan, definition, "the pusher is to be absent")
        else:
            plan.left.append(f"{name}, which was not made by this role (image_pusher_adopt would remove it)")
    return plan


def _put(plan: PusherPlan, definition: dict[str, Any], verb: str, reason: str) -> None:
    plan.put.append(definition)
    plan.steps.append(f"{verb} {definition['kind']} {definition['metadata']['name']}: {reason}")


def _remove(plan: PusherPlan, definition: dict[str, Any], reason: str) -> None:
    plan.remove.append(_identity(definition))
    plan.steps.append(f"delete {definition['kind']} {definition['metadata']['name']}: {reason}")


def _account(pusher: Pusher) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(pusher, pusher.service_account)}


def _secret(pusher: Pusher) -> dict[str, Any]:
    metadata = _metadata(pusher, pusher.secret_name)
    metadata["annotations"] = {SECRET_ACCOUNT: pusher.service_account}
    return {"apiVersion": "v1", "kind": "Secret", "type": TOKEN_SECRET, "metadata": metadata}


def _binding(pusher: Pusher) -> dict[str, Any]:
    return {
        "apiVersion": f"{RBAC_GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": _metadata(pusher, pusher.role_binding),
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": pusher.role},
        "subjects": [pusher.subject],
    }


def _with_subjects(pusher: Pusher, found: Found, subjects: list[Any]) -> dict[str, Any]:
    """Return the change of a binding's subjects, which the API refuses if somebody else was faster."""
    metadata: dict[str, Any] = {
        "name": pusher.role_binding,
        "namespace": pusher.namespace,
        "resourceVersion": found["metadata"].get("resourceVersion"),
    }
    if pusher.adopt and pusher.state == "present":
        metadata["labels"] = {MANAGED_BY: MANAGER}
    return {"apiVersion": f"{RBAC_GROUP}/v1", "kind": "RoleBinding", "metadata": metadata, "subjects": subjects}


def _metadata(pusher: Pusher, name: str) -> dict[str, Any]:
    return {"name": name, "namespace": pusher.namespace, "labels": {MANAGED_BY: MANAGER}}


def _identity(definition: Mapping[str, Any]) -> dict[str, Any]:
    metadata = definition["metadata"]
    return {
        "apiVersion": definition["apiVersion"],
        "kind": definition["kind"],
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
    }


def _is_ours(found: Found) -> bool:
    return (found["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER


def _is_token_of(secret: Found, pusher: Pusher) -> bool:
    annotations = secret["metadata"].get("annotations") or {}
    return secret.get("type") == TOKEN_SECRET and annotations.get(SECRET_ACCOUNT) == pusher.service_account


def _grants(binding: Found, role: str) -> bool:
    reference = binding.get("roleRef") or {}
    return reference.get("kind") == "ClusterRole" and reference.get("name") == role


def _subjects(binding: Found) -> list[Any]:
    return list(binding.get("subjects") or [])


def _names(subjects: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{subject.get('kind')} {subject.get('name')}" for subject in subjects)


def _named(bindings: Sequence[Found], name: str) -> Found | None:
    return next((binding for binding in bindings if binding["metadata"]["name"] == name), None)
