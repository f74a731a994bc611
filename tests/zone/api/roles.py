# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ClusterRoles that every OpenShift cluster has, as far as images, tokens and projects are concerned."""

from __future__ import annotations

from typing import Any

Rule = dict[str, list[str]]

READ = ["get", "list", "watch"]
ALL = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
IMAGE = "image.openshift.io"
_STREAMS = ["imagestreams", "imagestreamtags", "imagetags", "imagestreammappings", "imagestreamimages"]
_WORKLOADS: list[tuple[list[str], list[str]]] = [
    ([""], ["pods", "services", "configmaps", "replicationcontrollers", "persistentvolumeclaims", "events"]),
    (["apps"], ["deployments", "statefulsets", "daemonsets", "replicasets"]),
    (["batch"], ["jobs", "cronjobs"]),
    (["apps.openshift.io"], ["deploymentconfigs"]),
    (["build.openshift.io"], ["buildconfigs", "builds"]),
]


def rule(groups: str | list[str], resources: str | list[str], verbs: list[str], names: list[str] | None = None) -> Rule:
    """Return one rule of a role."""
    made: Rule = {
        "apiGroups": [groups] if isinstance(groups, str) else groups,
        "resources": [resources] if isinstance(resources, str) else resources,
        "verbs": verbs,
    }
    return made | ({"resourceNames": names} if names else {})


_LAYERS_READ = rule(["", IMAGE], "imagestreams/layers", ["get"])
_LAYERS_WRITE = rule(["", IMAGE], "imagestreams/layers", ["get", "update"])
_NAMESPACE_READ = rule("", "namespaces", ["get"])
_PROJECT_READ = rule(["", "project.openshift.io"], "projects", ["get"])

_REGISTRY_VIEWER = [rule(["", IMAGE], _STREAMS, READ), _LAYERS_READ, _NAMESPACE_READ, _PROJECT_READ]
_REGISTRY_EDITOR = [
    rule("", ["serviceaccounts", "secrets"], ALL),
    rule(["", IMAGE], [*_STREAMS, "imagestreams/secrets"], ALL),
    rule(["", IMAGE], "imagestreamimports", ["create"]),
    _LAYERS_WRITE,
    _NAMESPACE_READ,
    _PROJECT_READ,
]
_ROLES_ALL = rule(["rbac.authorization.k8s.io", "authorization.openshift.io", ""], ["roles", "rolebindings"], ALL)
_REVIEWS = rule(["authorization.k8s.io"], ["localsubjectaccessreviews"], ["create"])
_REGISTRY_ADMIN = [
    *_REGISTRY_EDITOR,
    _ROLES_ALL,
    _REVIEWS,
    rule(["", "project.openshift.io"], "projects", ["delete", "get"]),
]
_VIEW = [
    *_REGISTRY_VIEWER,
    *(rule(groups, resources, READ) for groups, resources in _WORKLOADS),
    rule("", ["serviceaccounts", "resourcequotas", "limitranges"], READ),
    rule(["", IMAGE], "imagestreams/status", READ),
]
_EDIT = [
    *_VIEW,
    *_REGISTRY_EDITOR,
    rule("", ["serviceaccounts/token"], ["create"]),
    rule(["", "build.openshift.io"], ["builds"], ALL),
    rule(["", "build.openshift.io"], ["builds/details"], ["update"]),
    *(rule(groups, resources, ALL) for groups, resources in _WORKLOADS),
]
_ADMIN = [
    *_EDIT,
    _ROLES_ALL,
    _REVIEWS,
    rule(["", "project.openshift.io"], "projects", ["delete", "get", "patch", "update"]),
]

CLUSTER_ROLES: dict[str, list[Rule]] = {
    "cluster-admin": [rule("*", "*", ["*"])],
    "cluster-reader": [
        rule("*", ["*"], READ),
        _LAYERS_READ,
    ],
    "admin": _ADMIN,
    "edit": _EDIT,
    "view": _VIEW,
    "registry-admin": _REGISTRY_ADMIN,
    "registry-editor": _REGISTRY_EDITOR,
    "registry-viewer": _REGISTRY_VIEWER,
    "system:image-builder": [
        _LAYERS_WRITE,
        rule(["", IMAGE], "imagestreams", ["create"]),
        rule(["", "build.openshift.io"], "builds/details", ["update"]),
        rule(["", "build.openshift.io"], "builds", ["get"]),
    ],
    "system:image-pusher": [_LAYERS_WRITE],
    "system:image-puller": [_LAYERS_READ],
    "system:image-signer": [_LAYERS_READ, rule(["", IMAGE], ["images"], ["get"])],
    "system:image-pruner": [
        rule("", ["pods", "replicationcontrollers"], READ),
        rule("apps", ["daemonsets", "deployments", "replicasets", "statefulsets"], READ),
        rule("batch", ["jobs", "cronjobs"], READ),
        rule("build.openshift.io", ["buildconfigs", "builds"], READ),
        rule("apps.openshift.io", ["deploymentconfigs"], READ),
        rule(["", IMAGE], ["images"], ["delete", "get", "list", "watch"]),
        rule(["", IMAGE], ["imagestreams"], READ),
        rule(["", IMAGE], ["imagestreams/status"], ["update"]),
    ],
    "basic-user": [
        rule(["", "user.openshift.io"], "users", ["get"], ["~"]),
        rule(["", "project.openshift.io"], "projects", ["list", "watch"]),
        rule("authorization.k8s.io", ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
        rule("authentication.k8s.io", ["selfsubjectreviews"], ["create"]),
        rule("oauth.openshift.io", ["useroauthaccesstokens"], ["delete", "get", "list", "watch"]),
        rule("rbac.authorization.k8s.io", ["clusterroles"], READ),
        rule("appuio.io", ["zones"], READ),
    ],
    "system:oauth-token-deleter": [rule("oauth.openshift.io", ["oauthaccesstokens"], ["delete"])],
    "self-provisioner": [rule(["", "project.openshift.io"], "projectrequests", ["create"])],
}


def cluster_role(name: str, rules: list[Rule]) -> dict[str, Any]:
    """Return a ClusterRole object."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"}},
        "rules": rules,
    }


def cluster_role_binding(name: str, role: str, *groups: str) -> dict[str, Any]:
    """Return a ClusterRoleBinding of groups."""
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "Group", "name": name} for name in groups],
    }
