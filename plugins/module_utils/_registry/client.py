# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be asked of a registry (OCI Distribution Specification 1.1), with OpenShift's manners in mind."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Iterator

from .._errors import AppuioError, ForbiddenError, NotFoundError, ServerError, SourceError, UnauthorizedError
from .._http.client import HttpClient, passing
from .._http.failures import ConnectionLostError
from .._http.message import BLOCK_SIZE, Response
from .._http.transport import OpenResponse
from .._oci.digest import digest_of, matches
from .._oci.media_types import ACCEPT, OCI_INDEX
from .._oci.model import Manifest, parse_manifest
from .errors import RIGHTS_ADVICE, missing_blobs, refusal, said_by


class BlobsMissingError(ServerError):
    """The registry refused a manifest because it does not have these blobs."""

    def __init__(self, error: ServerError, digests: tuple[str, ...]) -> None:
        super().__init__(error.message, status=error.status, codes=error.codes, server_message=error.server_message)
        self.digests = digests


@dataclass(frozen=True)
class ManifestResponse:
    """A manifest that a registry has: its digest, type, and its bytes where they were asked for."""

    digest: str
    media_type: str
    content: bytes = b""


class RegistryClient:
    """A registry, by the name its zone has in messages; safe for several threads."""

    def __init__(self, zone_name: str | None, registry: str, http: HttpClient) -> None:
        self.zone = zone_name
        self.registry = registry
        self.http = http

    def check_login(self) -> None:
        """Raise UnauthorizedError unless the registry takes the credential, or a AppuioError if it is no registry."""
        response = self.http.request("GET", "/v2/", step="log in to the registry", transient=transient)
        if response.status == 401:
            raise self._unauthorized("log in to the registry", response)
        if response.status == 404:
            raise NotFoundError(
                f"{self.registry} is no container registry", zone=self.zone, step="log in to the registry"
            )
        if response.status != 200:
            raise refusal(response, "log in to the registry", self.registry, self.zone)

    def head_manifest(self, repository: str, tag: str) -> ManifestResponse | None:
        """Return what a tag names, or None; never asks by digest, which zones answer with an error."""
        step = f"ask for the tag {tag}"
        response = self._ask("HEAD", f"/v2/{repository}/manifests/{tag}", repository, step, "pull", {"Accept": ACCEPT})
        if response.status == 404:
            return None
        self._expect(response, (200,), step, repository, "pull")
        digest = response.headers.get("docker-content-digest")
        if not digest:
            return self.get_manifest(repository, tag)
        return ManifestResponse(digest, response.headers.get_content_type())

    def holds_manifest(self, repository: str, digest: str) -> bool:
        """Whether a manifest can be read by its digest; an error means no, as zones answer so without ImageStream."""
        step = f"ask for the manifest {digest}"
        path = f"/v2/{repository}/manifests/{digest}"
        wanted = scopes(repository, "pull")
        response = self.http.request(
            "HEAD", path, {"Accept": ACCEPT}, step=step, scopes=wanted, transient=lambda answer: answer.status == 429
        )
        if response.status not in (404, 500):
            self._expect(response, (200,), step, repository, "pull")
        return response.status == 200

    def get_manifest(self, repository: str, reference: str) -> ManifestResponse | None:
        """Return a manifest with its bytes, or None; raises SourceError if they are not what they are said to be."""
        step = f"read the manifest {reference}"
        path = f"/v2/{repository}/manifests/{reference}"
        response = self._ask("GET", path, repository, step, "pull", {"Accept": ACCEPT})
        if response.status == 404:
            return None
        self._expect(response, (200,), step, repository, "pull")
        digest = response.headers.get("docker-content-digest")
        if ":" in reference:
            digest = reference
        if digest and not matches(response.body, digest):
            raise SourceError(f"{self.registry} sent other bytes for {repository} {reference} than {digest}")
        return ManifestResponse(digest or digest_of(response.body), response.headers.get_content_type(), response.body)

    def put_manifest(self, repository: str, reference: str, content: bytes, media_type: str) -> str:
        """Put a manifest under a tag or its digest; return the digest; raises AppuioError."""
        step = f"put the {'manifest' if ':' in reference else 'tag'} {reference}"
        path = f"/v2/{repository}/manifests/{reference}"
        response = self.http.request(
            "PUT",
            path,
            {"Content-Type": media_type},
            content,
            step=step,
            scopes=scopes(repository, "push"),
            transient=transient,
        )
        if response.status not in (200, 201, 202):
            error = self._explained(response, step, repository, "push")
            missing = missing_blobs(response)
            raise BlobsMissingError(error, missing) if missing and isinstance(error, ServerError) else error
        digest = str(response.headers.get("docker-content-digest") or digest_of(content))
        if digest != digest_of(content) and digest.startswith("sha256:"):
            raise ServerError(f"{self.registry} stored {digest}, not what it was sent", zone=self.zone, step=step)
        return digest

    def tags(self, repository: str) -> list[str] | None:
        """Return the tags of a repository, or None when there is no such repository."""
        step = "list the tags"
        response = self._ask("GET", f"/v2/{repository}/tags/list", repository, step, "pull")
        if response.status == 404:
            return None
        self._expect(response, (200,), step, repository, "pull")
        document = response.json()
        tags = document.get("tags") if isinstance(document, dict) else None
        return sorted(str(tag) for tag in tags or ())

    def referrers(self, repository: str, digest: str) -> Manifest | None:
        """Return the list of what refers to a digest, or None where the registry has no API for that."""
        step = f"ask what refers to {digest}"
        path = f"/v2/{repository}/referrers/{digest}"
        response = self._ask("GET", path, repository, step, "pull", {"Accept": OCI_INDEX})
        if response.status in (400, 404, 405):
            return None
        self._expect(response, (200,), step, repository, "pull")
        return parse_manifest(response.body, OCI_INDEX)

    def has_blob(self, repository: str, digest: str) -> bool:
        """Whether a repository has a blob."""
        step = f"ask for the blob {digest}"
        response = self._ask("HEAD", f"/v2/{repository}/blobs/{digest}", repository, step, "push")
        if response.status == 404:
            return False
        self._expect(response, (200,), step, repository, "push")
        return True

    @contextmanager
    def open_blob(self, repository: str, digest: str, offset: int = 0) -> Iterator[OpenResponse]:
        """Give a blob's bytes from ``offset`` on; one attempt; raises ConnectionLostError, NotFoundError and others."""
        step = f"read the blob {digest}"
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        wanted = 206 if offset else 200
        path = f"/v2/{repository}/blobs/{digest}"
        with self.http.open("GET", path, headers, step=step, scopes=scopes(repository, "pull")) as opened:
            if opened.status not in (wanted, 200):
                # What comes with a success are bytes of the blob, which belong into no message.
                words = opened.read(1 << 20) if opened.status >= 400 else b""
                response = Response(opened.status, opened.headers, words)
                raise self._explained(response, step, repository, "pull")
            _skip(opened, offset - _first_byte(opened, offset))
            yield opened

    def expect(self, response: Response, statuses: tuple[int, ...], step: str, repository: str) -> None:
        """Raise the problem that an answer to a push is, unless its status is one of these."""
        self._expect(response, statuses, step, repository, "push")

    def close(self) -> None:
        """Give back connections."""
        self.http.close()

    def _ask(
        self, method: str, path: str, repository: str, step: str, action: str, headers: dict[str, str] | None = None
    ) -> Response:
        wanted = scopes(repository, action)
        return self.http.request(method, path, headers, step=step, scopes=wanted, transient=transient)

    def _expect(self, response: Response, statuses: tuple[int, ...], step: str, repository: str, action: str) -> None:
        if response.status not in statuses:
            raise self._explained(response, step, repository, action)

    def _explained(self, response: Response, step: str, repository: str, action: str) -> AppuioError:
        """OpenShift answers alike to a bad token and to missing rights: whether it lets us in tells them apart."""
        if response.status != 401:
            return refusal(response, step, self.registry, self.zone)
        if self.http.request("GET", "/v2/", step="log in to the registry", transient=transient).status != 200:
            return self._unauthorized(step, response)
        namespace = repository.rpartition("/")[0] or repository
        return ForbiddenError(
            f"the credential is good, but gives no right to {action} in {namespace} of {self.registry}",
            zone=self.zone,
            step=step,
            server_message=said_by(response),
            hint=RIGHTS_ADVICE,
        )

    def _unauthorized(self, step: str, response: Response) -> AppuioError:
        return UnauthorizedError(
            f"{self.registry} does not accept the credential: it is wrong, expired or revoked",
            zone=self.zone,
            step=step,
            server_message=said_by(response),
            hint="Get a new token; nothing was written",
        )


def transient(response: Response) -> bool:
    """Whether repeating can help: also a bare 400, which zones answer while their API is away."""
    return passing(response) or (response.status == 400 and not response.body)


def _first_byte(opened: OpenResponse, offset: int) -> int:
    """A server may send more than was asked for: all of it with status 200 (RFC 9110, sections 14.2 and 15.3.7)."""
    if opened.status == 200:
        return 0
    found = re.match(r"bytes (\d{1,18})-", opened.headers.get("content-range") or "")
    first = int(found.group(1)) if found else offset
    if first > offset:
        raise ConnectionLostError("the server sent another part of the blob than it was asked for")
    return first


def _skip(opened: OpenResponse, count: int) -> None:
    buffer = memoryview(bytearray(min(count, BLOCK_SIZE)))
    while count:
        got = opened.readinto(buffer[: min(count, BLOCK_SIZE)])
        if not got:
            raise ConnectionLostError("the answer ended before the part that was asked for")
        count -= got


def scopes(repository: str, action: str) -> frozenset[str]:
    """Return what a registry with a token handshake is asked for; to push needs to pull, too."""
    return frozenset({f"repository:{repository}:{'pull,push' if action == 'push' else 'pull'}"})
