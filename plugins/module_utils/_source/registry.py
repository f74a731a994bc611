# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image in a registry (OCI Distribution Specification 1.1, "Pull")."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager

from .._credential import Credential
from .._errors import AppuioError, NotFoundError, SourceError
from .._http.client import HttpClient
from .._http.message import Body
from .._http.retry import SYSTEM_CLOCK, Clock
from .._oci.digest import matches
from .._oci.model import Descriptor, Manifest, parse_manifest
from .._oci.referrers import fallback_tag, listed
from .._reference import DEFAULT_TAG, DOCKER_HUB, Reference
from .._registry.client import RegistryClient
from .._targets import Connection
from .spool import SpooledBlob, Stream
from .verifier import altered, truncated

_HUB_HOST = "registry-1.docker.io"


class RegistrySource:
    """An image by its reference; every blob comes once, whatever the number of zones."""

    def __init__(
        self,
        reference: Reference,
        connection: Connection,
        credential: Credential | None,
        directory: str,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not reference.tag and not reference.digest:
            reference = reference.with_tag(DEFAULT_TAG)
        host = _HUB_HOST if reference.registry == DOCKER_HUB else reference.registry
        self._reference = reference
        self._directory = directory
        self._http = HttpClient(f"https://{host}", connection, connection.ca_cert, credential, clock)
        self._client = RegistryClient(None, reference.registry, self._http)
        self._blobs: dict[str, SpooledBlob] = {}
        self._lock = threading.Lock()
        self.name = reference.name
        self.tag = reference.tag
        self.description = f"docker://{reference}"

    def root(self) -> Manifest:
        """Return what the reference names; its digest wins over its tag; raises SourceError."""
        return self._fetched(self._reference.digest or str(self._reference.tag), None)

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Return a manifest below it; raises SourceError."""
        return self._fetched(descriptor.digest, descriptor.media_type)

    def blob(self, descriptor: Descriptor) -> Body:
        """Return a blob, which is fetched when the first upload wants it."""
        with self._lock:
            if descriptor.digest not in self._blobs:
                self._blobs[descriptor.digest] = SpooledBlob(
                    descriptor,
                    f"the blob {descriptor.digest} of {self.description}",
                    self._directory,
                    lambda offset: self._stream(descriptor, offset),
                    self._http.attempts(),
                )
            return self._blobs[descriptor.digest]

    def read(self, descriptor: Descriptor) -> bytes:
        """Return a small blob; raises SourceError."""
        path = f"/v2/{self._reference.repository}/blobs/{descriptor.digest}"
        scope = frozenset({f"repository:{self._reference.repository}:pull"})
        response = self._http.request("GET", path, step=f"read the blob {descriptor.digest}", scopes=scope)
        where = f"the blob {descriptor.digest} of {self.description}"
        if response.status != 200:
            raise SourceError(f"{where} cannot be read: status {response.status}")
        if len(response.body) != descriptor.size:
            raise truncated(descriptor, where, len(response.body))
        if not matches(response.body, descriptor.digest):
            raise altered(descriptor, where, "something else")
        return response.body

    def tags(self) -> list[str]:
        """Return all tags of the repository."""
        try:
            return self._client.tags(self._reference.repository) or []
        except AppuioError as error:
            raise _source_error(error, self.description) from None

    def tagged(self, tag: str) -> Manifest | None:
        """Return what another tag names, or None."""
        try:
            found = self._client.get_manifest(self._reference.repository, tag)
        except AppuioError as error:
            raise _source_error(error, self.description) from None
        return parse_manifest(found.content, found.media_type) if found else None

    def referrers(self, digest: str) -> list[Descriptor]:
        """Return what refers to a digest, by the registry's API, else by the tag that stands in for it."""
        try:
            found = self._client.referrers(self._reference.repository, digest)
        except AppuioError as error:
            raise _source_error(error, self.description) from None
        index = found or self.tagged(fallback_tag(digest))
        return list(listed(index)) if index and index.is_index else []

    def release(self, descriptor: Descriptor) -> None:
        """Remove the file of a blob that every zone has."""
        with self._lock:
            blob = self._blobs.pop(descriptor.digest, None)
        if blob is not None:
            blob.release()

    def close(self) -> None:
        """Give back connections and files."""
        with self._lock:
            blobs, self._blobs = list(self._blobs.values()), {}
        for blob in blobs:
            blob.release()
        self._client.close()

    def _stream(self, descriptor: Descriptor, offset: int) -> AbstractContextManager[Stream]:
        return self._client.open_blob(self._reference.repository, descriptor.digest, offset)

    def _fetched(self, reference: str, media_type: str | None) -> Manifest:
        try:
            found = self._client.get_manifest(self._reference.repository, reference)
        except AppuioError as error:
            raise _source_error(error, self.description) from None
        if found is None:
            raise SourceError(
                f"{self.description} does not exist",
                step="read the source",
                server_message=f"{self._reference.registry} has no {reference} in {self._reference.repository}",
            )
        return parse_manifest(found.content, media_type or found.media_type)


def _source_error(error: AppuioError, description: str) -> AppuioError:
    """Say that it is the source that fails, not a zone."""
    if isinstance(error, NotFoundError):
        return SourceError(f"{description} does not exist", server_message=error.server_message)
    error.message = f"{description} cannot be read: {error.message}"
    error.hint = error.hint if "registr" not in str(error.hint) else None
    return error.at(step="read the source")
