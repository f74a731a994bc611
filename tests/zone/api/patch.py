# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches of API objects: JSON patch (RFC 6902), merge patch (RFC 7386), strategic merge patch; pure."""

from __future__ import annotations

import copy
from typing import Any

import jsonpatch

# Lists that a strategic merge patch merges by a key instead of replacing them (Kubernetes' patchMergeKey).
_MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "imagePullSecrets": "name",
    "secrets": "name",
    "ownerReferences": "uid",
    "tags": "name",
}
_PLAIN_MERGED = ("finalizers",)


class BadPatch(Exception):
    """The patch cannot be applied; the text says why."""


def merge_patch(target: Any, patch: Any) -> Any:
    """Return the target after a JSON merge patch."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


def strategic_merge_patch(target: Any, patch: Any) -> Any:
    """Return the target after a strategic merge patch."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if name.startswith(("$setElementOrder/", "$retainKeys")):
            continue
        if name.startswith("$deleteFromPrimitiveList/"):
            field = name.partition("/")[2]
            result[field] = [entry for entry in result.get(field) or [] if entry not in value]
        elif value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            result.pop(name, None)
        elif isinstance(value, list):
            result[name] = _merged_list(name, result.get(name) or [], value)
        else:
            result[name] = strategic_merge_patch(result.get(name), value)
    return result


def json_patch(target: Any, operations: Any) -> Any:
    """Return the target after a JSON patch; raises BadPatch."""
    try:
        return jsonpatch.JsonPatch(operations).apply(target)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise BadPatch(str(error)) from None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        # Operations of other types reach jsonpatch's own look-ups.
        raise BadPatch(f"the patch cannot be applied: {error!r}") from None


def _merged_list(name: str, target: list[Any], patch: list[Any]) -> list[Any]:
    key = _MERGE_KEYS.get(name)
    if name in _PLAIN_MERGED:
        return [*target, *(entry for entry in patch if entry not in target)]
    if key is None or not all(isinstance(entry, dict) for entry in [*target, *patch]):
        return copy.deepcopy(patch)
    if any(entry.get("$patch") == "replace" for entry in patch):
        return [entry for entry in patch if "$patch" not in entry]
    result = list(target)
    for entry in patch:
        if key not in entry:
            raise BadPatch(f"map: {entry} does not contain declared merge key: {key}")
        at = next((index for index, known in enumerate(result) if known.get(key) == entry[key]), None)
        if entry.get("$patch") == "delete":
            if at is not None:
                del result[at]
        elif at is None:
            result.append(copy.deepcopy(entry))
        else:
            result[at] = strategic_merge_patch(result[at], entry)
    return result
