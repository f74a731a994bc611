# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be asked of a registry (OCI Distribution Specification 1.1), as OpenShift answers it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator, NamedTuple

from .._errors import NotFoundError, ServerError, SourceError
from .._http.message import Response
from .._http.open_response import OpenResponse
from .._http.retry import Attempts
from .._oci.model import ACCEPT, OCI_INDEX, Descriptor, Manifest, digest_of, matches, parse_manifest
from .._reference import is_tag
from .errors import is_page, missing_blobs, no_registry, says_missing
from .registry_requests import LOG_IN, RegistryRequests, is_away, scopes, transient

MOST_TAGS = 500_000


class BlobsMissingError(ServerError):
    """The registry refused a manifest because it does not have these blobs."""

    def __init__(self, error: ServerError, digests: tuple[str, ...]) -> None:
        super().__init__(
            error.message,
            zone=error.zone,
            step=error.step,
            server_message=error.server_message,
            hint="They may have been removed since they were uploaded: push again",
            status=error.status,
            codes=error.codes,
        )
        self.digests = digests


class ManifestResponse(NamedTuple):
    """A manifest that a registry has: its digest, type, and its bytes where they were asked for."""

    digest: str
    media_type: str
    content: bytes = b""


class RegistryClient(RegistryRequests):
    """The questions and orders that a registry takes; what does not answer as a registry does is believed nothing."""

    def check_login(self) -> None:
        """Raise UnauthorizedError unless the registry takes the credential, or an AppuioError if it is no registry."""
        response = self.http.request("GET", "/v2/", step=LOG_IN, transient=transient)
        if response.status == 401:
            raise self._unauthorized(LOG_IN, response)
        if says_missing(response):
            raise NotFoundError(
                f"{self.registry} is no container registry",
                zone=self.zone,
                step=LOG_IN,
                hint="Is the address of the registry right?",
            )
        if response.status != 200:
            raise self._refusal(response, LOG_IN)
        if is_page(response) or (response.body.strip() and response.json() is None):
            raise no_registry(response, LOG_IN, self.registry, self.zone)

    def head_manifest(self, repository: str, tag: str) -> ManifestResponse | None:
        """Return what a tag points to, or None; never asks by digest, which zones answer with an error."""
        step = f"ask for the tag {tag}"
        response = self._ask("HEAD", f"/v2/{repository}/manifests/{tag}", repository, step, "pull", {"Accept": ACCEPT})
        if says_missing(response):
            return None
        self._expect(response, (200,), step, repository, "pull")
        digest = response.headers.get("docker-content-digest")
        if not digest:
            return self.get_manifest(repository, tag)
        self._check_digest(response, step)
        return ManifestResponse(digest, response.headers.get_content_type())

    def holds_manifest(self, repository: str, digest: str) -> bool:
        """Whether a manifest can be read by its digest; an error means no, as zones answer so without ImageStream."""
        step = f"ask for the manifest {digest}"
        path = f"/v2/{repository}/manifests/{digest}"
        wanted = scopes(repository, "pull")
        response = self.http.request("HEAD", path, {"Accept": ACCEPT}, step=step, scopes=wanted, transient=is_away)
        if response.status in (404, 500):
            return False
        self._expect(response, (200,), step, repository, "pull")
        self._check_digest(response, step)
        return response.headers.get("docker-content-digest", digest) == digest

    def get_manifest(self, repository: str, reference: str) -> ManifestResponse | None:
        """Return a manifest with its bytes, or None; raises SourceError if they are not what they are said to be."""
        step = f"read the manifest {reference}"
        path = f"/v2/{repository}/manifests/{reference}"
        response = self._ask("GET", path, repository, step, "pull", {"Accept": ACCEPT})
        if says_missing(response):
            return None
        self._expect(response, (200,), step, repository, "pull")
        digest = reference if ":" in reference else response.headers.get("docker-content-digest")
        if digest is None:
            # Nothing vouches for the bytes, so that they have to be what a registry would send.
            document = response.json()
            if is_page(response) or not isinstance(document, dict) or "schemaVersion" not in document:
                raise no_registry(response, step, self.registry, self.zone)
        else:
            self._check_digest(response, step)
            if not matches(response.body, digest):
                raise SourceError(
                    f"{self.registry} sent other bytes for {repository} {reference} than {digest}",
                    zone=self.zone,
                    step=step,
                    hint="Try again; if it stays, what the registry stores, or what stands in front of it, is broken",
                )
        return ManifestResponse(digest or digest_of(response.body), response.headers.get_content_type(), response.body)

    def put_manifest(self, repository: str, reference: str, content: bytes, media_type: str) -> str:
        """Put a manifest under a tag or its digest; return the digest; raises AppuioError, also where the registry
        does not say, or does not know afterwards, that it stored just this."""
        by_digest = ":" in reference
        step = f"put the {'manifest' if by_digest else 'tag'} {reference}"
        response = self.http.request(
            "PUT",
            f"/v2/{repository}/manifests/{reference}",
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
        expected = reference if by_digest else digest_of(content)
        stored = response.headers.get("docker-content-digest")
        if stored is None and by_digest and self.holds_manifest(repository, expected):
            stored = expected
        elif stored is None and not by_digest:
            named = self.head_manifest(repository, reference)
            stored = named.digest if named else None
        if stored is None:
            raise no_registry(response, step, self.registry, self.zone)
        if stored != expected:
            raise ServerError(
                f"{self.registry} stored {stored[:200]}, not {expected}, which it was sent",
                zone=self.zone,
                step=step,
                hint="See what the tag points to now, and what stands in front of the registry and changes what passes",
                status=response.status,
            )
        return expected

    def tags(self, repository: str) -> list[str] | None:
        """Return the tags of a repository, of all pages, or None when there is no such repository.

        No size of pages is asked for: OpenShift cuts pages out of a list that it shuffles anew for each.
        """
        step = "list the tags"
        found: set[str] = set()
        for response in self._pages(f"/v2/{repository}/tags/list", repository, step):
            if says_missing(response) and not found:
                return None
            self._expect(response, (200,), step, repository, "pull")
            document = response.json()
            tags = document.get("tags", "") if isinstance(document, dict) else ""
            if not isinstance(tags, (list, type(None))):
                raise no_registry(response, step, self.registry, self.zone)
            # A name that is none would become a path, and no registry could have it.
            found.update(tag for tag in tags or () if isinstance(tag, str) and is_tag(tag))
            if len(found) > MOST_TAGS:
                raise ServerError(
                    f"{repository} has more than {MOST_TAGS} tags", zone=self.zone, step=step, hint="Name a tag instead"
                )
        return sorted(found)

    def referrers(self, repository: str, digest: str) -> Manifest | None:
        """Return the list of what refers to a digest, or None where the registry has no API for that.

        Its entries are those of all pages, its bytes those of the first one.
        """
        step = f"ask what refers to {digest}"
        path = f"/v2/{repository}/referrers/{digest}"
        index: Manifest | None = None
        for response in self._pages(path, repository, step, {"Accept": OCI_INDEX}):
            if index is None and (response.status in (400, 404, 405, 406) or is_page(response)):
                return None
            self._expect(response, (200,), step, repository, "pull")
            page = parse_manifest(response.body, OCI_INDEX)
            index = page if index is None else index._replace(entries=index.entries + page.entries)
        return index

    def has_blob(self, repository: str, digest: str, size: int | None = None, attempts: Attempts | None = None) -> bool:
        """Whether a repository has a blob, of ``size`` bytes where that is known."""
        step = f"ask for the blob {digest}"
        path = f"/v2/{repository}/blobs/{digest}"
        response = self._ask("HEAD", path, repository, step, "push", attempts=attempts)
        if says_missing(response):
            return False
        self._expect(response, (200,), step, repository, "push")
        self._check_digest(response, step)
        length = response.headers.get("content-length")
        same_size = size is None or length is None or length.strip() == str(size)
        return same_size and response.headers.get("docker-content-digest", digest) == digest

    def has_stored(
        self, response: Response, repository: str, blob: Descriptor, attempts: Attempts | None = None
    ) -> bool:
        """Whether a repository has the blob that an answer of success is about, by the digest that it names or, where
        it names none, by asking."""
        stored = response.headers.get("docker-content-digest")
        return self.has_blob(repository, blob.digest, blob.size, attempts) if stored is None else stored == blob.digest

    @contextmanager
    def open_blob(self, repository: str, digest: str, offset: int = 0) -> Iterator[OpenResponse]:
        """Give a blob's bytes from ``offset`` on; one attempt; raises ConnectionLostError, NotFoundError and others.

        A registry may answer with the whole blob, or with an earlier part: what is before ``offset`` is passed over.
        """
        step = f"read the blob {digest}"
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        path = f"/v2/{repository}/blobs/{digest}"
        with self.http.open("GET", path, headers, step=step, scopes=scopes(repository, "pull")) as opened:
            if opened.status not in ((200, 206) if offset else (200,)):
                # What comes with a success are bytes of the blob, which belong into no message.
                words = opened.read(1 << 20) if opened.status >= 400 else b""
                response = Response(opened.status, opened.headers, words)
                raise self._explained(response, step, repository, "pull")
            # Only sources are read from, and a module is compiled anew in each task.
            from .registry_requests import begin_at

            begin_at(opened, offset, self.registry)
            yield opened

    def close(self) -> None:
        """Give back connections."""
        self.http.close()

    def abort(self) -> None:
        """Cut all connections, as ``HttpClient.abort`` does."""
        self.http.abort()
