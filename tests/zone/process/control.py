# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests may do to a running zone, called from their process."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..api.authentication import Authentication, account_user
from ..api.controllers import new_account
from ..api.image_streams import ImageStreams
from ..api.kinds import BY_PATH, RESOURCES
from ..api.oauth import OAuth
from ..api.projects import Projects
from ..api.pull_secrets import PullSecrets
from ..api.rbac import GROUP as RBAC
from ..api.roles import CLUSTER_ROLES, cluster_role_binding
from ..api.store import Object, Store
from ..http.faults import FaultList
from ..http.request_log import RequestLog
from ..http.server import Server
from ..settings import Settings
from .registry import RegistryProcess


@dataclass
class ZoneControl:
    """The parts of a zone, and changes to it that need no rights."""

    store: Store
    authentication: Authentication
    projects: Projects
    oauth: OAuth
    streams: ImageStreams
    faults: FaultList
    log: RequestLog
    registry: RegistryProcess
    servers: dict[str, Server]
    pull_secrets: PullSecrets
    settings: Settings
    admin_token: str = ""
    in_main_thread = ("restart_registry", "stop_registry", "start_registry")

    def __post_init__(self) -> None:
        self._first_settings = asdict(self.settings)
        admin = account_user("cluster-admin", "", ("system:cluster-admins",))
        self.admin_token = self.authentication.oauth_token(admin)

    def address(self, side: str) -> str:
        """Return host and port of a side."""
        return f"{self.servers[side].address}:{self.servers[side].port}"

    # Who and what is there

    def create_project(self, name: str, requester: str = "") -> None:
        """Make a project with what the controllers put in it; nothing happens when it is there."""
        if self.store.get("", "namespaces", "", name) is None:
            self.projects.make(name, requester)
            self.pull_secrets.settle(name)

    def create_user(self, name: str, password: str, projects: dict[str, str]) -> str:
        """Make a user with a role in each project, and return a token."""
        if self.store.get("user.openshift.io", "users", "", name) is None:
            user = {"apiVersion": "user.openshift.io/v1", "kind": "User", "metadata": {"name": name}}
            self.store.create("user.openshift.io", "users", "", user)
        if password:
            self.oauth.passwords[name] = password
        for project, role in projects.items():
            self.create_project(project)
            self.bind(project, role, {"kind": "User", "apiGroup": RBAC, "name": name})
        return self.oauth.new_token(name)

    def token_for(self, project: str, account: str, role: str) -> str:
        """Make a service account with a role (none when empty) and return a token that never expires."""
        self.create_project(project)
        found = self.store.get("", "serviceaccounts", project, account)
        if found is None:
            found = self.store.create("", "serviceaccounts", project, new_account(account))
            self.pull_secrets.settle(project)
        if role:
            self.bind(project, role, {"kind": "ServiceAccount", "name": account, "namespace": project})
        return self.authentication.legacy_token(project, account, found["metadata"]["uid"], "by-test", "by-test")

    def bound_token_for(self, project: str, account: str, seconds: int) -> str:
        """Return a token of a service account that ends after some seconds, fewer than the API would allow."""
        found = self.store.get("", "serviceaccounts", project, account)
        if found is None:
            raise KeyError(f"there is no service account {account} in {project}")
        issuer = ["https://kubernetes.default.svc"]
        return self.authentication.bound_token(project, account, found["metadata"]["uid"], seconds, issuer)[0]

    def bind(self, project: str, role: str, subject: Object) -> None:
        """Bind a ClusterRole in a project; raises ValueError for one that is not there."""
        if role not in CLUSTER_ROLES and self.store.get(RBAC, "clusterroles", "", role) is None:
            raise ValueError(f"there is no cluster role {role}")
        name = f"{role}-{subject['name']}"
        if self.store.get(RBAC, "rolebindings", project, name) is None:
            binding = {**cluster_role_binding(name, role), "kind": "RoleBinding", "subjects": [subject]}
            self.store.create(RBAC, "rolebindings", project, binding)

    def unbind(self, project: str, role: str, name: str) -> None:
        """Take such a binding away."""
        self.store.delete(RBAC, "rolebindings", project, f"{role}-{name}")

    def revoke_token(self, token: str) -> None:
        """Let a token end at once."""
        self.authentication.revoke(token, 0.0)

    def expire_token(self, token: str) -> None:
        """Let a token be past its time."""
        self.authentication.expire(token)

    # Objects

    def image_stream(self, project: str, name: str) -> Object | None:
        """Return an ImageStream."""
        return self.streams.get(project, name)

    def tags(self, project: str, name: str) -> dict[str, str]:
        """Return tag → digest of an ImageStream."""
        return self.streams.tags(project, name)

    def object(self, kind: str, name: str, project: str = "") -> Object | None:
        """Return an object by its kind; raises ValueError for a kind there is not."""
        resource = next((row for row in RESOURCES if row.kind == kind), None)
        if resource is None:
            raise ValueError(f"there is no kind {kind}")
        return self.store.get(resource.group, resource.plural, project, name)

    def put_object(self, item: Object) -> None:
        """Keep an object as it is, such as a ResourceQuota, a workload or a Zone, in place of one of its name."""
        group, _ignored, version = item["apiVersion"].rpartition("/")
        for (row_group, row_version, plural), row in BY_PATH.items():
            if (row_group, row_version, row.kind) == (group, version, item["kind"]):
                namespace = item["metadata"].get("namespace", "") if row.namespaced else ""
                self.store.delete(group, plural, namespace, item["metadata"]["name"])
                self.store.create(group, plural, namespace, item)
                return
        raise ValueError(f"there is no kind {item['kind']}")

    # Requests, faults, settings

    def requests(self) -> list[dict[str, Any]]:
        """Return the request log."""
        return self.log.records()

    def clear_requests(self) -> None:
        """Forget the request log."""
        self.log.clear()

    def add_fault(self, **options: Any) -> int:
        """Add a fault and return its number."""
        return self.faults.add(**options)

    def remove_fault(self, identity: int) -> None:
        """Take a fault away."""
        self.faults.remove(identity)

    def clear_faults(self) -> None:
        """Take all faults away."""
        self.faults.clear()

    def fault_hits(self, identity: int) -> int:
        """Return how often a fault hit."""
        return self.faults.hits(identity)

    def configure(self, **settings: Any) -> None:
        """Change settings; raises ValueError for what is none."""
        self.settings.change(**settings)

    def reset_settings(self) -> None:
        """Set all settings to what they were at the start."""
        self.settings.change(**self._first_settings)

    def stop_side(self, side: str) -> None:
        """Refuse connections to a side and break those that are open."""
        self.servers[side].stop()

    def start_side(self, side: str) -> None:
        """Listen again, on the same port."""
        if not self.servers[side].running:
            self.servers[side].start()

    def drop_connections(self, side: str) -> None:
        """Break all open connections of a side once."""
        self.servers[side].drop_connections()

    def restart_registry(self) -> None:
        """Kill the registry behind the front and start it again on its storage."""
        self.registry.restart()

    def stop_registry(self) -> None:
        """Stop the registry behind the front: the front then cannot reach it."""
        self.registry.stop()

    def start_registry(self) -> None:
        """Start the registry behind the front again."""
        self.registry.start()

    def shut_down(self) -> None:
        """Stop everything."""
        for server in self.servers.values():
            server.stop()
        self.registry.stop()
