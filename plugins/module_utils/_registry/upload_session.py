# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests that an upload is made of: begun, sent in one piece or several, asked for, finished, cancelled.

Source: OCI Distribution Specification 1.1, "Pushing a blob monolithically", "in chunks".
"""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import quote

from .._errors import AppuioError, ServerError
from .._http.message import Body, Response
from .._http.retry import Attempts, ConnectionLostError
from .client import RegistryClient, scopes, transient

LARGEST_ANSWER = 1 << 20
_RANGE = re.compile(r"(?:bytes=)?0-(\d{1,18})")


class UploadSession:
    """An upload that the registry keeps for us, and how many bytes of it there are.

    ``certain`` is whether the registry has said so; it has to be asked after a break.
    """

    def __init__(self, location: str, offset: int = 0) -> None:
        self.location = location
        self.offset = offset
        self.certain = True


class UploadRequests:
    """Requests to one repository; ``step`` is what messages call the upload."""

    def __init__(self, client: RegistryClient, repository: str, step: str) -> None:
        self.client = client
        self.repository = repository
        self.step = step
        self.scopes = scopes(repository, "push")

    def begin(self, attempts: Attempts) -> UploadSession:
        """Begin an upload; raises AppuioError."""
        path = f"/v2/{self.repository}/blobs/uploads/"
        response = self.client.http.request(
            "POST", path, step=self.step, scopes=self.scopes, transient=transient, attempts=attempts
        )
        self.client.expect(response, (202,), self.step, self.repository)
        return UploadSession(self.location(response))

    def append(self, session: UploadSession, body: Body) -> Response:
        """Send what the body has behind the session's offset, which is there after status 202."""
        end = body.length
        headers = {"Content-Range": f"{session.offset}-{end - 1}"}
        response = self._stream("PATCH", session.location, headers, body, session.offset)
        if response.status == 202:
            session.location, session.offset = self.location(response), end
        return response

    def finish(self, session: UploadSession, digest: str, body: Body | None = None) -> Response:
        """Say that the upload is the blob of this digest; ``body`` is all of it, where nothing was sent before."""
        separator = "&" if "?" in session.location else "?"
        return self._stream("PUT", f"{session.location}{separator}digest={quote(digest, safe=':')}", {}, body, 0)

    def resumed(self, session: UploadSession, limit: int, attempts: Attempts) -> UploadSession | None:
        """Ask how far the registry got, up to ``limit`` bytes; it gives a fresh location, as an old one is refused."""
        try:
            response = self.client.http.request(
                "GET", session.location, step=self.step, scopes=self.scopes, transient=transient, attempts=attempts
            )
        except ConnectionLostError:
            return None
        got = _RANGE.fullmatch(response.headers.get("range") or "")
        if response.status != 204 or not got:
            return None
        last = int(got.group(1))
        # An upload that has nothing yet says 0-0, and so does one that has a single byte.
        offset = last + 1 if last else 0
        return UploadSession(self.location(response), offset) if offset <= limit and offset else None

    def cancel(self, session: UploadSession) -> None:
        """Let the registry forget an upload; one that it does not is removed by it in its time."""
        delete = self.client.http.open("DELETE", session.location, step=self.step, scopes=self.scopes)
        with suppress(AppuioError), delete as opened:
            opened.read(LARGEST_ANSWER)

    def location(self, response: Response) -> str:
        """Return where the upload goes on; raises ServerError."""
        location = response.headers.get("location")
        if not location:
            raise ServerError(
                f"{self.client.registry} gave no location for an upload",
                zone=self.client.zone,
                step=self.step,
                hint="Is this a registry, and what stands in front of it?",
                status=response.status,
            )
        return str(location)

    def _stream(self, method: str, location: str, headers: dict[str, str], body: Body | None, offset: int) -> Response:
        headers = {"Content-Type": "application/octet-stream", **headers}
        with self.client.http.open(method, location, headers, body, offset, self.step, self.scopes) as opened:
            return Response(opened.status, opened.headers, opened.read(LARGEST_ANSWER))
