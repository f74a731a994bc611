# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a registry's refusal means, in the user's words, and what to do next on the side that it is on.

Source: OCI Distribution Specification 1.1, "Error Codes"; how OpenShift answers was observed on the wire.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .._errors import AppuioError, ForbiddenError, NotFoundError, ServerError, UnauthorizedError
from .._http.message import Response
from .._http.retry import LONGEST_RETRY_AFTER, SYSTEM_CLOCK, retry_after
from .answers import is_page


class Hints(NamedTuple):
    """The next step for each kind of refusal; a zone and a source have their own."""

    credential: str
    no_credential: str
    rights: str
    denied: str
    name: str


ZONE_HINTS = Hints(
    credential="A token is good for one zone only: get a new one of this zone, for example with oc login to it and "
    "oc whoami -t, or with appuio_registry_token",
    no_credential="Give token, username and password, kubeconfig or auth_file",
    rights="Does the namespace exist, and is registry-editor (to push) or registry-viewer (to pull) bound there? "
    "Zones answer the same to both",
    denied="A limit or quota of the namespace is reached, the credential may not create the ImageStream "
    "(system:image-pusher may not), or the namespace is gone",
    name="Is the name exactly namespace/name, and is the tag spelled right?",
)
SOURCE_HINTS = Hints(
    credential="Are source_username and source_password, or the entry in source_auth_file, right and still valid?",
    no_credential="Give source_username and source_password, or source_auth_file, if the repository is private, "
    "and see whether it exists: many registries answer the same to both",
    rights="May this user read the repository, and does it exist? Many registries answer the same to both",
    denied="May this user read the repository, or has it reached a limit of the registry?",
    name="Are repository and tag spelled right?",
)
_NO_REGISTRY = "Is the address right, and what stands in front of it: a proxy, a portal, a page to log in?"


def codes_of(response: Response) -> tuple[str, ...]:
    """Return the error codes that an answer names."""
    return tuple(str(error.get("code")) for error in _errors(response))


def server_message_of(response: Response) -> str | None:
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


def no_registry(response: Response, what: str, registry: str, zone: str | None = None) -> ServerError:
    """Return the error that an answer is which no registry gives; ``what`` is the step."""
    kind = str(response.headers.get("content-type") or "no media type")
    return ServerError(
        f"{registry} does not answer as a container registry does (status {response.status}, {kind})",
        zone=zone,
        step=what,
        hint=_NO_REGISTRY,
        status=response.status,
    )


def refusal(
    response: Response, what: str, registry: str, zone: str | None = None, hints: Hints = ZONE_HINTS
) -> AppuioError:
    """Return the error that an unexpected answer is; 401 is told apart by the client, which can ask more."""
    status, words = response.status, server_message_of(response)
    if status == 401:
        return UnauthorizedError(
            f"{registry} does not accept the credential",
            zone=zone,
            step=what,
            server_message=words,
            hint=hints.credential,
        )
    if status < 400 or (status in (403, 404) and is_page(response)):
        return no_registry(response, what, registry, zone)
    if status == 403:
        return ForbiddenError(f"{registry} refuses this", zone=zone, step=what, server_message=words, hint=hints.denied)
    if status == 404:
        return NotFoundError(
            f"{registry} does not have it", zone=zone, step=what, server_message=words, hint=hints.name
        )
    return ServerError(
        f"{registry} answered with status {status}",
        zone=zone,
        step=what,
        server_message=words,
        hint=_server_hint(response, hints),
        status=status,
        codes=codes_of(response),
        retry_after=retry_after(response.headers, SYSTEM_CLOCK.now()),
    )


def _server_hint(response: Response, hints: Hints) -> str:
    status = response.status
    asked = retry_after(response.headers, SYSTEM_CLOCK.now())
    if asked is not None and asked > LONGEST_RETRY_AFTER:
        return f"It asks to wait {asked:.0f} seconds (Retry-After), which is not waited for here: try again then"
    if status == 400 and not response.body:
        return f"{hints.name} Or is the API behind the registry away? Then try again"
    if status == 413:
        return "Something in front of the registry limits the size of uploads: let its operators raise the limit"
    if status == 429:
        return "It limits how much it is asked: try again later, with a credential if there was none, or lower jobs"
    if status >= 500:
        return "This may be temporary: try again later; if it stays, the operators of the registry can see why"
    return "Does the registry take this kind of image? What it said above is all there is to know"


def _errors(response: Response) -> list[dict[str, Any]]:
    document = response.json()
    errors = document.get("errors") if isinstance(document, dict) else None
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
