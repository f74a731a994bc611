# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One zone of a push: what it has, and its blobs, manifests and tags."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

from .._http.message import Body
from .._oci.model import Descriptor, Manifest
from .._oci.walk import Image
from .._registry.client import BlobsMissing, RegistryClient
from .._registry.upload import Upload
from .plan import ZonePlan, ZoneState
from .report import Outcome
from .wish import Wish

BodyOf = Callable[[Descriptor], Body]


class ZonePush:
    """The repository of one zone, and what has happened there."""

    def __init__(self, client: RegistryClient, repository: str) -> None:
        self.client = client
        self.repository = repository
        self.outcome = Outcome()
        self._counting = threading.Lock()

    def look(self, wish: Wish, digest: str) -> ZoneState:
        """Return what the wanted tags name; one request per tag, at the same time; raises Problem."""
        if not wish.tags:
            return ZoneState({}, holds_digest=self.client.holds_manifest(self.repository, digest))
        with ThreadPoolExecutor(min(wish.jobs, len(wish.tags))) as pool:
            found = list(pool.map(lambda tag: self.client.head_manifest(self.repository, tag), wish.tags))
        digests = {tag: manifest.digest if manifest else None for tag, manifest in zip(wish.tags, found)}
        exists = True
        if not any(digests.values()):
            exists = self.client.tags(self.repository) is not None
        return ZoneState(digests, exists)

    def push_blob(self, blob: Descriptor, body_of: BodyOf, plan: ZonePlan) -> None:
        """Bring one blob into the repository; one that cannot be there is not asked for; raises Problem."""
        if not plan.empty and self.client.has_blob(self.repository, blob.digest):
            with self._counting:
                self.outcome.existing += 1
            return
        self._upload(blob, body_of)

    def push_manifest(self, manifest: Manifest, reference: str, image: Image, body_of: BodyOf) -> None:
        """Put a manifest; a blob that the registry lost meanwhile is brought once more; raises Problem."""
        try:
            self.client.put_manifest(self.repository, reference, manifest.content, manifest.media_type)
        except BlobsMissing as missing:
            lost = [blob for blob in image.blobs if blob.digest in missing.digests]
            if not lost:
                raise
            for blob in lost:
                self._upload(blob, body_of)
            self.client.put_manifest(self.repository, reference, manifest.content, manifest.media_type)

    def _upload(self, blob: Descriptor, body_of: BodyOf) -> None:
        how = Upload(self.client, self.repository, blob, body_of(blob)).run()
        with self._counting:
            if how == "mounted":
                self.outcome.mounted += 1
            else:
                self.outcome.uploaded += 1
                self.outcome.bytes_uploaded += blob.size
