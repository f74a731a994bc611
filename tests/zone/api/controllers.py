# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controllers that act a moment later: token Secrets are filled or deleted, namespaces get what every one has."""

from __future__ import annotations

import base64
import queue
import threading
import time
from typing import Any

from ..settings import Settings
from .authentication import Authentication
from .roles import cluster_role_binding
from .store import Key, Object, Store
from .validation import ACCOUNT_NAME, TOKEN_SECRET

_UID = "kubernetes.io/service-account.uid"
_RBAC = "rbac.authorization.k8s.io"


class TokenController:
    """Fills token Secrets after ``token_delay`` seconds; deletes those whose service account is not there."""

    def __init__(self, store: Store, authentication: Authentication, authority: bytes, settings: Settings) -> None:
        self._store, self._authentication, self._authority = store, authentication, authority
        self._settings = settings
        self._work: queue.Queue[tuple[float, str, str]] = queue.Queue()
        store.listen(self._changed)
        threading.Thread(target=self._run, daemon=True).start()

    def _changed(self, event: str, key: Key, item: Object) -> None:
        group, plural, namespace, name = key
        if group:
            return
        due = time.monotonic() + self._settings.token_delay
        if plural == "secrets" and item.get("type") == TOKEN_SECRET:
            if event == "DELETED":
                self._authentication.revoke_all_of(item["metadata"]["uid"])
            elif not self._settings.token_delay:
                self._reconcile(namespace, name)
            else:
                self._work.put((due, namespace, name))
        if plural == "serviceaccounts" and event == "DELETED":
            self._authentication.revoke_all_of(item["metadata"]["uid"])
            for secret in self._store.items("", "secrets", namespace):
                if _account(secret) == name:
                    self._work.put((due, namespace, secret["metadata"]["name"]))

    def _run(self) -> None:
        while True:
            due, namespace, name = self._work.get()
            time.sleep(max(0.0, due - time.monotonic()))
            with self._store.lock:
                self._reconcile(namespace, name)

    def _reconcile(self, namespace: str, name: str) -> None:
        secret = self._store.get("", "secrets", namespace, name)
        if secret is None or secret.get("type") != TOKEN_SECRET:
            return
        account = self._store.get("", "serviceaccounts", namespace, _account(secret))
        known = (secret["metadata"].get("annotations") or {}).get(_UID)
        if account is None or (known and known != account["metadata"]["uid"]):
            self._store.delete("", "secrets", namespace, name)
            return
        data = secret.get("data") or {}
        if data.get("token") and data.get("ca.crt") and data.get("namespace"):
            return
        uid = account["metadata"]["uid"]
        token = self._authentication.legacy_token(
            namespace, account["metadata"]["name"], uid, name, secret["metadata"]["uid"]
        )
        parts = {"token": token.encode(), "namespace": namespace.encode(), "ca.crt": self._authority}
        secret["data"] = data | {key: base64.b64encode(value).decode() for key, value in parts.items()}
        secret["metadata"]["annotations"][_UID] = uid
        self._store.update("", "secrets", namespace, secret)


def _account(secret: Object) -> str:
    name: str = (secret["metadata"].get("annotations") or {}).get(ACCOUNT_NAME, "")
    return name


def furnish_namespace(store: Store, namespace: str) -> None:
    """Put into a fresh namespace what OpenShift's controllers put there."""
    for account in ("builder", "default", "deployer"):
        store.create("", "serviceaccounts", namespace, new_account(account))
    pullers = _binding("system:image-pullers", "system:image-puller")
    pullers["subjects"] = [
        {"kind": "Group", "apiGroup": _RBAC, "name": f"system:serviceaccounts:{namespace}"},
    ]
    builders = _binding("system:image-builders", "system:image-builder")
    builders["subjects"] = [{"kind": "ServiceAccount", "name": "builder", "namespace": namespace}]
    for binding in (pullers, builders):
        store.create(_RBAC, "rolebindings", namespace, binding)
    store.create(
        "",
        "configmaps",
        namespace,
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt"}, "data": {}},
    )


def new_account(name: str) -> Object:
    """Return a ServiceAccount object."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}


def _binding(name: str, role: str) -> dict[str, Any]:
    binding = cluster_role_binding(name, role)
    return {**binding, "kind": "RoleBinding"}
