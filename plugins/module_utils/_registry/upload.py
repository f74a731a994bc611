# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One blob into one repository: mounted where it is, else streamed, and gone on with where it broke.

Source: OCI Distribution Specification 1.1, "Pushing a blob monolithically", "in chunks", "Mounting a blob".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Sequence
from urllib.parse import quote, urlencode

from .._errors import AppuioError, ServerError
from .._http.failures import ConnectionLostError
from .._http.message import Body, Response
from .._http.retry import Attempts, retry_after
from .._oci.model import Descriptor
from .client import RegistryClient, scopes, transient
from .errors import codes_of

LARGEST_ANSWER = 1 << 20
_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")


@dataclass
class _Session:
    """An upload that the registry keeps for us, and how many bytes of it there are."""

    location: str
    offset: int = 0


class Upload:
    """The upload of one blob; ``run`` returns how it came to be there."""

    def __init__(self, client: RegistryClient, repository: str, blob: Descriptor, body: Body) -> None:
        self._client = client
        self._repository = repository
        self._blob = blob
        self._body = body
        self._scopes = scopes(repository, "push")
        self._step = f"upload {blob.digest}"

    def run(self, mount_from: Sequence[str] = ()) -> str:
        """Return ``mounted`` or ``uploaded``; raises AppuioError when no attempt is left, or none can help."""
        attempts = self._client.http.attempts()
        session: _Session | None = None
        candidates = list(mount_from)
        while True:
            try:
                if session is None:
                    session = self._begin(candidates.pop(0) if candidates else None)
                    if session is None:
                        return "mounted"
                response = self._send(session)
                if response.status in (201, 204):
                    return "uploaded"
                session = self._after_refusal(response, session, attempts)
            except ConnectionLostError as error:
                if not attempts.again():
                    raise error.at(self._client.zone, self._step) from None
                session = self._resumed(session)
                if session is None and self._client.has_blob(self._repository, self._blob.digest):
                    return "uploaded"

    def _begin(self, mount_from: str | None) -> _Session | None:
        path = f"/v2/{self._repository}/blobs/uploads/"
        wanted = self._scopes
        if mount_from:
            path += f"?{urlencode({'mount': self._blob.digest, 'from': mount_from})}"
            wanted = wanted | scopes(mount_from, "pull")
        response = self._client.http.request("POST", path, step=self._step, scopes=wanted, transient=transient)
        if response.status == 201:
            return None
        self._client.expect(response, (202,), self._step, self._repository)
        return _Session(self._location(response))

    def _send(self, session: _Session) -> Response:
        if session.offset:
            rest = f"{session.offset}-{self._blob.size - 1}"
            if session.offset < self._blob.size:
                headers = {"Content-Range": rest}
                response = self._stream("PATCH", session.location, headers, self._body, session.offset)
                if response.status != 202:
                    return response
                session.location = self._location(response)
            return self._stream("PUT", self._finishing(session.location), {}, None, 0)
        return self._stream("PUT", self._finishing(session.location), {}, self._body, 0)

    def _stream(self, method: str, location: str, headers: dict[str, str], body: Body | None, offset: int) -> Response:
        headers = {"Content-Type": "application/octet-stream", **headers}
        with self._client.http.open(method, location, headers, body, offset, self._step, self._scopes) as opened:
            return Response(opened.status, opened.headers, opened.read(LARGEST_ANSWER))

    def _after_refusal(self, response: Response, session: _Session, attempts: Attempts) -> _Session | None:
        """Return the upload to go on with, or None to begin anew; raises what cannot be helped."""
        lost = response.status == 404 or "DIGEST_INVALID" in codes_of(response)
        if not (lost or response.status == 416 or transient(response)):
            self._client.expect(response, (), self._step, self._repository)
        asked = retry_after(response.headers, self._client.http.clock.now())
        if not attempts.again(asked):
            self._client.expect(response, (), self._step, self._repository)
        return None if lost else self._resumed(session)

    def _resumed(self, session: _Session | None) -> _Session | None:
        """Ask how far the registry got; it gives a fresh location, as an old one is refused."""
        if session is None:
            return None
        try:
            response = self._client.http.request(
                "GET", session.location, step=self._step, scopes=self._scopes, transient=transient
            )
        except ConnectionLostError:
            return None
        got = _RANGE.fullmatch(response.headers.get("range") or "")
        if response.status != 204 or not got:
            return None
        last = int(got.group(1))
        # An upload that has nothing yet says 0-0, and so does one that has a single byte.
        offset = last + 1 if last else 0
        return _Session(self._location(response), offset) if offset <= self._blob.size and offset else None

    def _finishing(self, location: str) -> str:
        return f"{location}{'&' if '?' in location else '?'}digest={quote(self._blob.digest, safe=':')}"

    def _location(self, response: Response) -> str:
        location = response.headers.get("location")
        if not location:
            error: AppuioError = ServerError(
                "the registry gave no location for an upload", status=response.status, step=self._step
            )
            raise error.at(self._client.zone)
        return str(location)
