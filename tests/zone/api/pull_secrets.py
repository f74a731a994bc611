# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller that gives each service account a Secret to pull with, linked in ``secrets`` and ``imagePullSecrets``.

Source: the annotations, keys and token of such Secrets on OpenShift 4.21 (openshift-controller-manager).
"""

from __future__ import annotations

import base64
import json
import queue
import secrets
import threading
import time

from ..settings import Settings
from .authentication import ISSUER, Authentication
from .image_objects import INTERNAL_REGISTRY
from .store import Key, Object, Store

_REFERENCE = "openshift.io/internal-registry-pull-secret-ref"
_TOKEN = "openshift.io/internal-registry-auth-token"
_TYPE = "kubernetes.io/dockercfg"
_TOKEN_SECONDS = 3600


class PullSecrets:
    """Makes the ``<account>-dockercfg-xxxxx`` Secrets a moment after the account; removes them with the account."""

    def __init__(self, store: Store, authentication: Authentication, settings: Settings) -> None:
        self._store, self._authentication, self._settings = store, authentication, settings
        self.registries = [INTERNAL_REGISTRY]
        self._work: queue.Queue[tuple[float, str, str]] = queue.Queue()
        store.listen(self._changed)
        threading.Thread(target=self._run, daemon=True).start()

    def settle(self, namespace: str) -> None:
        """Do at once what is to be done for the accounts of a namespace."""
        with self._store.lock:
            for account in self._store.items("", "serviceaccounts", namespace):
                self._reconcile(namespace, account["metadata"]["name"])

    def _changed(self, event: str, key: Key, item: Object) -> None:
        group, plural, namespace, name = key
        if group:
            return
        due = time.monotonic() + self._settings.token_delay
        if plural == "serviceaccounts" and event == "DELETED":
            for secret in self._store.items("", "secrets", namespace):
                owners = secret["metadata"].get("ownerReferences") or []
                if any(owner.get("uid") == item["metadata"]["uid"] for owner in owners):
                    self._store.delete("", "secrets", namespace, secret["metadata"]["name"])
        elif plural == "serviceaccounts":
            self._work.put((due, namespace, name))
        if plural == "secrets" and event == "DELETED" and item.get("type") == _TYPE:
            self._authentication.revoke_all_of(item["metadata"]["uid"])
            if account := (item["metadata"].get("annotations") or {}).get(f"{_TOKEN}.service-account"):
                self._work.put((due, namespace, account))

    def _run(self) -> None:
        while True:
            due, namespace, name = self._work.get()
            time.sleep(max(0.0, due - time.monotonic()))
            with self._store.lock:
                self._reconcile(namespace, name)

    def _reconcile(self, namespace: str, name: str) -> None:
        account = self._store.get("", "serviceaccounts", namespace, name)
        if account is None:
            return
        annotations = account["metadata"].get("annotations") or {}
        held = annotations.get(_REFERENCE, "")
        if not held or self._store.get("", "secrets", namespace, held) is None:
            for field in ("secrets", "imagePullSecrets"):
                account[field] = [entry for entry in account.get(field) or [] if entry.get("name") != held]
            held = self._make(namespace, account)
        account["metadata"]["annotations"] = annotations | {_REFERENCE: held}
        for field in ("secrets", "imagePullSecrets"):
            entries = account.get(field) or []
            if all(entry.get("name") != held for entry in entries):
                account[field] = [*entries, {"name": held}]
        self._store.update("", "serviceaccounts", namespace, account)

    def _make(self, namespace: str, account: Object) -> str:
        metadata = account["metadata"]
        owner = {"apiVersion": "v1", "kind": "ServiceAccount", "name": metadata["name"], "uid": metadata["uid"]}
        secret: Object = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": f"{metadata['name']}-dockercfg-{secrets.token_hex(3)[:5]}",
                "annotations": {f"{_TOKEN}.binding": "bound", f"{_TOKEN}.service-account": metadata["name"]},
                "ownerReferences": [owner],
            },
            "type": _TYPE,
            "data": {},
        }
        made = self._store.create("", "secrets", namespace, secret)
        token, _expires = self._authentication.bound_token(
            namespace, metadata["name"], metadata["uid"], _TOKEN_SECONDS, [ISSUER], made["metadata"]["uid"]
        )
        entry = {"auth": base64.b64encode(f"<token>:{token}".encode()).decode()}
        document = json.dumps(dict.fromkeys(self.registries, entry)).encode()
        made["data"] = {".dockercfg": base64.b64encode(document).decode()}
        self._store.update("", "secrets", namespace, made)
        name: str = made["metadata"]["name"]
        return name
