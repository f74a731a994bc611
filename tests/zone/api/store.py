# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a zone's API: kept in memory with resource versions, and their events for watchers."""

from __future__ import annotations

import copy
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]
Key = tuple[str, str, str, str]  # group, plural, namespace ("" for cluster-scoped), name
_KEPT_EVENTS = 2000


def timestamp(seconds: float | None = None) -> str:
    """Return a time as the API writes it (RFC 3339, whole seconds, UTC)."""
    return datetime.fromtimestamp(time.time() if seconds is None else seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_terminating(namespace: Object) -> bool:
    """Tell whether a namespace is being deleted."""
    return bool(namespace["metadata"].get("deletionTimestamp"))


class Store:
    """All objects. What comes out is a copy; what goes in is copied. ``lock`` holds several steps together."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self._objects: dict[Key, Object] = {}
        self._kinds: dict[tuple[str, str], dict[Key, Object]] = {}
        self._version = 1000
        self._events: list[tuple[int, str, Key, Object]] = []
        self._listeners: list[Callable[[str, Key, Object], None]] = []

    @property
    def version(self) -> str:
        """The resource version of the last change."""
        return str(self._version)

    def listen(self, listener: Callable[[str, Key, Object], None]) -> None:
        """Call a controller after each change with ADDED, MODIFIED or DELETED; it must not block."""
        self._listeners.append(listener)

    def get(self, group: str, plural: str, namespace: str, name: str) -> Object | None:
        """Return one object, or None."""
        return copy.deepcopy(self.seen_one(group, plural, namespace, name))

    def seen_one(self, group: str, plural: str, namespace: str, name: str) -> Object | None:
        """Return what ``get`` returns, not copied: for who only reads."""
        with self.lock:
            return self._objects.get((group, plural, namespace, name))

    def items(self, group: str, plural: str, namespace: str = "") -> list[Object]:
        """Return the objects of a kind by name, of one namespace or of all."""
        with self.lock:
            return copy.deepcopy(self.seen(group, plural, namespace))

    def seen(self, group: str, plural: str, namespace: str = "") -> list[Object]:
        """Return what ``items`` returns, not copied: for who only reads."""
        with self.lock:
            kept = self._kinds.get((group, plural), {})
            return [kept[key] for key in sorted(kept) if not namespace or key[2] == namespace]

    def create(self, group: str, plural: str, namespace: str, item: Object) -> Object:
        """Add an object; the caller has made sure that there is none of its name."""
        with self.lock:
            item = copy.deepcopy(item)
            metadata = item["metadata"]
            metadata.update(uid=str(uuid.uuid4()), creationTimestamp=timestamp())
            metadata.pop("deletionTimestamp", None)
            if namespace:
                metadata["namespace"] = namespace
            return self._keep("ADDED", (group, plural, namespace, metadata["name"]), item)

    def update(self, group: str, plural: str, namespace: str, item: Object) -> Object:
        """Replace an object; the same content keeps its resource version, as in Kubernetes."""
        with self.lock:
            key = (group, plural, namespace, item["metadata"]["name"])
            item = copy.deepcopy(item)
            known = self._objects[key]
            item["metadata"]["resourceVersion"] = known["metadata"]["resourceVersion"]
            if _without_manager_times(item) == _without_manager_times(known):
                return copy.deepcopy(known)
            return self._keep("MODIFIED", key, item)

    def delete(self, group: str, plural: str, namespace: str, name: str) -> Object | None:
        """Remove an object and return what it was."""
        with self.lock:
            key = (group, plural, namespace, name)
            known = self._objects.pop(key, None)
            self._kinds.get(key[:2], {}).pop(key, None)
            if known is not None:
                self._version += 1
                self._note("DELETED", key, known)
            return known

    def keys_in(self, namespace: str) -> list[Key]:
        """Return the keys of everything in a namespace."""
        with self.lock:
            return [key for key in self._objects if key[2] == namespace]

    def events_since(self, version: int, seconds: float) -> list[tuple[int, str, Key, Object]]:
        """Return the changes after a resource version, waiting for the first up to some seconds."""
        with self.changed:
            self.changed.wait_for(lambda: self._version > version, seconds)
            return [(at, kind, key, copy.deepcopy(item)) for at, kind, key, item in self._events if at > version]

    def _keep(self, event: str, key: Key, item: Object) -> Object:
        self._version += 1
        item["metadata"]["resourceVersion"] = str(self._version)
        self._objects[key] = self._kinds.setdefault(key[:2], {})[key] = item
        self._note(event, key, item)
        return copy.deepcopy(item)

    def _note(self, event: str, key: Key, item: Object) -> None:
        self._events.append((self._version, event, key, copy.deepcopy(item)))
        del self._events[:-_KEPT_EVENTS]
        self.changed.notify_all()
        for listener in self._listeners:
            listener(event, key, copy.deepcopy(item))


def _without_manager_times(item: Object) -> Object:
    managers = item["metadata"].get("managedFields")
    if not managers:
        return item
    kept = [{name: value for name, value in manager.items() if name != "time"} for manager in managers]
    return {**item, "metadata": {**item["metadata"], "managedFields": kept}}
