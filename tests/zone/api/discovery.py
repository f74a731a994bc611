# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client asks to learn what an API serves: versions, groups, resources, and just enough OpenAPI for kubectl."""

from __future__ import annotations

from typing import Any

from .kinds import RESOURCES, Resource, groups

_VERSION = {
    "major": "1",
    "minor": "31",
    "gitVersion": "v1.31.8",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "go1.22.12",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_SUBRESOURCE_KINDS = {"token": ("authentication.k8s.io", "v1", "TokenRequest"), "layers": ("", "", "ImageStreamLayers")}


def discovery(path: str, host: str) -> dict[str, Any] | None:
    """Return the document of a discovery path, or None when it is none."""
    if path == "/version":
        return _VERSION
    if path == "/api":
        return {
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}],
        }
    if path == "/apis":
        return {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [_group(name, version) for name, version in groups().items()],
        }
    if path == "/openapi/v3":
        paths = {_prefix(group, version).lstrip("/"): version for group, version in [("", "v1"), *groups().items()]}
        return {"paths": {prefix: {"serverRelativeURL": f"/openapi/v3/{prefix}?hash=0"} for prefix in paths}}
    if path.startswith("/openapi/v3/"):
        return _openapi(path.removeprefix("/openapi/v3"))
    parts = path.strip("/").split("/")
    if parts == ["api", "v1"]:
        return _resources("", "v1")
    if parts[0] == "apis" and len(parts) == 2 and parts[1] in groups():
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1], groups()[parts[1]])}
    if parts[0] == "apis" and len(parts) == 3 and groups().get(parts[1]) == parts[2]:
        return _resources(parts[1], parts[2])
    return None


def _prefix(group: str, version: str) -> str:
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


def _group(name: str, version: str) -> dict[str, Any]:
    preferred = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [preferred], "preferredVersion": preferred}


def _resources(group: str, version: str) -> dict[str, Any]:
    rows = []
    for resource in RESOURCES:
        if (resource.group, resource.version) == (group, version):
            rows.append(_row(resource))
            rows += [_subrow(resource, subresource) for subresource in resource.subresources]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": rows,
    }


def _row(resource: Resource) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    return row | ({"shortNames": list(resource.short_names)} if resource.short_names else {})


def _subrow(resource: Resource, subresource: str) -> dict[str, Any]:
    group, version, kind = _SUBRESOURCE_KINDS.get(subresource, ("", "", resource.kind))
    verbs = {"token": ["create"], "layers": ["get"], "secrets": ["get"]}.get(subresource, ["get", "patch", "update"])
    row: dict[str, Any] = {
        "name": f"{resource.plural}/{subresource}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": kind,
        "verbs": verbs,
    }
    return row | ({"group": group, "version": version} if group else {})


def _openapi(prefix: str) -> dict[str, Any] | None:
    """Return an OpenAPI document that says of each kind only that the server validates fields itself."""
    mine = [resource for resource in RESOURCES if _prefix(resource.group, resource.version) == prefix]
    if not mine:
        return None
    paths, schemas = {}, {}
    for resource in mine:
        of_kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
        where = "/namespaces/{namespace}" if resource.namespaced else ""
        parameters = [
            {"name": name, "in": "query", "schema": {"type": "string"}}
            for name in ("dryRun", "fieldManager", "fieldValidation")
        ]
        operation = {"parameters": parameters, "responses": {}, "x-kubernetes-group-version-kind": of_kind}
        paths[f"{prefix}{where}/{resource.plural}/{{name}}"] = {
            "patch": {**operation, "x-kubernetes-action": "patch"},
        }
        schemas[f"{resource.group or 'core'}.{resource.version}.{resource.kind}"] = {
            "type": "object",
            "x-kubernetes-group-version-kind": [of_kind],
        }
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.31.8"},
        "paths": paths,
        "components": {"schemas": schemas},
    }
