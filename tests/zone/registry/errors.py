# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals of the registry side, in the words of OpenShift's registry."""

from __future__ import annotations

import json
from typing import Any

HEADERS = [("Docker-Distribution-Api-Version", "registry/2.0"), ("X-Registry-Supports-Signatures", "1")]
_ABSENT = object()


class RegistryError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        super().__init__(f"{status} {body[:200]!r}")
        self.status, self.body, self.headers = status, body, headers


def errors_body(*errors: dict[str, Any]) -> bytes:
    """Return the error document of the distribution specification."""
    return json.dumps({"errors": list(errors)}, separators=(",", ":")).encode() + b"\n"


def entry(code: str, message: str, detail: Any = _ABSENT) -> dict[str, Any]:
    """Return one error of an error document."""
    return {"code": code, "message": message} | ({} if detail is _ABSENT else {"detail": detail})


def registry_errors(
    status: int, errors: list[dict[str, Any]], headers: list[tuple[str, str]] | None = None
) -> RegistryError:
    """Return a refusal with several errors."""
    return RegistryError(status, errors_body(*errors), [("Content-Type", "application/json"), *(headers or [])])


def registry_error(status: int, code: str, message: str, detail: Any = _ABSENT) -> RegistryError:
    """Return a refusal with one error."""
    return registry_errors(status, [entry(code, message, detail)])


def unknown(detail: Any = None) -> RegistryError:
    """Return the 500 that stands for everything OpenShift's registry did not foresee."""
    return registry_error(500, "UNKNOWN", "unknown error", {} if detail is None else detail)


def denied() -> RegistryError:
    """Return the 403 that hides its reason: quota, limits, no right to create the ImageStream, no namespace."""
    return registry_error(403, "DENIED", "requested access to the resource is denied")


def not_found() -> RegistryError:
    """Return the 404 of Go's router."""
    return RegistryError(
        404,
        b"404 page not found\n",
        [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")],
    )
