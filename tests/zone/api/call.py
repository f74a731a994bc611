# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to the API, taken apart: which resource, which verb, what body."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..http.exchange import Exchange
from . import errors
from .authentication import User
from .kinds import BY_PATH, Resource

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
_BODIES = ["application/json", "application/yaml"]
_LARGEST = 3 * 1024 * 1024
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass
class Call:
    """A request for a resource, by somebody."""

    exchange: Exchange
    user: User
    verb: str
    resource: Resource
    namespace: str
    name: str
    subresource: str
    body: Any = None
    content_type: str = ""
    dry_run: bool = False
    warnings: list[str] = field(default_factory=list)

    @property
    def query(self) -> dict[str, str]:
        """The request's query."""
        return self.exchange.query

    @property
    def manager(self) -> str:
        """Who manages the fields that this request writes."""
        agent = self.exchange.headers.get("User-Agent").partition("/")[0]
        return self.query.get("fieldManager") or agent or "unknown"

    @property
    def rbac_resource(self) -> str:
        """The resource as roles name it."""
        return f"{self.resource.plural}/{self.subresource}" if self.subresource else self.resource.plural

    @property
    def rbac_namespace(self) -> str:
        """Where the right is looked for: a namespace's own rights decide about it."""
        if self.resource.plural in ("namespaces", "projects") and self.name:
            return self.name
        return self.namespace


def read_call(exchange: Exchange, user: User) -> Call | None:
    """Return the call that a request is, without its body, or None when the path is no resource's."""
    parts = exchange.path.strip("/").split("/")
    if parts[:2] == ["api", "v1"]:
        group, version, rest = "", "v1", parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest and rest[0] == "namespaces" and len(rest) > 2 and (group or rest[2] not in ("status", "finalize")):
        namespace, rest = rest[1], rest[2:]
    if not rest or len(rest) > 3 or not all(rest):
        return None
    resource = BY_PATH.get((group, version, rest[0]))
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    if resource is None or (subresource and subresource not in resource.subresources):
        return None
    if (namespace and not resource.namespaced) or (resource.namespaced and not namespace and name):
        return None
    verb = _verb(exchange, name)
    return Call(exchange, user, verb, resource, namespace, name, subresource)


def _verb(exchange: Exchange, name: str) -> str:
    if exchange.method in ("GET", "HEAD"):
        watch = exchange.query.get("watch") in ("true", "1")
        return "get" if name else "watch" if watch else "list"
    if exchange.method == "DELETE":
        return "delete" if name else "deletecollection"
    return _VERBS.get(exchange.method, exchange.method.lower())


def read_body(call: Call) -> None:
    """Read and parse the body; raises the 400 and 415 of an API server."""
    try:
        content = call.exchange.read(_LARGEST)
    except ValueError:
        raise errors.ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {_LARGEST}") from None
    dry_run = call.query.get("dryRun", "")
    if dry_run not in ("", "All"):
        raise errors.ApiError(
            422,
            "Invalid",
            f'{call.resource.kind}.meta.k8s.io "" is invalid: dryRun: Unsupported value: "{dry_run}"',
        )
    call.dry_run = dry_run == "All"
    call.content_type = call.exchange.headers.get("Content-Type").partition(";")[0].strip()
    if call.verb in ("create", "update"):
        _check_type(call, [*_BODIES, ""])
    elif call.verb == "patch":
        accepted = [JSON_PATCH, MERGE_PATCH, *([] if call.resource.custom else [STRATEGIC_PATCH]), APPLY_PATCH]
        _check_type(call, accepted)
    call.body = _parsed(content, call.content_type) if content else None
    if call.verb in ("create", "update", "patch") and call.body is None:
        raise errors.bad_request("the body of the request was empty")
    if isinstance(call.body, dict) and call.verb.startswith("delete") and call.body.get("dryRun"):
        call.dry_run = call.body["dryRun"] == ["All"]


def _check_type(call: Call, accepted: list[str]) -> None:
    if call.content_type not in accepted:
        raise errors.unsupported_media_type([kind for kind in accepted if kind])


def _parsed(content: bytes, content_type: str) -> Any:
    try:
        if content_type in ("application/yaml", APPLY_PATCH):
            return yaml.safe_load(content)
        return json.loads(content)
    except (ValueError, yaml.YAMLError) as error:
        raise errors.bad_request(f"the body of the request cannot be read: {error}") from None
