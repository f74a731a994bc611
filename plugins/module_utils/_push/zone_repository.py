# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The repository of one zone as a push finds it: what its tags point to, and which blobs it has."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Callable, Sequence, TypeVar

from .._errors import AppuioError, SourceError
from .._oci.model import Descriptor, Manifest, parse_manifest
from .._registry.manifest_reader import ManifestReader, ManifestResponse
from .._zones.fanout import at_once
from .plan import ReferrerTag, ZoneState

if TYPE_CHECKING:
    from .._registry.client import RegistryClient
    from .._zones.session import ZoneSession
    from .options import PushOptions
    from .referrers import Referrer

T = TypeVar("T")


class ZoneRepository:
    """A repository of the zone of a session, asked by ``manifests``, and by ``registry``; safe for several threads."""

    def __init__(self, session: ZoneSession, repository: str, manifests: ManifestReader) -> None:
        self.session = session
        self.zone = session.name
        self.repository = repository
        self.manifests = manifests

    @property
    def registry(self) -> RegistryClient:
        """The registry, over the same connections."""
        return self.session.client(self.manifests)

    def inspect(
        self, options: PushOptions, digest: str, blobs: Sequence[Descriptor], referrers: Sequence[Referrer] = ()
    ) -> ZoneState:
        """Return what the wanted tags point to; one request per tag, at the same time; raises AppuioError.

        Without tags, what the repository has of the image is asked instead; ``blobs`` are all of it then.
        """
        tags = tuple(self._inspect_referrer(referrer) for referrer in referrers)
        if not options.tags:
            readable = self.manifests.holds_manifest(self.repository, digest)
            complete = readable or self.holds_all([blob.digest for blob in blobs])
            return ZoneState({}, readable=readable, complete=complete, referrers=tags)
        found = self._each(options, lambda tag: self.manifests.head_manifest(self.repository, tag))
        same = {tag for tag, manifest in found.items() if manifest and manifest.digest == digest}
        return self._state(found, same, tags)

    def inspect_by(
        self, options: PushOptions, match: Callable[[Manifest], T | None], referrers: Sequence[Referrer] = ()
    ) -> tuple[ZoneState, T | None]:
        """Return the same where the digest is not known: a tag points to the image if ``match`` returns something.

        What it returned for the first such tag comes along.
        """
        tags = tuple(self._inspect_referrer(referrer) for referrer in referrers)
        found = self._each(options, lambda tag: self.manifests.get_manifest(self.repository, tag))
        same = {
            tag: match(manifest) for tag, manifest in ((tag, _parsed(one)) for tag, one in found.items()) if manifest
        }
        same = {tag: matched for tag, matched in same.items() if matched is not None}
        return self._state(found, set(same), tags), next(iter(same.values()), None)

    def manifest_with_id(self, digest: str, image_id: str) -> Manifest | None:
        """Return the manifest of a digest if the zone has it and it is of this image; raises nothing."""
        with suppress(AppuioError):
            if self.manifests.holds_manifest(self.repository, digest):
                return with_id(_parsed(self.manifests.get_manifest(self.repository, digest)), image_id)
        return None

    def holds(self, digest: str) -> bool:
        """Whether the repository has a blob; False also where that cannot be asked."""
        with suppress(AppuioError):
            return self.registry.has_blob(self.repository, digest)
        return False

    def holds_all(self, digests: Sequence[str]) -> bool:
        """Whether the repository has all these blobs, of which there has to be one; raises AppuioError."""
        return bool(digests) and all(self.registry.has_blob(self.repository, digest) for digest in digests)

    def _inspect_referrer(self, referrer: Referrer) -> ReferrerTag:
        found = self.manifests.get_manifest(self.repository, referrer.tag)
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


def with_id(manifest: Manifest | None, image_id: str) -> Manifest | None:
    """Return a manifest if it is of the image with this configuration."""
    return manifest if manifest is not None and manifest.config and manifest.config.digest == image_id else None


def _parsed(found: ManifestResponse | None) -> Manifest | None:
    try:
        return parse_manifest(found.content, found.media_type) if found is not None else None
    except SourceError:
        return None
