# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: roles and bindings, evaluated as Kubernetes' RBAC authorizer does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .authentication import User
from .roles import Rule
from .store import Store

GROUP = "rbac.authorization.k8s.io"


class Rbac:
    """Decides on the objects in the store, so that a binding acts at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def allowed(self, user: User, verb: str, group: str, resource: str, namespace: str = "", name: str = "") -> bool:
        """Tell whether a user may; ``resource`` with its subresource, as in ``imagestreams/layers``."""
        if "system:masters" in user.groups:
            return True
        return any(_permits(rule, verb, group, resource, name) for rule in self.rules(user, namespace))

    def rules(self, user: User, namespace: str = "") -> Iterator[Rule]:
        """Yield every rule that a user has, cluster-wide and in a namespace; not copied."""
        for binding in self._store.seen(GROUP, "clusterrolebindings"):
            if _binds(binding, user, ""):
                yield from self.role_rules(binding["roleRef"], "")
        if namespace:
            for binding in self._store.seen(GROUP, "rolebindings", namespace):
                if _binds(binding, user, namespace):
                    yield from self.role_rules(binding["roleRef"], namespace)

    def role_rules(self, reference: dict[str, Any], namespace: str) -> list[Rule]:
        """Return the rules of a referenced role, not copied; none when it does not exist."""
        if reference["kind"] == "ClusterRole":
            role = self._store.seen_one(GROUP, "clusterroles", "", reference["name"])
        else:
            role = self._store.seen_one(GROUP, "roles", namespace, reference["name"])
        rules: list[Rule] = role.get("rules") or [] if role else []
        return rules

    def missing(self, user: User, rules: list[Rule], namespace: str) -> list[Rule]:
        """Return those of the rules that a user does not have, broken down to single permissions (escalation check)."""
        if "system:masters" in user.groups:
            return []
        lacking = []
        held = list(self.rules(user, namespace))
        for rule in rules:
            for group in rule.get("apiGroups", []):
                for resource in rule.get("resources", []):
                    for verb in rule.get("verbs", []):
                        names = rule.get("resourceNames") or [""]
                        if not all(any(_permits(one, verb, group, resource, name) for one in held) for name in names):
                            lacking.append({"apiGroups": [group], "resources": [resource], "verbs": [verb]})
        return lacking


def _binds(binding: dict[str, Any], user: User, namespace: str) -> bool:
    for subject in binding.get("subjects") or []:
        kind, name = subject.get("kind"), subject.get("name")
        if kind == "User" and name == user.name:
            return True
        if kind == "Group" and name in user.groups:
            return True
        if kind == "ServiceAccount":
            where = subject.get("namespace") or namespace
            if user.name == f"system:serviceaccount:{where}:{name}":
                return True
    return False


def _permits(rule: Rule, verb: str, group: str, resource: str, name: str) -> bool:
    if not _has(rule.get("verbs", []), verb) or not _has(rule.get("apiGroups", []), group):
        return False
    resources = rule.get("resources", [])
    subresource = resource.partition("/")[2]
    if not _has(resources, resource) and not (subresource and f"*/{subresource}" in resources):
        return False
    names = rule.get("resourceNames")
    return not names or name in names


def _has(values: list[str], value: str) -> bool:
    return "*" in values or value in values
