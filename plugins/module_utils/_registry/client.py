# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be asked of a registry (OCI Distribution Specification 1.1), as OpenShift answers it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import Iterator
from urllib.parse import urljoin

from .._errors import NotFoundError, ServerError
from .._http.message import BLOCK_SIZE, Response
from .._http.open_response import OpenResponse
from .._http.retry import Attempts, ConnectionLostError
from .._oci.model import OCI_INDEX, Descriptor, Manifest, digest_of, parse_manifest
from .._reference import is_tag
from .answers import is_page, says_missing, transient
from .errors import missing_blobs
from .manifest_reader import ManifestReader
from .registry_requests import LOG_IN, scopes

MOST_TAGS = 500_000
MOST_PAGES = 1000
_NEXT = re.compile(r'<([^<>]{1,4096})>\s*;[^,<]{0,200}?rel="?next\b')
_CONTENT_RANGE = re.compile(r"\s*bytes\s+(\d{1,18})-(\d{1,18})/(?:(\d{1,18})|\*)\s*", re.IGNORECASE)
_HINT = "Try again; if it stays, what the registry stores, or what stands in front of it, is broken"


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


class RegistryClient(ManifestReader):
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
            raise self._no_registry(response, LOG_IN)

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
            raise self._no_registry(response, step)
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
                raise self._no_registry(response, step)
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

    def _pages(
        self, path: str, repository: str, step: str, headers: dict[str, str] | None = None
    ) -> Iterator[Response]:
        """Yield the pages of a list, as the registry links them (OCI Distribution Specification, "Listing Tags")."""
        seen: set[str] = set()
        following: str | None = path
        while following is not None:
            if following in seen or len(seen) == MOST_PAGES:
                raise ServerError(
                    f"{self.registry} sends pages of a list without end",
                    zone=self.zone,
                    step=step,
                    hint="The registry is broken: its operators can tell",
                )
            seen.add(following)
            response = self._ask("GET", following, repository, step, "pull", headers)
            yield response
            following = self._next_page(following, response, step)

    def _next_page(self, path: str, response: Response, step: str) -> str | None:
        links = ", ".join(str(value) for value in response.headers.get_all("link") or ())
        link = _NEXT.search(links[:65536]) if response.status == 200 else None
        if link is None:
            return None
        try:
            url = urljoin(path, link.group(1))
        except ValueError:
            url = ""
        own = self.http.own_target(url) if url else None
        if own is None:
            raise ServerError(
                f"{self.registry} sends us to another server for the rest of a list, {link.group(1)[:200]}",
                zone=self.zone,
                step=step,
                hint="Is the registry, or what stands in front of it, set up with its own address?",
            )
        return own

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
            begin_at(opened, offset, self.registry)
            yield opened


def begin_at(opened: OpenResponse, offset: int, registry: str) -> None:
    """Bring an answer to ``offset``, in bytes: what comes before, up to the whole blob, is read and left aside.

    Where the body begins: RFC 9110, 14.2 and 15.3.7.

    Raises ServerError for a body that is encoded; ConnectionLostError for one that begins later or ends before.
    """
    coding = str(opened.headers.get("content-encoding") or "identity").strip().lower()
    if coding != "identity":
        raise ServerError(f"{registry} sends the blob encoded as {coding}, which was not asked for", hint=_HINT)
    start = offset if opened.status == 206 else 0
    part = _CONTENT_RANGE.fullmatch(str(opened.headers.get("content-range") or ""))
    if part is not None and opened.status == 206:
        start, last, size = int(part.group(1)), int(part.group(2)), part.group(3)
        opened.is_partial = size is not None and last + 1 < int(size)
    if start > offset:
        raise ConnectionLostError(f"{registry} sent the blob from byte {start} on, not from {offset}", hint=_HINT)
    buffer = memoryview(bytearray(BLOCK_SIZE))
    opened.offset = start
    while opened.offset < offset:
        count = opened.readinto(buffer[: min(BLOCK_SIZE, offset - opened.offset)])
        if not count:
            raise ConnectionLostError(f"{registry} sent less of the blob than before", hint=_HINT)
        opened.offset += count
