# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One zone's part of a push: the blobs and manifests that its repository gets, and what came of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Callable

from .._errors import CancelledError
from .._oci.model import Descriptor
from .._registry.client import BlobsMissingError
from .plan import ZonePlan
from .progress import ProgressBody
from .result import ZoneResult
from .zone_repository import ZoneRepository

if TYPE_CHECKING:
    from .._http.message import Body
    from .._oci.contents import ImageContents
    from .._zones.zone_tags import TaggedManifest
    from .early_blob import EarlyBlob
    from .mount_cache import MountCache
    from .progress import UploadProgress

    BodyOf = Callable[[Descriptor], Body]


class ZoneUpload(ZoneRepository):
    """The repository of one zone that gets an image; safe for several threads."""

    def __init__(self, found: ZoneRepository, plan: ZonePlan, mounts: MountCache, progress: UploadProgress) -> None:
        super().__init__(found.session, found.repository, found.manifests)
        self.plan = plan
        self.result = ZoneResult()
        self.moving = False
        self._mounts = mounts
        self._progress = progress
        self._cancelled: str | None = None
        self._lock = threading.Lock()

    @property
    def cancelled(self) -> bool:
        """Whether nothing more is to be sent to this zone."""
        return self._cancelled is not None

    def push_blob(self, blob: Descriptor, body_of: BodyOf, early: EarlyBlob | None = None) -> bool:
        """Bring a blob into the repository; return whether its bytes were sent; one that cannot be there is sent.

        ``early`` is what was sent of it already, which is gone on with where it is needed.
        """
        if not self.plan.empty and self.registry.has_blob(self.repository, blob.digest):
            self._mounts.add(self.registry.registry, self.repository, blob)
            with self._lock:
                self.result.existing += 1
            return False
        return self._upload(blob, body_of, early)

    def push_manifest(self, manifest: TaggedManifest, reference: str, image: ImageContents, body_of: BodyOf) -> None:
        """Put a manifest; a blob that the registry lost meanwhile is brought once more; raises AppuioError."""
        try:
            self.registry.put_manifest(self.repository, reference, manifest.content, manifest.media_type)
        except BlobsMissingError as missing:
            lost = [blob for blob in image.blobs if blob.digest in missing.digests]
            if not lost:
                raise
            for blob in lost:
                self._upload(blob, body_of)
            self.registry.put_manifest(self.repository, reference, manifest.content, manifest.media_type)

    def body(self, body: Body) -> ProgressBody:
        """Return a body whose bytes count for this zone, and that ends when the zone is cancelled."""
        return ProgressBody(body, lambda count: self._progress.advance(self.zone, count), self.check_cancelled)

    def expect(self, count: int) -> None:
        """Take more bytes into account, or fewer."""
        self._progress.expect(self.zone, count)

    def cancel(self, reason: str, abort: bool = False) -> None:
        """Send nothing more; ``abort`` also ends requests that are running, unless they move a tag."""
        if self._cancelled is None:
            self._cancelled = reason
        if abort and not self.moving:
            self.registry.http.abort()

    def check_cancelled(self) -> None:
        """Raise CancelledError where nothing more is to be sent."""
        if self._cancelled is not None:
            raise CancelledError(self._cancelled, zone=self.zone)

    def end(self, seconds: float) -> None:
        """Note how long it took, in seconds, and tell that nothing follows for this zone."""
        self.result.duration = seconds
        self._progress.end(self.zone, "failed" if self.result.error or self.cancelled else "uploaded")

    def _upload(self, blob: Descriptor, body_of: BodyOf, early: EarlyBlob | None = None) -> bool:
        from .._registry.upload import Upload  # a push of which the zone has all blobs needs none

        self.check_cancelled()
        candidates = self._mounts.repositories(self.registry.registry, self.repository, blob)
        session, body = early.taken(body_of(blob)) if early and not candidates else (None, self.body(body_of(blob)))
        how = Upload(self.registry, self.repository, blob, body, body.verify).run(candidates, session)
        self._mounts.add(self.registry.registry, self.repository, blob)
        with self._lock:
            if how == "mounted":
                self.result.mounted += 1
            else:
                self.result.uploaded += 1
                self.result.bytes_uploaded += blob.size
        return how == "uploaded"
