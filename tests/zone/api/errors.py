# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals of the API, as Status objects in the words of a Kubernetes API server."""

from __future__ import annotations

from typing import Any

from .authentication import User


class ApiError(Exception):
    """An answer other than success."""

    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details
        self.metadata: dict[str, Any] = {}

    def status(self) -> dict[str, Any]:
        """Return the Status object."""
        document: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details is not None:
            document["details"] = self.details
        return document | {"code": self.code}


def qualified(plural: str, group: str) -> str:
    """Return a resource as messages name it: ``secrets``, ``imagestreams.image.openshift.io``."""
    return f"{plural}.{group}" if group else plural


def _details(plural: str, group: str, name: str) -> dict[str, Any]:
    return {"name": name} | ({"group": group} if group else {}) | {"kind": plural}


def not_found(plural: str, group: str, name: str) -> ApiError:
    """Return the 404 of an object."""
    return ApiError(404, "NotFound", f'{qualified(plural, group)} "{name}" not found', _details(plural, group, name))


def no_such_path() -> ApiError:
    """Return the 404 of a path that is no resource."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(plural: str, group: str, name: str) -> ApiError:
    """Return the 409 of an object that is there."""
    message = f'{qualified(plural, group)} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _details(plural, group, name))


def conflict(plural: str, group: str, name: str, why: str = "") -> ApiError:
    """Return the 409 of an object that changed meanwhile."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {qualified(plural, group)} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(plural, group, name))


def unauthorized() -> ApiError:
    """Return the 401."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden(plural: str, group: str, name: str, why: str) -> ApiError:
    """Return a 403 with this reason."""
    subject = f'{qualified(plural, group)} "{name}"' if name else qualified(plural, group)
    return ApiError(403, "Forbidden", f"{subject} is forbidden: {why}", _details(plural, group, name))


def terminating(plural: str, group: str, name: str, namespace: str) -> ApiError:
    """Return the 403 of a new object in a namespace that is being deleted."""
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    error = forbidden(plural, group, name, why)
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    error.details = {**(error.details or {}), "causes": [cause]}
    return error


def bad_continue(why: str) -> ApiError:
    """Return the 400 of a ``continue`` that was none."""
    return bad_request(f"continue key is not valid: {why}")


def expired(token: str) -> ApiError:
    """Return the 410 of a ``continue`` that is too old, with one that goes on inconsistently."""
    message = (
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
        "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up in the list."
    )
    error = ApiError(410, "Expired", message)
    error.metadata = {"continue": token}
    return error


def no_right(user: User, verb: str, plural: str, group: str, subresource: str, namespace: str, name: str) -> ApiError:
    """Return the 403 of the RBAC authorizer."""
    resource = f"{plural}/{subresource}" if subresource else plural
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    why = f'User "{user.name}" cannot {verb} resource "{resource}" in API group "{group}" {where}'
    return forbidden(plural, group, name, why)


def bad_request(message: str) -> ApiError:
    """Return the 400."""
    return ApiError(400, "BadRequest", message)


def method_not_allowed() -> ApiError:
    """Return the 405."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def unsupported_media_type(accepted: list[str]) -> ApiError:
    """Return the 415."""
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return ApiError(415, "UnsupportedMediaType", message)


def invalid(kind: str, group: str, name: str, causes: list[tuple[str, str, str]]) -> ApiError:
    """Return the 422 of (field, reason, message) causes; reason is FieldValueRequired, FieldValueInvalid, …"""
    parts = [f"{field}: {message}" for field, _ignored, message in causes]
    text = parts[0] if len(parts) == 1 else f"[{', '.join(parts)}]"
    title = f"{kind}.{group}" if group else kind
    details: dict[str, Any] = {"name": name} | ({"group": group} if group else {}) | {"kind": kind}
    details["causes"] = [{"reason": reason, "message": message, "field": field} for field, reason, message in causes]
    return ApiError(422, "Invalid", f'{title} "{name}" is invalid: {text}', details)
