# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One zone of a push: what it has, and its blobs, manifests and tags."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Callable, Sequence

from .._errors import AppuioError, SourceError
from .._http.message import Body
from .._oci.model import Descriptor, Manifest, parse_manifest
from .._oci.walk import Image
from .._registry.client import BlobsMissingError, ManifestResponse, RegistryClient
from .._registry.upload import Upload
from .attachments import Attachment
from .blob_places import BlobPlaces
from .plan import Attached, ZonePlan, ZoneState
from .report import Outcome
from .wish import Wish

BodyOf = Callable[[Descriptor], Body]


class ZonePush:
    """The repository of one zone, and what has happened there."""

    def __init__(self, client: RegistryClient, repository: str, places: BlobPlaces) -> None:
        self.client = client
        self._places = places
        self.repository = repository
        self.outcome = Outcome()
        self._counting = threading.Lock()

    def look(self, wish: Wish, digest: str, attachments: Sequence[Attachment] = ()) -> ZoneState:
        """Return what the wanted tags name; one request per tag, at the same time; raises AppuioError."""
        attached = tuple(self._attached(attachment) for attachment in attachments)
        if not wish.tags:
            holds = self.client.holds_manifest(self.repository, digest)
            return ZoneState({}, holds_digest=holds, attached=attached)
        found = self._each(wish, lambda tag: self.client.head_manifest(self.repository, tag))
        same = {tag for tag, manifest in found.items() if manifest and manifest.digest == digest}
        return replace(self._state(found, same), attached=attached)

    def look_for_id(self, wish: Wish, image_id: str) -> ZoneState:
        """Return the same where only the image's configuration is known, for which manifests are read."""
        found = self._each(wish, lambda tag: self.client.get_manifest(self.repository, tag))
        return self._state(found, {tag for tag, manifest in found.items() if manifest and _has_id(manifest, image_id)})

    def holds(self, digest: str) -> bool:
        """Whether the repository has a blob; False also where that cannot be asked."""
        try:
            return self.client.has_blob(self.repository, digest)
        except AppuioError:
            return False

    def push_blob(self, blob: Descriptor, body_of: BodyOf, plan: ZonePlan) -> str:
        """Return how a blob came to be in the repository: ``existing``, ``mounted`` or ``uploaded``.

        One that cannot be there is not asked for.
        """
        if not plan.empty and self.client.has_blob(self.repository, blob.digest):
            self._places.note(self.client.registry, self.repository, blob)
            with self._counting:
                self.outcome.existing += 1
            return "existing"
        return self._upload(blob, body_of)

    def push_manifest(self, manifest: Manifest, reference: str, image: Image, body_of: BodyOf) -> None:
        """Put a manifest; a blob that the registry lost meanwhile is brought once more; raises AppuioError."""
        try:
            self.client.put_manifest(self.repository, reference, manifest.content, manifest.media_type)
        except BlobsMissingError as missing:
            lost = [blob for blob in image.blobs if blob.digest in missing.digests]
            if not lost:
                raise
            for blob in lost:
                self._upload(blob, body_of)
            self.client.put_manifest(self.repository, reference, manifest.content, manifest.media_type)

    def _attached(self, attachment: Attachment) -> Attached:
        found = self.client.get_manifest(self.repository, attachment.tag)
        existing = parse_manifest(found.content, found.media_type) if found else None
        return Attached(attachment.tag, found.digest if found else None, attachment.wanted(existing))

    def _each(self, wish: Wish, ask: Callable[[str], ManifestResponse | None]) -> dict[str, ManifestResponse | None]:
        if not wish.tags:
            return {}
        with ThreadPoolExecutor(min(wish.jobs, len(wish.tags))) as pool:
            return dict(zip(wish.tags, pool.map(ask, wish.tags)))

    def _state(self, found: dict[str, ManifestResponse | None], same: set[str]) -> ZoneState:
        exists = any(found.values()) or self.client.tags(self.repository) is not None
        digests = {tag: manifest.digest if manifest else None for tag, manifest in found.items()}
        return ZoneState(digests, frozenset(same), exists)

    def _upload(self, blob: Descriptor, body_of: BodyOf) -> str:
        places = self._places.of(self.client.registry, self.repository, blob)
        how = Upload(self.client, self.repository, blob, body_of(blob)).run(places)
        self._places.note(self.client.registry, self.repository, blob)
        with self._counting:
            if how == "mounted":
                self.outcome.mounted += 1
            else:
                self.outcome.uploaded += 1
                self.outcome.bytes_uploaded += blob.size
        return how


def _has_id(found: ManifestResponse, image_id: str) -> bool:
    try:
        config = parse_manifest(found.content, found.media_type).config
    except SourceError:
        return False
    return config is not None and config.digest == image_id
