# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is special about single kinds: defaults, admission, what follows from a change."""

from __future__ import annotations

import base64
import threading

from ..settings import Settings
from . import errors
from .authentication import Authentication
from .call import Call
from .controllers import furnish_namespace
from .image_streams import ImageStreams
from .kinds import IMAGE, RBAC, Resource
from .quota import Quota
from .rbac import Rbac
from .store import Object, Store, is_terminating, timestamp


class Hooks:
    """What is special about a kind, called by Resources."""

    def __init__(
        self,
        store: Store,
        rbac: Rbac,
        streams: ImageStreams,
        quota: Quota,
        authentication: Authentication,
        settings: Settings,
    ) -> None:
        self._store, self._rbac, self._streams, self._settings = store, rbac, streams, settings
        self._quota, self._authentication = quota, authentication

    def convert(self, resource: Resource, item: Object) -> None:
        """Bring what is written for people into the stored form."""
        if resource.plural == "secrets" and "stringData" in item:
            plain = item.pop("stringData") or {}
            encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
            item["data"] = (item.get("data") or {}) | encoded
        if "roleRef" in resource.fields and isinstance(item.get("roleRef"), dict):
            item["roleRef"].setdefault("apiGroup", RBAC)

    def before_create(self, call: Call, item: Object) -> None:
        """Fill in defaults of a new object."""
        self.convert(call.resource, item)
        if call.resource.plural == "secrets":
            item.setdefault("type", "Opaque")
        if call.resource.plural == "namespaces":
            item.setdefault("spec", {"finalizers": ["kubernetes"]})
            item["status"] = {"phase": "Active"}
        if call.resource.plural == "pods":
            item.setdefault("status", {"phase": "Pending"})

    def before_update(self, call: Call, item: Object, old: Object) -> None:
        """Do what a change of an object brings with it."""
        self.convert(call.resource, item)
        if call.resource.group == RBAC:
            self._no_escalation(call, item)
        if call.resource.plural == "secrets" and old.get("immutable") and item.get("data") != old.get("data"):
            causes = [("data", "FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set")]
            raise errors.invalid("Secret", "", call.name, causes)
        if call.resource.plural == "imagestreams" and call.subresource != "status":
            before = {entry["name"]: entry for entry in (old.get("spec") or {}).get("tags") or []}
            self._streams.prepared(call.namespace, item)
            self._streams.follow(call.namespace, item, before)

    def admit(self, call: Call, item: Object) -> None:
        """Raise the refusal of a new object that rights or quota forbid."""
        resource = call.resource
        if resource.group == RBAC:
            self._no_escalation(call, item)
        if resource.namespaced and (why := self._quota.exceeded(call.namespace, resource.group, resource.plural)):
            raise errors.forbidden(resource.plural, resource.group, item["metadata"]["name"], why)
        if resource.plural == "imagestreams":
            item.pop("status", None)
            item["metadata"]["namespace"] = call.namespace
            self._streams.prepared(call.namespace, item)
            if (item["spec"] or {}).get("tags"):
                item["metadata"]["generation"] = 0
                self._streams.follow(call.namespace, item, {})

    def created(self, call: Call, item: Object) -> None:
        """Do what a new object brings with it."""
        if call.resource.plural == "namespaces":
            furnish_namespace(self._store, item["metadata"]["name"])

    def deleted(self, call: Call, item: Object) -> None:
        """Do what the end of an object brings with it."""
        if call.resource.plural == "namespaces":
            self.empty_namespace(item["metadata"]["name"])
        if call.resource.plural == "oauthaccesstokens":
            self._authentication.revoke_all_of(item["metadata"]["name"])

    def terminate(self, namespace: Object) -> Object | None:
        """Begin to delete a namespace and return it; None where that is done at once.

        Its rights stay to the end, so that those who have them meet what a Terminating namespace answers.
        """
        name = namespace["metadata"]["name"]
        if is_terminating(namespace):
            why = (
                "The system is ensuring all content is removed from this namespace.  Upon completion, this namespace "
                "will automatically be purged by the system."
            )
            raise errors.conflict("namespaces", "", name, why)
        if not self._settings.terminating_seconds:
            return None
        namespace["metadata"] |= {"deletionTimestamp": timestamp(), "deletionGracePeriodSeconds": 0}
        namespace["status"] = {"phase": "Terminating"}
        kept = self._store.update("", "namespaces", "", namespace)
        self.empty_namespace(name, but=RBAC)
        timer = threading.Timer(self._settings.terminating_seconds, self._purge, [name])
        timer.daemon = True
        timer.start()
        return kept

    def _purge(self, name: str) -> None:
        with self._store.lock:
            self._store.delete("", "namespaces", "", name)
            self.empty_namespace(name)

    def empty_namespace(self, name: str, but: str | None = None) -> None:
        """Remove everything in a namespace, but for the objects of one API group."""
        for group, plural, namespace, item_name in self._store.keys_in(name):
            if group != but:
                self._store.delete(group, plural, namespace, item_name)

    def shown(self, resource: Resource, item: Object) -> Object:
        """Return an object as it is read."""
        if resource.plural == "resourcequotas" and item["metadata"].get("namespace"):
            return self._quota.with_usage(item)
        if resource.group == IMAGE and resource.plural == "imagestreams" and item.get("status") is None:
            return {**item, "status": {}}
        return item

    def _no_escalation(self, call: Call, item: Object) -> None:
        """Refuse to grant what one does not have, unless one may ``bind`` or ``escalate``."""
        user, namespace = call.user, call.namespace
        if "roleRef" in call.resource.fields:
            reference = item.get("roleRef") or {}
            plural = "clusterroles" if reference.get("kind") == "ClusterRole" else "roles"
            name = str(reference.get("name", ""))
            if not name or self._rbac.allowed(user, "bind", RBAC, plural, namespace, name):
                return
            where = "" if plural == "clusterroles" else namespace
            if self._store.get(RBAC, plural, where, name) is None:
                raise errors.not_found(plural, RBAC, name)
            rules = self._rbac.role_rules(reference, namespace)
        else:
            name = item["metadata"].get("name", "")
            if self._rbac.allowed(user, "escalate", RBAC, call.resource.plural, namespace, name):
                return
            rules = item.get("rules") or []
        if lacking := self._rbac.missing(user, rules, namespace):
            granted = "\n".join(
                "{" + ", ".join(f"{key[:1].upper() + key[1:]}:{value}" for key, value in rule.items()) + "}"
                for rule in lacking
            ).replace("ApiGroups", "APIGroups")
            why = (
                f'user "{user.name}" (groups={list(user.groups)}) is attempting to grant RBAC permissions not '
                f"currently held:\n{granted}"
            )
            raise errors.forbidden(call.resource.plural, RBAC, item["metadata"].get("name", ""), why)
