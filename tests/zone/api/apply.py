# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-side apply: each manager owns the fields it applied; pure."""

from __future__ import annotations

import copy
from typing import Any

Path = tuple[str, ...]
_IDENTITY = (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"))
_MANAGED_BY_SERVER = ("managedFields", "uid", "resourceVersion", "creationTimestamp", "generation", "selfLink")


class ApplyConflict(Exception):
    """Fields that somebody else manages would change."""

    def __init__(self, conflicts: list[tuple[str, Path]]) -> None:
        super().__init__("conflicts")
        self.conflicts = conflicts


def leaves(value: Any, prefix: Path = ()) -> dict[Path, Any]:
    """Return every field of an object with its value; lists count as a whole."""
    if isinstance(value, dict) and (value or not prefix):
        found: dict[Path, Any] = {}
        for name, inner in value.items():
            if prefix == ("metadata",) and name in _MANAGED_BY_SERVER:
                continue
            found |= leaves(inner, (*prefix, name))
        return found
    return {prefix: value}


def apply(live: dict[str, Any], wanted: dict[str, Any], manager: str, *, force: bool) -> dict[str, Any]:
    """Return the object after an apply; raises ApplyConflict unless forced."""
    owners = read_owners(live)
    mine_before = owners.pop((manager, "Apply"), set())
    before, after = leaves(live), leaves(wanted)
    fields = {path for path in after if path not in _IDENTITY}
    conflicts = sorted(
        (owner, path)
        for (owner, _ignored), paths in owners.items()
        for path in paths & fields
        if before.get(path) != after[path]
    )
    if conflicts and not force:
        raise ApplyConflict(conflicts)
    result = copy.deepcopy(live)
    owned_by_others = set().union(*owners.values()) if owners else set()
    for path in mine_before - fields:
        if path not in owned_by_others:
            _remove(result, path)
    for path in fields:
        _set(result, path, copy.deepcopy(after[path]))
    taken = {path for _ignored, path in conflicts}
    owners = {owner: paths - taken for owner, paths in owners.items()}
    owners[(manager, "Apply")] = fields
    return with_owners(result, owners)


def note_update(before: dict[str, Any], after: dict[str, Any], manager: str) -> dict[str, Any]:
    """Return the object with its changed fields given to the manager that changed them."""
    old, new = leaves(before), leaves(after)
    changed = {path for path, value in new.items() if old.get(path) != value and path not in _IDENTITY}
    owners = {owner: {path for path in paths if path in new} - changed for owner, paths in read_owners(before).items()}
    owners.setdefault((manager, "Update"), set()).update(changed)
    return with_owners(after, owners)


def read_owners(item: dict[str, Any]) -> dict[tuple[str, str], set[Path]]:
    """Return (manager, operation) → fields from metadata.managedFields."""
    return {
        (entry["manager"], entry["operation"]): set(_from_fields(entry.get("fieldsV1") or {}))
        for entry in item["metadata"].get("managedFields") or []
    }


def with_owners(item: dict[str, Any], owners: dict[tuple[str, str], set[Path]]) -> dict[str, Any]:
    """Return the object with these managedFields."""
    item = {**item, "metadata": {**item["metadata"]}}
    item["metadata"]["managedFields"] = [
        {
            "manager": manager,
            "operation": operation,
            "apiVersion": item["apiVersion"],
            "fieldsType": "FieldsV1",
            "fieldsV1": _to_fields(paths),
        }
        for (manager, operation), paths in sorted(owners.items())
        if paths
    ]
    return item


def _to_fields(paths: set[Path]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for path in sorted(paths):
        inner = fields
        for part in path:
            inner = inner.setdefault(f"f:{part}", {})
    return fields


def _from_fields(fields: dict[str, Any], prefix: Path = ()) -> list[Path]:
    if not fields:
        return [prefix] if prefix else []
    return [path for name, inner in fields.items() for path in _from_fields(inner, (*prefix, name[2:]))]


def _set(item: dict[str, Any], path: Path, value: Any) -> None:
    for part in path[:-1]:
        if not isinstance(item.get(part), dict):
            item[part] = {}
        item = item[part]
    if value == {} and isinstance(item.get(path[-1]), dict):
        return  # an empty map says nothing about what is in it
    item[path[-1]] = value


def _remove(item: dict[str, Any], path: Path) -> None:
    for part in path[:-1]:
        item = item.get(part) or {}
    item.pop(path[-1], None)
