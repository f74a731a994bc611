# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Projects: namespaces as their users see them."""

from __future__ import annotations

from . import errors
from .call import Call
from .controllers import furnish_namespace
from .hooks import Hooks
from .kinds import BY_PATH
from .rbac import Rbac
from .resources import Answer, Resources
from .roles import cluster_role_binding
from .store import Object, Store
from .validation import check_identity, check_object

GROUP = "project.openshift.io"
_NAMESPACES = BY_PATH[("", "v1", "namespaces")]


class Projects:
    """Answers for projects and projectrequests."""

    def __init__(self, store: Store, rbac: Rbac, resources: Resources, hooks: Hooks) -> None:
        self._store, self._rbac, self._resources, self._hooks = store, rbac, resources, hooks

    def answer(self, call: Call) -> Answer:
        """Do what a call asks; raises ApiError."""
        if call.resource.plural == "projectrequests":
            return self._request(call)
        with self._store.lock:
            if call.verb == "list":
                items = self._store.items("", "namespaces")
                seen = [item for item in items if self._may_see(call, item["metadata"]["name"])]
                return 200, self._resources.listed(call, [_project(item) for item in seen])
            if call.verb == "create":
                check_identity(call.resource, call.body, "", "")
                check_object(call.resource, call.body, None)
                call.body = _namespace(call.body)
            elif self._store.get("", "namespaces", "", call.name) is None:
                raise errors.not_found("projects", GROUP, call.name)
            elif call.verb in ("update", "patch") and isinstance(call.body, dict):
                call.body = _namespace(call.body) if call.body.get("kind") else call.body
            call.resource = _NAMESPACES
            status, document = self._resources.answer(call)
            return status, _project(document) if document.get("kind") == "Namespace" else document

    def make(self, name: str, requester: str = "", display_name: str = "") -> Object:
        """Make a project with everything the controllers put there, and let the requester administer it."""
        annotations = {"openshift.io/display-name": display_name} if display_name else {}
        if requester:
            annotations["openshift.io/requester"] = requester
        namespace: Object = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": name,
                "annotations": annotations,
                "labels": {"kubernetes.io/metadata.name": name},
            },
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        }
        with self._store.lock:
            made = self._store.create("", "namespaces", "", namespace)
            furnish_namespace(self._store, name)
            if requester:
                binding = {**cluster_role_binding("admin", "admin"), "kind": "RoleBinding"}
                binding["subjects"] = [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": requester}]
                self._store.create("rbac.authorization.k8s.io", "rolebindings", name, binding)
            return made

    def _request(self, call: Call) -> Answer:
        if call.verb == "list":
            return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        check_identity(call.resource, call.body, "", "")
        check_object(call.resource, call.body, None)
        name = call.body["metadata"]["name"]
        if self._store.get("", "namespaces", "", name) is not None:
            raise errors.already_exists("projects", GROUP, name)
        if call.dry_run:
            return 201, call.body
        return 201, _project(self.make(name, call.user.name, str(call.body.get("displayName", ""))))

    def _may_see(self, call: Call, name: str) -> bool:
        return self._rbac.allowed(call.user, "get", "", "namespaces", name, name)


def _project(namespace: Object) -> Object:
    return {**namespace, "apiVersion": f"{GROUP}/v1", "kind": "Project"}


def _namespace(project: Object) -> Object:
    return {**project, "apiVersion": "v1", "kind": "Namespace"}
