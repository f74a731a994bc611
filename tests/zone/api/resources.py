# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all stored objects have in common: list, get, create, update, patch, apply, delete."""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import Any

from ..settings import Settings
from . import errors
from .apply import ApplyConflict, apply, note_update
from .call import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, Call
from .hooks import Hooks
from .patch import BadPatch, json_patch, merge_patch, strategic_merge_patch
from .selectors import matches_fields, matches_labels
from .store import Object, Store, is_terminating, timestamp
from .validation import check_identity, check_object, unknown_fields

Answer = tuple[int, Object]


class Resources:
    """Objects in the store; what is special about a kind is in the hooks."""

    def __init__(self, store: Store, hooks: Hooks, settings: Settings) -> None:
        self._store, self._hooks, self._settings = store, hooks, settings

    def answer(self, call: Call) -> Answer:
        """Do what a call asks and return status and document; raises ApiError."""
        with self._store.lock:
            if call.verb == "create":
                return self._create(call)
            if call.verb == "list":
                return 200, self.listed(call, self._items(call))
            if call.verb == "deletecollection":
                found = self._items(call)
                for item in found:
                    self._remove(call, item)
                return 200, self.listed(call, found)
            if call.verb == "patch" and call.content_type == APPLY_PATCH:
                return self._apply(call)
            item = self._existing(call)
            if call.verb == "get":
                return 200, self._hooks.shown(call.resource, item)
            if call.verb == "delete":
                return self._delete(call, item)
            return self._change(call, item)

    def listed(self, call: Call, items: list[Object]) -> Object:
        """Return a list document of those objects that the selectors and the page want."""
        try:
            found = [
                item
                for item in items
                if matches_labels(item, call.query.get("labelSelector", ""))
                and matches_fields(item, call.query.get("fieldSelector", ""))
            ]
        except ValueError as error:
            raise errors.bad_request(str(error)) from None
        metadata: Object = {"resourceVersion": self._store.version}
        start = self._start(call.query.get("continue", ""))
        limit = int(call.query.get("limit") or 0)
        if limit and start + limit < len(found):
            metadata["continue"] = _continue_token(start + limit, time.time())
            metadata["remainingItemCount"] = len(found) - start - limit
        page = found[start : start + limit] if limit else found[start:]
        # Elements of a list carry no kind of their own, as in Kubernetes.
        bare = [{name: value for name, value in item.items() if name not in ("kind", "apiVersion")} for item in page]
        kind = f"{call.resource.kind}List"
        return {"kind": kind, "apiVersion": call.resource.api_version, "metadata": metadata, "items": bare}

    def _start(self, token: str) -> int:
        """Return where a ``continue`` goes on; raises the 410 of one that is too old."""
        if not token:
            return 0
        try:
            known = json.loads(base64.urlsafe_b64decode(token))
            start, made = int(known["start"]), known["made"]
        except (ValueError, KeyError, TypeError) as error:
            raise errors.bad_continue(str(error)) from None
        lives = self._settings.continue_seconds
        if lives is not None and made is not None and time.time() - made >= lives:
            raise errors.expired(_continue_token(start, None))
        return start

    def _items(self, call: Call) -> list[Object]:
        items = self._store.items(call.resource.group, call.resource.plural, call.namespace)
        return [self._hooks.shown(call.resource, item) for item in items]

    def _existing(self, call: Call) -> Object:
        resource = call.resource
        item = self._store.get(resource.group, resource.plural, call.namespace, call.name)
        if item is None:
            raise errors.not_found(resource.plural, resource.group, call.name)
        return item

    def _create(self, call: Call) -> Answer:
        resource = call.resource
        check_identity(resource, call.body, call.namespace, call.name)
        metadata = call.body["metadata"]
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + secrets.token_hex(3)[:5]
        if metadata.get("resourceVersion"):
            raise errors.bad_request("resourceVersion should not be set on objects to be created")
        metadata.pop("managedFields", None)
        self._fields(call)
        item: Object = call.body
        self._hooks.before_create(call, item)
        check_object(resource, item, None)
        item = note_update({**item, "metadata": {}}, item, call.manager)
        return 201, self._added(call, item)

    def _added(self, call: Call, item: Object) -> Object:
        resource = call.resource
        name = item["metadata"]["name"]
        namespace = self._store.get("", "namespaces", "", call.namespace) if resource.namespaced else None
        if resource.namespaced and namespace is None:
            raise errors.not_found("namespaces", "", call.namespace)
        if self._store.get(resource.group, resource.plural, call.namespace, name) is not None:
            raise errors.already_exists(resource.plural, resource.group, name)
        if namespace is not None and is_terminating(namespace):
            raise errors.terminating(resource.plural, resource.group, name, call.namespace)
        self._hooks.admit(call, item)
        if "spec" in resource.fields and resource.kind not in ("Namespace", "Pod", "ResourceQuota", "LimitRange"):
            item["metadata"].setdefault("generation", 1)
        if call.dry_run:
            item["metadata"] |= {"uid": "00000000-0000-0000-0000-000000000000", "creationTimestamp": timestamp()}
            return self._hooks.shown(resource, item)
        made = self._store.create(resource.group, resource.plural, call.namespace, item)
        self._hooks.created(call, made)
        return self._hooks.shown(resource, made)

    def _change(self, call: Call, old: Object) -> Answer:
        if call.verb == "update":
            check_identity(call.resource, call.body, call.namespace, call.name)
            item: Object = call.body
        else:
            item = self._patched(call, old)
            check_identity(call.resource, item, call.namespace, call.name)
        call.body = item
        self._fields(call)
        version = item["metadata"].get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            raise errors.conflict(call.resource.plural, call.resource.group, call.name)
        self._keep_server_fields(call, item, old)
        return 200, self._changed(call, old, item, note=True)

    def _patched(self, call: Call, old: Object) -> Object:
        try:
            if call.content_type == JSON_PATCH:
                item = json_patch(old, call.body)
            elif call.content_type == MERGE_PATCH or call.resource.custom:
                item = merge_patch(old, call.body)
            else:
                item = strategic_merge_patch(old, call.body)
        except BadPatch as error:
            kind = call.resource
            raise errors.invalid(kind.kind, kind.group, call.name, [("", "Invalid", str(error))]) from None
        result: Object = item
        return result

    def _apply(self, call: Call) -> Answer:
        if not call.query.get("fieldManager"):
            text = 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
            raise errors.bad_request(text)
        check_identity(call.resource, call.body, call.namespace, call.name)
        if call.body["metadata"].get("managedFields"):
            raise errors.bad_request("metadata.managedFields must be nil")
        self._fields(call)
        resource, wanted = call.resource, call.body
        self._hooks.convert(call.resource, wanted)
        old = self._store.get(resource.group, resource.plural, call.namespace, call.name)
        if old is None:
            self._hooks.before_create(call, wanted)
            check_object(resource, wanted, None)
            item = apply({**wanted, "metadata": {**wanted["metadata"]}}, wanted, call.manager, force=True)
            return 201, self._added(call, item)
        try:
            item = apply(old, wanted, call.manager, force=call.query.get("force") == "true")
        except ApplyConflict as conflict:
            raise _apply_conflict(conflict) from None
        return 200, self._changed(call, old, item, note=False)

    def _changed(self, call: Call, old: Object, item: Object, *, note: bool) -> Object:
        resource = call.resource
        self._hooks.before_update(call, item, old)
        check_object(resource, item, old)
        if note:
            item = note_update(old, item, call.manager)
        if "generation" in old["metadata"] and item.get("spec") != old.get("spec") and resource.kind != "ImageStream":
            item["metadata"]["generation"] = old["metadata"]["generation"] + 1
        if call.dry_run:
            return self._hooks.shown(resource, item)
        made = self._store.update(resource.group, resource.plural, call.namespace, item)
        return self._hooks.shown(resource, made)

    def _keep_server_fields(self, call: Call, item: Object, old: Object) -> None:
        """What a client cannot change stays: identity, and status, or everything but status for the subresource."""
        for field in ("uid", "creationTimestamp", "resourceVersion", "generation", "managedFields"):
            if field in old["metadata"]:
                item["metadata"][field] = old["metadata"][field]
            else:
                item["metadata"].pop(field, None)
        if "status" in call.resource.subresources or call.resource.kind == "Namespace":
            fixed = [name for name in old if name != "status"] if call.subresource == "status" else ["status"]
            for field in fixed:
                if field in old:
                    item[field] = old[field]
                else:
                    item.pop(field, None)

    def _fields(self, call: Call) -> None:
        strange = unknown_fields(call.resource, call.body)
        handling = call.query.get("fieldValidation", "Warn")
        if strange and handling == "Strict":
            text = ", ".join(f'unknown field "{field}"' for field in strange)
            raise errors.bad_request(
                f'{call.resource.kind} in version "{call.resource.version}" cannot be handled as a '
                f"{call.resource.kind}: strict decoding error: {text}"
            )
        if handling == "Warn":
            call.warnings += [f'unknown field "{field}"' for field in strange]

    def _delete(self, call: Call, item: Object) -> Answer:
        wanted = (call.body or {}).get("preconditions") or {}
        for field in ("uid", "resourceVersion"):
            if wanted.get(field) and wanted[field] != item["metadata"][field]:
                why = f"Precondition failed: {field} in precondition: {wanted[field]}, {field} in object meta: "
                why += str(item["metadata"][field])
                raise errors.conflict(call.resource.plural, call.resource.group, call.name, why)
        if call.resource.plural == "namespaces" and not call.dry_run and (kept := self._hooks.terminate(item)):
            return 200, kept
        self._remove(call, item)
        details = {"name": call.name} | ({"group": call.resource.group} if call.resource.group else {})
        details |= {"kind": call.resource.plural, "uid": item["metadata"]["uid"]}
        return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

    def _remove(self, call: Call, item: Object) -> None:
        if not call.dry_run:
            namespace = item["metadata"].get("namespace", "")
            self._store.delete(call.resource.group, call.resource.plural, namespace, item["metadata"]["name"])
            self._hooks.deleted(call, item)


def _continue_token(start: int, made: float | None) -> str:
    """Return where a list goes on; one that was not made at a time never expires."""
    return base64.urlsafe_b64encode(json.dumps({"v": "meta.k8s.io/v1", "start": start, "made": made}).encode()).decode()


def _apply_conflict(conflict: ApplyConflict) -> errors.ApiError:
    causes: list[dict[str, Any]] = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{owner}"', "field": "." + ".".join(path)}
        for owner, path in conflict.conflicts
    ]
    text = ", ".join(f'conflict with "{owner}": .{".".join(path)}' for owner, path in conflict.conflicts)
    count = len(causes)
    message = f"Apply failed with {count} conflict{'s' if count > 1 else ''}: {text}"
    return errors.ApiError(409, "Conflict", message, {"causes": causes})
