# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One blob into one repository: mounted where it is, else streamed, and gone on with where it broke.

It counts as uploaded when it is verified: by the registry that names its digest in the answer to the last request, else
by ``verify``.

Source: OCI Distribution Specification 1.1, "Pushing a blob monolithically", "in chunks", "Mounting a blob".
"""

from __future__ import annotations

from typing import Callable, Sequence
from urllib.parse import urlencode

from .._errors import AppuioError, ForbiddenError, ServerError, UnauthorizedError
from .._http.message import Body, Response
from .._http.retry import Attempts, ConnectionLostError, retry_after
from .._oci.model import Descriptor
from .client import RegistryClient, scopes, transient
from .errors import codes_of
from .upload_session import UploadRequests, UploadSession


class Upload:
    """The upload of one blob; ``run`` returns how it came to be there.

    ``verify`` raises SourceError where the body is not the blob; it is called if that is not known from the registry.
    """

    def __init__(
        self,
        client: RegistryClient,
        repository: str,
        blob: Descriptor,
        body: Body,
        verify: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        self._repository = repository
        self._blob = blob
        self._body = body
        self._verify = verify
        self._step = f"upload {blob.digest}"
        self._requests = UploadRequests(client, repository, self._step)

    def run(self, mount_from: Sequence[str] = (), begun: UploadSession | None = None) -> str:
        """Return ``mounted`` or ``uploaded``; raises AppuioError when no attempt is left, or none can help.

        ``begun`` is an upload to which the first bytes of the blob were sent already.
        """
        attempts = self._client.http.attempts()
        candidates = list(mount_from)
        session = begun
        sent, broken, furthest = False, begun is not None and not begun.certain, 0
        while True:
            response, failure = None, None
            try:
                if broken:
                    session = self._requests.resumed(session, self._blob.size, attempts) if session else None
                    # What was answered late, or not at all, may have been stored: no byte is sent twice.
                    if session is None and sent and self._is_there(attempts):
                        self._verify()
                        return "uploaded"
                    if session is not None:
                        attempts.progressed(session.offset - furthest)
                        furthest = max(furthest, session.offset)
                while session is None and candidates:
                    session = self._mounted(candidates.pop(0), attempts)
                session = session or self._requests.begin(attempts)
                if not session.location:
                    return "mounted"
                broken = sent = True
                response = self._send(session)
                if response.status in (201, 204):
                    self._check_stored(response, attempts)
                    return "uploaded"
                asked = self._check_worth_repeating(response)
            except ConnectionLostError as error:
                failure, asked = error.at(self._client.zone, self._step), None
            if not attempts.again(asked):
                if response is not None:
                    self._client.expect(response, (), self._step, self._repository)
                raise failure or AppuioError("no attempt is left", zone=self._client.zone, step=self._step)
            if response is not None and _is_lost(response):
                session = None
                sent = sent and not _is_altered(response)

    def _mounted(self, mount_from: str, attempts: Attempts) -> UploadSession | None:
        """Return an upload without location where the blob was mounted, one to go on with where the registry began it,
        and None where it does neither: that other repository is only a chance."""
        path = f"/v2/{self._repository}/blobs/uploads/?{urlencode({'mount': self._blob.digest, 'from': mount_from})}"
        wanted = self._requests.scopes | scopes(mount_from, "pull")
        try:
            response = self._client.http.request(
                "POST", path, step=self._step, scopes=wanted, transient=_is_busy, attempts=attempts
            )
            if response.status == 201 and self._says_stored(response, attempts):
                return UploadSession("")
            return UploadSession(self._requests.location(response)) if response.status == 202 else None
        except (ServerError, UnauthorizedError, ForbiddenError):
            return None

    def _send(self, session: UploadSession) -> Response:
        if not session.offset:
            return self._requests.finish(session, self._blob.digest, self._body)
        if session.offset < self._blob.size:
            response = self._requests.append(session, self._body)
            if response.status != 202:
                return response
        return self._requests.finish(session, self._blob.digest)

    def _check_worth_repeating(self, response: Response) -> float | None:
        """Return what the server asks to wait, in seconds; raises what a refusal means that no attempt can help."""
        if response.status == 400 or _is_altered(response):
            # Either the source is damaged, or what is in between has changed the bytes, and may not do so again.
            self._verify()
        if not (_is_lost(response) or response.status == 416 or transient(response)):
            self._client.expect(response, (), self._step, self._repository)
        return retry_after(response.headers, self._client.http.clock.now())

    def _check_stored(self, response: Response, attempts: Attempts) -> None:
        """Raise ServerError unless the registry says that it has the blob, by its digest, and SourceError where it does
        not say so in this answer and it was sent something else."""
        if response.headers.get("docker-content-digest") != self._blob.digest:
            self._verify()
        if not self._says_stored(response, attempts):
            stored = str(response.headers.get("docker-content-digest") or "nothing")
            raise ServerError(
                f"{self._client.registry} stored {stored[:200]}, not {self._blob.digest}, which it was sent",
                zone=self._client.zone,
                step=self._step,
                hint="What stands in front of the registry may change what passes: its operators can tell",
                status=response.status,
            )

    def _says_stored(self, response: Response, attempts: Attempts) -> bool:
        return self._client.has_stored(response, self._repository, self._blob, attempts)

    def _is_there(self, attempts: Attempts) -> bool:
        return self._client.has_blob(self._repository, self._blob.digest, self._blob.size, attempts)


def _is_busy(response: Response) -> bool:
    return response.status == 429


def _is_lost(response: Response) -> bool:
    """Whether the upload is gone, so that only a new one can help."""
    return response.status == 404 or _is_altered(response)


def _is_altered(response: Response) -> bool:
    """Whether the registry got other bytes than the digest says."""
    return "DIGEST_INVALID" in codes_of(response)
