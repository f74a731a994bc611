# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image in a registry (OCI Distribution Specification 1.1, "Pull")."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from .._errors import AppuioError, ServerError, SourceError
from .._http.message import Body, BytesBody
from .._http.retry import SYSTEM_CLOCK, Clock, ConnectionLostError
from .._json import LARGEST_DOCUMENT
from .._oci.model import (
    Descriptor,
    Manifest,
    MissingContentError,
    is_foreign_layer,
    is_index,
    matches,
    parse_manifest,
)
from .._reference import DEFAULT_TAG, DOCKER_HUB, Reference, is_digest
from .._registry.client import RegistryClient
from .._registry.manifest_reader import ManifestResponse
from .._targets import Connection, Credential
from .base import Named, Referrers, altered, blob_name, truncated
from .source_registries import UNKNOWN, SourceClients, source_error

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from .spool import SpooledBlob
    from .stream import Stream, StreamedBlob

_HUB_HOST = "registry-1.docker.io"
_STEP = "read the source"
# Configurations are read before a push and pushed then: what is small is kept, so that it comes once.
_SMALL = 256 * 1024


class RegistrySource:
    """An image by its reference; every blob comes once, whatever the number of zones, and to one without a file."""

    def __init__(
        self,
        reference: Reference,
        connection: Connection,
        credential: Credential | None,
        directory: str,
        clock: Clock = SYSTEM_CLOCK,
        clients: SourceClients | None = None,
    ) -> None:
        if not reference.tag and not reference.digest:
            reference = reference.with_tag(DEFAULT_TAG)
        host = _HUB_HOST if reference.registry == DOCKER_HUB else reference.registry
        self._reference = reference
        self._credential = credential
        self._directory = directory
        self._shared = clients is not None
        shared = clients or SourceClients(clock)
        self._http, self._limit = shared.client(f"https://{host}", connection, credential)
        self._client = RegistryClient(None, reference.registry, self._http, limit=self._limit)
        # An index needs one more for an image of it; what it is shows by asking for its digest.
        self._needed = 1
        self._blobs: dict[str, SpooledBlob | StreamedBlob] = {}
        self._small: dict[str, bytes] = {}
        self._tags: list[str] | None = None
        self._lock = threading.Lock()
        self.name = reference.name
        self.tag = reference.tag
        self.description = f"docker://{reference}"

    def head(self) -> Named | None:
        """Return digest and media type of what the reference names, without its bytes; None where it names nothing.

        Registries that count pulls do not count this (Docker Hub, "Docker Hub pull usage and limits"). A digest is
        known without asking. Raises AppuioError.
        """
        if self._reference.digest:
            return Named(self._reference.digest, "")
        try:
            found = self._client.head_manifest(self._reference.repository, str(self._reference.tag))
        except AppuioError as error:
            raise self._explained(error).at(step="read the source") from None
        if found is None:
            return None
        self._needed = 2 if is_index(found.media_type) else 1
        return Named(found.digest, found.media_type)

    def root(self) -> Manifest:
        """Return what the reference names; its digest wins over its tag; raises AppuioError."""
        found = self._get(self._reference.digest or str(self._reference.tag), self._needed)
        if found is None:
            raise SourceError(
                f"{self.description} does not exist",
                step="read the source",
                hint=UNKNOWN,
                server_message=f"{self._reference.registry} has no {self._reference.repository} of that name",
            )
        return parse_manifest(found.content, found.media_type)

    def check_limit(self, manifests: int) -> None:
        """Raise ServerError where the registry has said that it gives fewer manifests than these."""
        with self._limit.reading(self._reference.registry, self.description, manifests):
            pass

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Return a manifest below it; raises AppuioError, and MissingContentError where the registry has none."""
        found = self._get(descriptor.digest)
        if found is None:
            raise MissingContentError(f"{self.description} names {descriptor.digest}, which the registry does not have")
        return parse_manifest(found.content, descriptor.media_type or found.media_type)

    def blob(self, descriptor: Descriptor, readers: int = 1) -> Body:
        """Return a blob, which is fetched when the first upload wants it; into a file only where there are several."""
        from .stream import StreamedBlob

        with self._lock:
            if descriptor.digest in self._small:
                return BytesBody(self._small[descriptor.digest])
            blob = self._blobs.get(descriptor.digest)
            if blob is None:
                where, attempts = blob_name(descriptor, self.description), self._http.attempts()
                blob = StreamedBlob(descriptor, where, partial(self._stream, descriptor), attempts, self._explained)
            if readers > 1 and isinstance(blob, StreamedBlob):
                from .spool import SpooledBlob

                blob = SpooledBlob(blob, self._directory)
            self._blobs[descriptor.digest] = blob
            return blob

    def read(self, descriptor: Descriptor) -> bytes:
        """Return a small blob; raises AppuioError."""
        if descriptor.digest in self._small:
            return self._small[descriptor.digest]
        if descriptor.size > LARGEST_DOCUMENT:
            where = blob_name(descriptor, self.description)
            raise SourceError(f"{where} has {descriptor.size} bytes, as no configuration has")
        content = self._read(descriptor)
        if len(content) != descriptor.size:
            raise truncated(descriptor, blob_name(descriptor, self.description), len(content)).at(step=_STEP)
        if not matches(content, descriptor.digest):
            raise altered(descriptor, blob_name(descriptor, self.description), "something else").at(step=_STEP)
        if len(content) <= _SMALL:
            self._small[descriptor.digest] = content
        return content

    def holds(self, descriptor: Descriptor) -> bool:
        """Whether the registry has a blob; only asked for what may well lie elsewhere."""
        if not (descriptor.urls and is_foreign_layer(descriptor.media_type)):
            return True
        try:
            return self._client.has_blob(self._reference.repository, descriptor.digest)
        except AppuioError as error:
            raise self._explained(error) from None

    def tags(self) -> list[str]:
        """Return all tags of the repository; raises AppuioError."""
        if self._tags is None:
            try:
                self._tags = self._client.tags(self._reference.repository) or []
            except AppuioError as error:
                raise self._explained(error) from None
        return self._tags

    def tagged(self, tag: str) -> Manifest | None:
        """Return what another tag points to, or None; raises AppuioError."""
        found = self._get(tag)
        return parse_manifest(found.content, found.media_type) if found else None

    def referrers(self, digest: str) -> Referrers:
        """Return what refers to a digest, by the registry's API, and by the tag that stands in for it.

        The tag counts where there is no API, and where a registry that has one now still has the tag of older clients.
        """
        from .._oci.referrers import fallback_tag, listed

        tag = fallback_tag(digest)
        skipped: list[str] = []
        index = None
        try:
            index = self._client.referrers(self._reference.repository, digest)
        except SourceError as error:
            skipped.append(f"{digest}: the list of what refers to it cannot be read: {error}")
        except AppuioError as error:
            raise self._explained(error) from None
        entries = {entry.digest: entry for entry in listed(index)} if index else {}
        if index is None or tag in (self._tags or ()):
            try:
                by_tag = self.tagged(tag)
            except SourceError as error:
                by_tag = None
                skipped.append(f"{tag}: {error}")
            if by_tag is not None and by_tag.is_index:
                entries = {**{entry.digest: entry for entry in listed(by_tag)}, **entries}
        return Referrers(tuple(entries.values()), tuple(skipped))

    def release(self, descriptor: Descriptor) -> None:
        """Let go of a blob that every zone has."""
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
        if not self._shared:
            # Whoever waits for an answer would else do so until its time is out.
            self._client.abort()
            self._client.close()

    def _stream(self, descriptor: Descriptor, offset: int) -> AbstractContextManager[Stream]:
        return self._client.open_blob(self._reference.repository, descriptor.digest, offset)

    def _read(self, descriptor: Descriptor) -> bytes:
        attempts = self._http.attempts()
        while True:
            try:
                with self._client.open_blob(self._reference.repository, descriptor.digest) as opened:
                    return opened.read(LARGEST_DOCUMENT)
            except (ConnectionLostError, ServerError) as error:
                from .stream import tried_again

                if not tried_again(error, attempts):
                    raise self._explained(error) from None
            except AppuioError as error:
                raise self._explained(error) from None

    def _get(self, reference: str, needed: int = 1) -> ManifestResponse | None:
        step = "read the source" if not is_digest(reference) else f"read the manifest {reference}"
        with self._limit.reading(self._reference.registry, self.description, needed):
            try:
                return self._client.get_manifest(self._reference.repository, reference)
            except AppuioError as error:
                raise self._explained(error).at(step=step) from None

    def _explained(self, error: AppuioError) -> AppuioError:
        return source_error(error, self.description, self._reference.registry, self._credential)
