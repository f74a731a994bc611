# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an API server refuses: bodies of another kind, bad names, missing and immutable fields; pure."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from . import errors
from .kinds import RBAC, Resource

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_STREAM = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
TOKEN_SECRET = "kubernetes.io/service-account-token"
ACCOUNT_NAME = "kubernetes.io/service-account.name"
_SECRET_KEYS = {
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_Causes = list[tuple[str, str, str]]


def check_identity(resource: Resource, body: Any, namespace: str, name: str) -> None:
    """Raise the 400 of a body that is not an object of this kind, name and namespace."""
    if not isinstance(body, dict):
        raise errors.bad_request("the body of the request is no object")
    if not body.get("kind") or not body.get("apiVersion"):
        missing = "Kind" if not body.get("kind") else "apiVersion"
        raise errors.bad_request(f"Object '{missing}' is missing in the request body")
    if (body["kind"], body["apiVersion"]) != (resource.kind, resource.api_version):
        raise errors.bad_request(
            f"the API version in the data ({body['apiVersion']}) does not match the expected API version "
            f"({resource.api_version})"
            if body["apiVersion"] != resource.api_version
            else f"the object provided is unrecognized (must be of type {resource.kind}): got {body['kind']}"
        )
    metadata = body.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise errors.bad_request("metadata is no object")
    if namespace and metadata.setdefault("namespace", namespace) != namespace:
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if name and metadata.setdefault("name", name) != name:
        raise errors.bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
        )


def unknown_fields(resource: Resource, body: dict[str, Any]) -> list[str]:
    """Return the top-level fields that the kind does not have, and drop them as a server does."""
    known = {"apiVersion", "kind", "metadata", *resource.fields}
    strange = sorted(set(body) - known)
    for field in strange:
        del body[field]
    return strange


def check_object(resource: Resource, item: dict[str, Any], old: dict[str, Any] | None) -> None:
    """Raise the 422 of an object that the API server's validation refuses."""
    causes = _name(resource, item) if old is None else []
    for field in resource.required:
        if _missing(item, field):
            causes.append((field, "FieldValueRequired", "Required value"))
    for field in ("labels", "annotations"):
        for key, value in (item["metadata"].get(field) or {}).items():
            if not isinstance(value, str):
                raise errors.bad_request(
                    f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: json: '
                    f"cannot unmarshal {_json_type(value)} into Go struct field ObjectMeta.metadata.{field} of type "
                    f"string ({key})"
                )
    if resource.plural == "secrets":
        causes += _secret(item, old)
    if resource.group == RBAC:
        causes += _rbac(resource, item, old)
    if causes:
        raise errors.invalid(resource.kind, resource.group, item["metadata"].get("name", ""), causes)


def _name(resource: Resource, item: dict[str, Any]) -> _Causes:
    name = item["metadata"].get("name")
    if not name:
        return [("metadata.name", "FieldValueRequired", "Required value: name or generateName is required")]
    fits = {
        "label": (_LABEL.fullmatch(name) and len(name) < 64, _LABEL_TEXT),
        "subdomain": (_SUBDOMAIN.fullmatch(name) and len(name) < 254, _SUBDOMAIN_TEXT),
        "stream": (_STREAM.fullmatch(name), f"'{name}' must match {_STREAM.pattern}"),
        "path": (name not in (".", "..") and "/" not in name and "%" not in name, "may not contain '/' or '%'"),
    }[resource.name_pattern]
    return [] if fits[0] else [("metadata.name", "FieldValueInvalid", f'Invalid value: "{name}": {fits[1]}')]


def _secret(item: dict[str, Any], old: dict[str, Any] | None) -> _Causes:
    kind = item.get("type", "Opaque")
    if old is not None and kind != old.get("type", "Opaque"):
        return [("type", "FieldValueInvalid", f'Invalid value: "{kind}": field is immutable')]
    annotation = (item["metadata"].get("annotations") or {}).get(ACCOUNT_NAME)
    if kind == TOKEN_SECRET and not annotation:
        return [(f"metadata.annotations[{ACCOUNT_NAME}]", "FieldValueRequired", "Required value")]
    data = item.get("data") or {}
    for key, value in data.items():
        try:
            base64.b64decode(value, validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise errors.bad_request(
                'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0'
            ) from None
        del key
    lacking = [key for key in _SECRET_KEYS.get(kind, ()) if key not in data]
    return [(f"data[{key}]", "FieldValueRequired", "Required value") for key in lacking]


def _rbac(resource: Resource, item: dict[str, Any], old: dict[str, Any] | None) -> _Causes:
    if "roleRef" not in resource.fields:
        return []
    reference = item.get("roleRef") or {}
    if old is not None and reference != old.get("roleRef"):
        return [("roleRef", "FieldValueInvalid", f"Invalid value: {reference}: cannot change roleRef")]
    causes: _Causes = []
    kinds = ("ClusterRole",) if resource.kind == "ClusterRoleBinding" else ("Role", "ClusterRole")
    if reference.get("kind") and reference["kind"] not in kinds:
        text = f'Unsupported value: "{reference["kind"]}": supported values: {", ".join(kinds)}'
        causes.append(("roleRef.kind", "FieldValueNotSupported", text))
    for number, subject in enumerate(item.get("subjects") or []):
        place = f"subjects[{number}]"
        kind = subject.get("kind")
        if not subject.get("name"):
            causes.append((f"{place}.name", "FieldValueRequired", "Required value"))
        if kind not in ("User", "Group", "ServiceAccount"):
            causes.append((f"{place}.kind", "FieldValueNotSupported", f'Unsupported value: "{kind}"'))
        if kind == "ServiceAccount" and not subject.get("namespace"):
            causes.append((f"{place}.namespace", "FieldValueRequired", "Required value"))
        group = "" if kind == "ServiceAccount" else RBAC
        if subject.setdefault("apiGroup", group) != group:
            text = f'Unsupported value: "{subject["apiGroup"]}": supported values: "{group}"'
            causes.append((f"{place}.apiGroup", "FieldValueNotSupported", text))
        if not group:
            subject.pop("apiGroup")
    return causes


def _missing(item: Any, path: str) -> bool:
    for part in path.split("."):
        if not isinstance(item, dict) or not item.get(part):
            return True
        item = item[part]
    return False


def _json_type(value: Any) -> str:
    return {bool: "bool", int: "number", float: "number", dict: "object", list: "array"}.get(type(value), "value")
