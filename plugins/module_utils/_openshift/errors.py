# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal of the API, or a failure on the way there, means.

Source: Kubernetes API conventions, "Response Status Kind"; urllib3, which wraps the standard library's errors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from .._errors import AppuioError, ConflictError, ForbiddenError, NotFoundError, ServerError, UnauthorizedError
from .._http.retry import CONNECTION_ERRORS, LONGEST_RETRY_AFTER

_RIGHTS = "Does the namespace exist, and has the credential this right there? Zones answer the same to both"
_NO_API = "Is host the API of the zone, and what stands in front of it: a proxy, a portal, a page to log in?"
_PASSING = "This may be temporary: try again later; if it stays, the operators of the zone can see why"


class NotServedError(NotFoundError):
    """A 404 that names no object: the API knows no such kind, or it is not the API that has answered."""


def refusal(status: int, body: Any, step: str, wait: float | None = None) -> AppuioError:
    """Return what a status other than success means, with the API's own words; ``wait`` is its Retry-After."""
    document = json_object(body) or {}
    words = document.get("message")
    server_message = str(words)[:500] if words else None
    if status == 401:
        return UnauthorizedError(
            "the API does not accept the credential: it is wrong, expired or revoked, or of another zone",
            step=step,
            hint="A token is good for one zone only: get a new one of this zone",
        )
    hint = _hint(status, wait, is_api=bool(document))
    if status in (403, 404) and _is_page(body):
        return no_api(f"a page with status {status} came instead of the API's answer", step)
    if status == 403:
        return ForbiddenError("the API refuses this", step=step, server_message=server_message, hint=hint)
    if status == 404:
        missing = NotFoundError if _names_an_object(document) else NotServedError
        return missing("the API does not have this", step=step, server_message=server_message, hint=hint)
    kind = ConflictError if status == 409 else ServerError
    return kind(
        f"the API answered with status {status}",
        step=step,
        server_message=server_message,
        hint=hint,
        status=status,
        retry_after=wait,
    )


def _names_an_object(document: Mapping[str, Any]) -> bool:
    """Whether a 404 is that of an object: an API says what does not exist."""
    details = document.get("details")
    name = details.get("name") if isinstance(details, Mapping) else None
    is_status = document.get("kind") == "Status" and document.get("reason") == "NotFound"
    return is_status and isinstance(name, str) and bool(name)


def _is_page(body: Any) -> bool:
    text = body.decode("utf-8", "replace") if isinstance(body, (bytes, bytearray)) else str(body or "")
    return text[:256].lstrip().startswith("<")


def no_api(message: str, step: str | None = None) -> ServerError:
    """Return the error that an answer is which no API gives."""
    return ServerError(message, step=step, hint=_NO_API)


@contextmanager
def missing_is_proven(what: str, step: str) -> Iterator[None]:
    """A 404 of a proxy, or of an API without such objects, does not say that one object is not there."""
    try:
        yield
    except NotServedError as refused:
        error = no_api(f"a 404 came that does not say that the {what} does not exist", step)
        error.server_message = refused.server_message
        raise error from None


def checked_object(data: Any, kind: str | None, step: str) -> dict[str, Any]:
    """Return the object that an answer is; raises ServerError for anything else.

    A change is answered with an object of its ``kind``, or with a Status that tells success.
    """
    found = json_object(data)
    done = found is not None and found.get("kind") == "Status" and found.get("status") == "Success"
    if found is None or (kind is not None and not done and found.get("kind") != kind):
        raise no_api("this is no Kubernetes API: its answer is no object of one", step)
    return found


def without_answer(error: AppuioError, method: str, path: str, query: Mapping[str, str]) -> AppuioError:
    """Return the error of a request that got no answer to rely on; a change may have been made all the same."""
    asks = method == "get" or path.endswith("reviews") or query.get("dryRun")
    if not asks and getattr(error, "status", 0) != 429:
        error.hint = f"Whether it was done is not known: run this again. {error.hint or ''}".rstrip()
    return error


def _hint(status: int, wait: float | None, *, is_api: bool) -> str:
    if wait is not None and wait > LONGEST_RETRY_AFTER:
        return f"It asks to wait {wait:.0f} seconds (Retry-After), which is not waited for here: try again then"
    if status == 409:
        return "Somebody else has changed it at the same time, or it is still going: run this again"
    if status == 429:
        return "It limits how much it is asked: try again later"
    if status >= 500:
        return _PASSING
    if not is_api:
        return _NO_API
    if status == 403:
        return _RIGHTS
    if status == 404:
        return "Are the names of the zone and the namespace right, or was it deleted at the same time?"
    return "What the API said is all there is to know: does it take what the options say?"


def json_object(data: Any) -> dict[str, Any] | None:
    """Return the JSON object that bytes or text are, None for anything else."""
    with suppress(ValueError, RecursionError, TypeError):
        found = json.loads(data)
        return found if isinstance(found, dict) else None
    return None


def cause_of(error: BaseException) -> Exception:
    """Return what the standard library said, which urllib3 wraps in errors of its own."""
    seen: BaseException | None = error
    for _depth in range(8):
        if seen is None:
            break
        if isinstance(seen, CONNECTION_ERRORS) and not type(seen).__module__.startswith("urllib3"):
            return seen
        inside = [one for one in (getattr(seen, "reason", None), *seen.args) if isinstance(one, BaseException)]
        seen = inside[0] if inside else seen.__cause__ or seen.__context__
    if "timed out" in str(error).lower() or "Timeout" in type(error).__name__:
        return TimeoutError(str(error))
    return ConnectionResetError(0, type(error).__name__)
