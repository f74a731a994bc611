# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a namespace that this collection creates, and how those found there are read; pure.

What it creates carries a label that says so; only that does it change or delete. Source: Kubernetes API
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
SECRET_ACCOUNT_UID = "kubernetes.io/service-account.uid"
RBAC_GROUP = "rbac.authorization.k8s.io"
# On a RoleBinding: the service account that it was created for.
BOUND_ACCOUNT = "registry.appuio.cloud/service-account"

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
    """Return an ImageStream without tags, as a push creates one."""
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


def account_binding(namespace: str, name: str, role: str, account: str) -> Definition:
    """Return a binding of a cluster role to one service account, which tells whose binding it is."""
    made = role_binding(namespace, name, role, [account_subject(namespace, account)])
    made["metadata"]["annotations"] = {BOUND_ACCOUNT: account}
    return made


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
        if key not in (MANAGED_BY, SECRET_ACCOUNT, BOUND_ACCOUNT)
    )


def normalised(found: Any) -> LiveObject | None:
    """Return an object of the API with the shapes that are relied on here; None for what has no name.

    An answer may hold anything: an odd part is read as if it were not there.
    """
    metadata = found.get("metadata") if isinstance(found, Mapping) else None
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if not isinstance(name, str) or not name or not isinstance(metadata, Mapping):
        return None
    marks = {key: _texts(metadata.get(key)) for key in ("labels", "annotations")}
    whole = {**found, "metadata": {**metadata, **marks}}
    for key in ("roleRef", "data"):
        whole[key] = found.get(key) if isinstance(found.get(key), Mapping) else {}
    for key in ("subjects", "imagePullSecrets"):
        entries = found.get(key)
        whole[key] = [one for one in entries if isinstance(one, Mapping)] if isinstance(entries, list) else []
    return whole


def is_ours(found: LiveObject) -> bool:
    """Whether this collection has created or adopted the object."""
    return annotated(found, MANAGED_BY, "labels") == MANAGER


def annotated(found: LiveObject, key: str, among: str = "annotations") -> str | None:
    """Return an annotation, or a label, of an object; None where it has none of this name."""
    value = (found["metadata"].get(among) or {}).get(key)
    return value if isinstance(value, str) else None


def is_token_of(secret: LiveObject, account: str) -> bool:
    """Whether a Secret holds a token of the account."""
    return secret.get("type") == TOKEN_SECRET and annotated(secret, SECRET_ACCOUNT) == account


def grants(binding: LiveObject, role: str) -> bool:
    """Whether a binding grants this cluster role."""
    return granted(binding) == role


def granted(binding: LiveObject) -> str | None:
    """Return the cluster role that a binding grants; None for a role of the namespace."""
    reference = binding.get("roleRef") or {}
    return str(reference.get("name")) if reference.get("kind") == "ClusterRole" else None


def subjects_of(binding: LiveObject) -> list[Any]:
    """Return the subjects of a binding, which may have none."""
    return list(binding.get("subjects") or [])


def names_of(subjects: Sequence[Any]) -> str:
    """Return kinds and names of subjects, as messages have them."""
    return ", ".join(f"{one.get('kind')} {one.get('name')}" for one in subjects) or "nobody"


def named(found: Sequence[LiveObject], name: str) -> LiveObject | None:
    """Return the object of this name, or None."""
    return next((one for one in found if one["metadata"]["name"] == name), None)


def _texts(found: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}


def _metadata(namespace: str, name: str) -> Definition:
    return {"name": name, "namespace": namespace, "labels": {MANAGED_BY: MANAGER}}
