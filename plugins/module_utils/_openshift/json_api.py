# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single JSON requests to a zone's API, with the collection's own HTTP client and no library.

Logging in needs one or two requests and has to run where nothing is installed. What needs more of the API
uses ``openshift.dynamic``. Source: Kubernetes API conventions, "Response Status Kind".
"""

from __future__ import annotations

import json
from typing import Any, Mapping, Protocol

from .._errors import AppuioError, ForbiddenError, NotFoundError, ServerError, UnauthorizedError


class Answer(Protocol):
    """What a server answered."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Any:
        """The headers; their names have no case."""

    def json(self) -> Any:
        """Return the body's JSON value, or None."""


class Http(Protocol):
    """The client of one origin, as ``_http.client.HttpClient`` is one."""

    def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        step: str | None = None,
    ) -> Any:
        """Return the answer; raises ConnectionFailedError and TlsVerificationError, but nothing for a status."""

    def close(self) -> None:
        """Give back connections."""


class JsonApi:
    """An API and whoever has a token of it; ``prefix`` is the path of its URL, for an API behind a proxy."""

    def __init__(self, http: Http, token: str | None, prefix: str = "") -> None:
        self._http = http
        self._token = token
        self._prefix = prefix

    def get(self, path: str, step: str) -> dict[str, Any]:
        """Return the object at a path; raises AppuioError."""
        return self._call("GET", path, None, step)

    def post(self, path: str, document: Mapping[str, Any], step: str) -> dict[str, Any]:
        """Return what the API answers to a document; raises AppuioError."""
        return self._call("POST", path, document, step)

    def put(self, path: str, document: Mapping[str, Any], step: str) -> dict[str, Any]:
        """Replace the object at a path, if it is still of the document's version; raises AppuioError."""
        return self._call("PUT", path, document, step)

    def patch(self, path: str, change: Mapping[str, Any], step: str) -> dict[str, Any]:
        """Merge a change into the object at a path (RFC 7386); raises AppuioError."""
        return self._call("PATCH", path, change, step, "application/merge-patch+json")

    def delete(self, path: str, step: str) -> dict[str, Any]:
        """Delete the object at a path; raises AppuioError."""
        return self._call("DELETE", path, None, step)

    def close(self) -> None:
        """Give back connections."""
        self._http.close()

    def _call(
        self,
        method: str,
        path: str,
        document: Mapping[str, Any] | None,
        step: str,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        body = None
        if document is not None:
            headers["Content-Type"] = content_type
            body = json.dumps(document).encode()
        response = self._http.request(method, self._prefix + path, headers=headers, body=body, step=step)
        answer = response.json()
        if response.status in (200, 201, 202) and isinstance(answer, dict):
            return answer
        raise refusal(response.status, answer, step)


def refusal(status: int, answer: Any, step: str) -> AppuioError:
    """Return what a status other than success means, with the API's own words."""
    server_message = answer.get("message") if isinstance(answer, Mapping) else None
    server_message = str(server_message)[:500] if server_message else None
    if status == 401:
        return UnauthorizedError("the API does not accept the credential: it is wrong, expired or revoked", step=step)
    if status == 403:
        return ForbiddenError("the API refuses this", step=step, server_message=server_message)
    if status == 404:
        return NotFoundError("the API does not have this", step=step, server_message=server_message)
    if status in (200, 201, 202):
        return ServerError("this is no Kubernetes API: its answer is no JSON object", step=step, status=status)
    return ServerError(
        f"the API answered with status {status}", step=step, server_message=server_message, status=status
    )
