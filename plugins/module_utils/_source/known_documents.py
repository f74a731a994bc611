# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests and configurations that a registry gave in an earlier run: its answer to HEAD says whether they still hold.

Where they are kept is no matter, as each is proven by its digest.
"""

from __future__ import annotations

from .._oci.model import Descriptor, Manifest, digest_of, parse_manifest
from .._user_cache import Cache
from .base import Source, has_head

_KIND = "documents"
# What is larger is read again, as a few of them would fill the cache.
_LARGEST = 32 * 1024


class KnownDocuments:
    """What one source names, and what is below it, read from the cache where that is possible."""

    def __init__(self, source: Source, cache: Cache) -> None:
        self._source = source
        self._cache = cache
        # What costs no request is read from the source itself.
        self._asks = has_head(source)

    def root(self) -> Manifest:
        """Return what the source names; raises AppuioError."""
        named = self._source.head() if has_head(self._source) else None
        content = self._known(named.digest) if named is not None else None
        if named is None or content is None:
            return self._kept(self._source.root())
        return parse_manifest(content, named.media_type)

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Return a manifest below it; raises AppuioError."""
        content = self._known(descriptor.digest)
        if content is None:
            return self._kept(self._source.manifest(descriptor))
        return parse_manifest(content, descriptor.media_type)

    def read(self, descriptor: Descriptor) -> bytes:
        """Return a configuration; raises AppuioError."""
        content = self._known(descriptor.digest)
        if content is None:
            content = self._source.read(descriptor)
            self._keep(descriptor.digest, content)
        return content

    def _known(self, digest: str) -> bytes | None:
        found = self._cache.get(_KIND, digest) if self._asks else None
        if not isinstance(found, str):
            return None
        try:
            content = found.encode()
        except UnicodeError:
            return None
        return content if digest_of(content) == digest else None

    def _kept(self, manifest: Manifest) -> Manifest:
        self._keep(manifest.digest, manifest.content)
        return manifest

    def _keep(self, digest: str, content: bytes) -> None:
        if not self._asks or len(content) > _LARGEST:
            return
        try:
            self._cache.put(_KIND, digest, content.decode())
        except UnicodeError:
            pass  # it is read again
