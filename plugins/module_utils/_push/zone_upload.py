# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One zone's part of a push: what its repository has, the blobs and manifests that it gets, and what came of it.

Blobs are mounted from repositories that are known to hold them, by earlier pushes: OCI Distribution Specification 1.1,
"Mounting a blob from another repository". What is kept may be wrong by now: then the registry begins an upload instead,
and nothing is lost.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Callable, Sequence, TypeVar

from .._errors import AppuioError, CancelledError, SourceError
from .._oci.model import Descriptor, Manifest, parse_manifest
from .._registry.client import BlobsMissingError, RegistryClient
from .._registry.manifest_reader import ManifestResponse
from .._zones.fanout import at_once
from .plan import ReferrerTag, ZonePlan, ZoneState
from .result import ZoneResult

if TYPE_CHECKING:
    from .._cache.cache import Cache
    from .._http.message import Body
    from .._oci.contents import ImageContents
    from .._zones.zone_tags import TaggedManifest
    from .early_blob import EarlyBlob
    from .options import PushOptions
    from .progress import ProgressBody, UploadProgress
    from .referrers import Referrer

    BodyOf = Callable[[Descriptor], Body]

T = TypeVar("T")
_MOUNTS = "places"
_MOST_REPOSITORIES = 4
_SMALLEST_MOUNTED = 32 * 1024


class MountCache:
    """In which repositories of a namespace a blob was, by earlier pushes."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def repositories(self, registry: str, repository: str, blob: Descriptor) -> list[str]:
        """Return other repositories of the namespace that had the blob, the latest first."""
        if blob.size < _SMALLEST_MOUNTED:
            return []
        namespace = repository.partition("/")[0]
        return [
            other
            for other in self._known(registry, blob)
            if other != repository and other.partition("/")[0] == namespace
        ]

    def add(self, registry: str, repository: str, blob: Descriptor) -> None:
        """Keep that a repository has the blob now."""
        if blob.size < _SMALLEST_MOUNTED:
            return
        known = self._known(registry, blob)
        if known[:1] != [repository]:
            latest = [repository, *(other for other in known if other != repository)]
            self._cache.put(_MOUNTS, f"{registry} {blob.digest}", latest[:_MOST_REPOSITORIES])

    def _known(self, registry: str, blob: Descriptor) -> list[str]:
        known = self._cache.get(_MOUNTS, f"{registry} {blob.digest}")
        return [str(one) for one in known] if isinstance(known, list) else []


class ZoneUpload:
    """The repository of one zone; safe for several threads. ``plan`` is set once it is known what is to be done."""

    plan: ZonePlan

    def __init__(
        self, zone: str, registry: RegistryClient, repository: str, mounts: MountCache, progress: UploadProgress
    ) -> None:
        self.zone = zone
        self.registry = registry
        self.repository = repository
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

    def inspect(
        self, options: PushOptions, digest: str, blobs: Sequence[Descriptor], referrers: Sequence[Referrer] = ()
    ) -> ZoneState:
        """Return what the wanted tags point to; one request per tag, at the same time; raises AppuioError.

        Without tags, what the repository has of the image is asked instead; ``blobs`` are all of it then.
        """
        tags = tuple(self._inspect_referrer(referrer) for referrer in referrers)
        if not options.tags:
            readable = self.registry.holds_manifest(self.repository, digest)
            complete = readable or self.holds_all([blob.digest for blob in blobs])
            return ZoneState({}, readable=readable, complete=complete, referrers=tags)
        found = self._each(options, lambda tag: self.registry.head_manifest(self.repository, tag))
        same = {tag for tag, manifest in found.items() if manifest and manifest.digest == digest}
        return self._state(found, same, tags)

    def inspect_by(
        self, options: PushOptions, match: Callable[[Manifest], T | None], referrers: Sequence[Referrer] = ()
    ) -> tuple[ZoneState, T | None]:
        """Return the same where the digest is not known: a tag points to the image if ``match`` returns something.

        What it returned for the first such tag comes along.
        """
        tags = tuple(self._inspect_referrer(referrer) for referrer in referrers)
        found = self._each(options, lambda tag: self.registry.get_manifest(self.repository, tag))
        same = {
            tag: match(manifest) for tag, manifest in ((tag, _parsed(one)) for tag, one in found.items()) if manifest
        }
        same = {tag: matched for tag, matched in same.items() if matched is not None}
        return self._state(found, set(same), tags), next(iter(same.values()), None)

    def manifest_with_id(self, digest: str, image_id: str) -> Manifest | None:
        """Return the manifest of a digest if the zone has it and it is of this image; raises nothing."""
        with suppress(AppuioError):
            if self.registry.holds_manifest(self.repository, digest):
                return with_id(_parsed(self.registry.get_manifest(self.repository, digest)), image_id)
        return None

    def holds(self, digest: str) -> bool:
        """Whether the repository has a blob; False also where that cannot be asked."""
        with suppress(AppuioError):
            return self.registry.has_blob(self.repository, digest)
        return False

    def holds_all(self, digests: Sequence[str]) -> bool:
        """Whether the repository has all these blobs, of which there has to be one; raises AppuioError."""
        return bool(digests) and all(self.registry.has_blob(self.repository, digest) for digest in digests)

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
        from .progress import ProgressBody

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

    def _inspect_referrer(self, referrer: Referrer) -> ReferrerTag:
        found = self.registry.get_manifest(self.repository, referrer.tag)
        existing = parse_manifest(found.content, found.media_type) if found else None
        return ReferrerTag(referrer.tag, found.digest if found else None, referrer.wanted(existing))

    def _each(
        self, options: PushOptions, ask: Callable[[str], ManifestResponse | None]
    ) -> dict[str, ManifestResponse | None]:
        found: dict[str, ManifestResponse | None] = {}
        waiting = list(reversed(options.tags))

        def work(_number: int) -> None:
            while waiting:
                try:
                    tag = waiting.pop()
                except IndexError:  # another thread took the last one
                    return
                found[tag] = ask(tag)

        at_once(work, range(min(options.jobs, len(options.tags))))
        return {tag: found[tag] for tag in options.tags}

    def _state(
        self, found: dict[str, ManifestResponse | None], same: set[str], referrers: tuple[ReferrerTag, ...] = ()
    ) -> ZoneState:
        exists = any(found.values()) or self.registry.tags(self.repository) is not None
        digests = {tag: manifest.digest if manifest else None for tag, manifest in found.items()}
        return ZoneState(digests, frozenset(same), exists, referrers=referrers)

    def _upload(self, blob: Descriptor, body_of: BodyOf, early: EarlyBlob | None = None) -> bool:
        from .._registry.upload import Upload  # a push that changes nothing needs none

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


def with_id(manifest: Manifest | None, image_id: str) -> Manifest | None:
    """Return a manifest if it is of the image with this configuration."""
    return manifest if manifest is not None and manifest.config and manifest.config.digest == image_id else None


def _parsed(found: ManifestResponse | None) -> Manifest | None:
    try:
        return parse_manifest(found.content, found.media_type) if found is not None else None
    except SourceError:
        return None
