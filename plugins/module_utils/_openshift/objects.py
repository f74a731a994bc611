# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a namespace that the roles make, and how those found there are read; pure.

What a role makes carries a label that says so; only that does it ever remove. Source: Kubernetes API
reference, ``ServiceAccount``, ``Secret``, ``RoleBinding``; OpenShift API reference, ``ImageStream``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "appuio.registry"
TOKEN_SECRET = "kubernetes.io/service-account-token"
SECRET_ACCOUNT = "kubernetes.io/service-account.name"
RBAC_GROUP = "rbac.authorization.k8s.io"

Definition = dict[str, Any]
LiveObject = Mapping[str, Any]


def service_account(namespace: str, name: str) -> Definition:
    """Return a service account."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(namespace, name)}


def token_secret(namespace: str, name: str, account: str) -> Definition:
    """Return a Secret that the token controller fills with a token of the account."""
    metadata = {**_metadata(namespace, name), "annotations": {SECRET_ACCOUNT: account}}
    return {"apiVersion": "v1", "kind": "Secret", "type": TOKEN_SECRET, "metadata": metadata}


def pull_secret(namespace: str, name: str, auths: Mapping[str, Mapping[str, str]]) -> Definition:
    """Return a Secret with credentials of registries, as pods use it to pull."""
    content = json.dumps({"auths": {registry: dict(entry) for registry, entry in auths.items()}})
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": _metadata(namespace, name),
        "data": {".dockerconfigjson": base64.b64encode(content.encode()).decode()},
    }


def image_stream(namespace: str, name: str) -> Definition:
    """Return an image stream without tags, as a push makes one."""
    return {
        "apiVersion": "image.openshift.io/v1",
        "kind": "ImageStream",
        "metadata": _metadata(namespace, name),
        "spec": {"lookupPolicy": {"local": False}},
    }


def role_binding(namespace: str, name: str, role: str, subjects: Sequence[LiveObject]) -> Definition:
    """Return a binding of a cluster role to these subjects."""
    return {
        "apiVersion": f"{RBAC_GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": _metadata(namespace, name),
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": role},
        "subjects": list(subjects),
    }


def changed_subjects(binding: LiveObject, subjects: Sequence[LiveObject]) -> Definition:
    """Return the change of a binding's subjects, which the API refuses if somebody else was faster."""
    found = binding["metadata"]
    metadata = {name: found.get(name) for name in ("name", "namespace", "resourceVersion")}
    return {
        "apiVersion": f"{RBAC_GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "subjects": list(subjects),
    }


def account_subject(namespace: str, name: str) -> Definition:
    """Return a service account as the subject of a binding."""
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def marked(definition: LiveObject, labels: Mapping[str, Any], annotations: Mapping[str, Any]) -> Definition:
    """Return a definition with more labels and annotations; those that say what it is stay."""
    metadata = dict(definition["metadata"])
    for name, more in (("labels", labels), ("annotations", annotations)):
        held = {**{str(key): str(value) for key, value in more.items()}, **(metadata.get(name) or {})}
        if held:
            metadata[name] = held
    return {**definition, "metadata": metadata}


def lacks_marks(found: LiveObject, labels: Mapping[str, Any], annotations: Mapping[str, Any]) -> bool:
    """Whether an object lacks one of these labels or annotations, or has it with another value."""
    metadata = found["metadata"]
    return any(
        str(value) != (metadata.get(name) or {}).get(str(key))
        for name, more in (("labels", labels), ("annotations", annotations))
        for key, value in more.items()
        if key not in (MANAGED_BY, SECRET_ACCOUNT)
    )


def identity(definition: LiveObject) -> Definition:
    """Return what is needed to delete an object."""
    metadata = definition["metadata"]
    return {
        "apiVersion": definition["apiVersion"],
        "kind": definition["kind"],
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
    }


def is_ours(found: LiveObject) -> bool:
    """Whether a role of this collection has made the object."""
    return (found["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER


def is_token_of(secret: LiveObject, account: str) -> bool:
    """Whether a Secret holds a token of the account."""
    annotations = secret["metadata"].get("annotations") or {}
    return secret.get("type") == TOKEN_SECRET and annotations.get(SECRET_ACCOUNT) == account


def grants(binding: LiveObject, role: str) -> bool:
    """Whether a binding grants this cluster role."""
    reference = binding.get("roleRef") or {}
    return reference.get("kind") == "ClusterRole" and reference.get("name") == role


def subjects_of(binding: LiveObject) -> list[Any]:
    """Return the subjects of a binding, which may have none."""
    return list(binding.get("subjects") or [])


def named(found: Sequence[LiveObject], name: str) -> LiveObject | None:
    """Return the object of this name, or None."""
    return next((one for one in found if one["metadata"]["name"] == name), None)


def _metadata(namespace: str, name: str) -> Definition:
    return {"name": name, "namespace": namespace, "labels": {MANAGED_BY: MANAGER}}
