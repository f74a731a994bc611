# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A blob goes to a repository while it is made, before its digest and its size are known.

Source: OCI Distribution Specification 1.1, "Pushing a blob in chunks": the digest comes with the last request.
"""

from __future__ import annotations

from typing import Callable

from .._errors import AppuioError, CancelledError
from .._http.message import Body, Response
from .._http.retry import ConnectionLostError, retry_after
from .client import RegistryClient, transient
from .upload_session import UploadRequests, UploadSession


class EarlyUpload:
    """What there is of a blob is sent; the rest of it, and whatever goes wrong, is for ``Upload``.

    ``grows`` waits until more than ``offset`` bytes are worth a request, which the body has then; it returns False
    when the whole blob is there, or never will be.
    """

    def __init__(
        self, client: RegistryClient, repository: str, step: str, body: Body, grows: Callable[[int], bool]
    ) -> None:
        self._client = client
        self._requests = UploadRequests(client, repository, step)
        self._body = body
        self._grows = grows
        self._session: UploadSession | None = None

    def run(self) -> None:
        """Send what comes, until nothing comes, or nothing can be sent now; raises CancelledError."""
        attempts = self._client.http.attempts()
        furthest = 0
        while self._grows(furthest):
            asked = None
            try:
                if self._session is not None and not self._session.certain:
                    self._session = self._requests.resumed(self._session, self._body.length, attempts)
                session = self._session = self._session or self._requests.begin(attempts)
                attempts.progressed(session.offset - furthest)
                furthest = session.offset
                if furthest == self._body.length:
                    continue
                session.certain = False
                response = self._requests.append(session, self._body)
                if response.status == 202:
                    session.certain = True
                    furthest = session.offset
                    continue
                if not transient(response):
                    self._session = None
                    return
                asked = self._asked(response)
            except ConnectionLostError:
                pass
            except CancelledError:
                raise
            except AppuioError:
                self._session = None
                return
            if not attempts.again(asked):
                return

    def taken(self) -> UploadSession | None:
        """Return the upload to go on with, once; None where nothing was sent, or it is of no use any more."""
        session, self._session = self._session, None
        return session

    def cancel(self) -> None:
        """Let the registry forget what nobody has taken; raises nothing."""
        session = self.taken()
        if session is not None:
            self._requests.cancel(session)

    def _asked(self, response: Response) -> float | None:
        return retry_after(response.headers, self._client.http.clock.now())
