# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a registry's refusal means, in the user's words.

Source: OCI Distribution Specification 1.1, "Error Codes"; OpenShift's own manners were observed on the wire.
"""

from __future__ import annotations

from typing import Any

from .._errors import AppuioError, ForbiddenError, NotFoundError, ServerError, UnauthorizedError
from .._http.message import Response
from .._http.retry import retry_after

RIGHTS_ADVICE = (
    "Does the namespace exist, and is registry-editor (to push) or registry-viewer (to pull) bound there? "
    "Zones answer the same to both"
)
DENIED_ADVICE = (
    "A limit or quota of the namespace is reached, the credential may not create the ImageStream "
    "(system:image-pusher may not), or the namespace is gone"
)


def codes_of(response: Response) -> tuple[str, ...]:
    """Return the error codes that an answer names."""
    return tuple(str(error.get("code")) for error in _errors(response))


def said_by(response: Response) -> str | None:
    """Return the server's own words, shortened to a line."""
    words = []
    for error in _errors(response):
        text = str(error.get("message") or error.get("code") or "")
        detail = error.get("detail")
        if detail and detail != {}:
            text += f" ({str(detail)[:200]})"
        words.append(text)
    if not words and response.headers.get_content_type() == "text/plain":
        words = [response.body[:200].decode("utf-8", "replace").strip()]
    return "; ".join(word for word in words if word)[:500] or None


def missing_blobs(response: Response) -> tuple[str, ...]:
    """Return the digests that a refused manifest lacks, or nothing when that is not why it was refused."""
    found = []
    for error in _errors(response):
        detail = error.get("detail")
        if error.get("code") in ("MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN") and isinstance(detail, dict):
            found.append(str(detail.get("Digest") or detail.get("digest") or ""))
    return tuple(digest for digest in found if digest)


def refusal(response: Response, what: str, registry: str, zone: str | None = None) -> AppuioError:
    """Return the problem that an unexpected answer is; 401 is told apart by the client, which can ask more."""
    status, server_message = response.status, said_by(response)
    if status == 401:
        return UnauthorizedError(
            f"{registry} does not accept the credential", zone=zone, step=what, server_message=server_message
        )
    if status == 403:
        return ForbiddenError(
            f"{registry} refuses this", zone=zone, step=what, server_message=server_message, hint=DENIED_ADVICE
        )
    if status == 404:
        return NotFoundError(f"{registry} does not have it", zone=zone, step=what, server_message=server_message)
    hint = None
    if status == 400 and not response.body:
        hint = "Is the name exactly namespace/name, and is the zone's API up?"
    if status == 413:
        hint = "Something in front of the registry limits the size of uploads"
    return ServerError(
        f"{registry} answered with status {status}",
        zone=zone,
        step=what,
        server_message=server_message,
        hint=hint,
        status=status,
        codes=codes_of(response),
        retry_after=retry_after(response.headers, 0),
    )


def _errors(response: Response) -> list[dict[str, Any]]:
    document = response.json()
    errors = document.get("errors") if isinstance(document, dict) else None
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
