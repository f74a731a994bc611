# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be pushed, from what a source says at first to what travels."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from .._errors import SourceError
from .._oci.model import Manifest
from .._oci.platforms import is_attestation
from .._oci.pushable import check_pushable
from .._oci.walk import Image, gather, platform_of, select
from .._source.base import ReferrerSource, Source
from .attachments import Found, find_attachments, with_attachments
from .content import Content, KnownImage
from .plan import ZoneState
from .report import Subject
from .wish import Wish
from .zone_push import ZonePush


class Shipment(Protocol):
    """An image of a source. ``open`` comes first, and ``check`` before ``content``."""

    def open(self) -> Subject:
        """Return what the source says without a look at its layers; raises SourceError."""

    def look(self, push: ZonePush) -> ZoneState:
        """Return what a zone has of it; raises AppuioError."""

    def check(self) -> Subject:
        """Return the same with what is needed to push it; raises SourceError for what cannot be pushed."""

    def content(self) -> Content:
        """Return what travels; raises SourceError."""

    def close(self) -> None:
        """Give back what the source holds."""


class KnownShipment:
    """An image whose manifest the source has: it is passed through byte for byte."""

    _root: Manifest
    _image: Image
    _attached: Found = Found()

    def __init__(self, source: Source, wish: Wish) -> None:
        self._source = source
        self._wish = wish

    def open(self) -> Subject:
        """Return what the source names, of the platforms that are wanted; raises SourceError."""
        self._root = root = select(self._source.root(), self._source.manifest, self._wish.platforms, self._source.read)
        check_expected(self._wish, self._source.description, root.digest)
        size = None if root.is_index else sum(blob.size for blob in root.blobs)
        if self._wish.referrers and isinstance(self._source, ReferrerSource):
            self._attached = find_attachments(self._source, root)
        return self._subject(self._platforms(), size)

    def look(self, push: ZonePush) -> ZoneState:
        """Return what a zone has, by the digest."""
        return push.look(self._wish, self._root.digest, self._attached.attachments)

    def check(self) -> Subject:
        """Read all manifests; a file that is missing or too short shows here, before anything is uploaded."""
        image = gather(self._root, self._source.manifest, self._source.read, self._source.holds)
        check_pushable(image, self._source.read)
        self._image = with_attachments(image, self._attached.attachments)
        for blob in self._image.blobs:
            self._source.blob(blob)
        return self._subject(self._image.platforms, self._image.size)

    def content(self) -> Content:
        """Return the image with all its blobs."""
        return KnownImage(self._image, self._source)

    def close(self) -> None:
        """Give back what the source holds."""
        self._source.close()

    def _subject(self, platforms: tuple[str, ...], size: int | None) -> Subject:
        root = self._root
        image_id = root.config.digest if root.config else None
        return Subject(
            self._source.description, root.digest, root.media_type, image_id, platforms, size, self._attached.left
        )

    def _platforms(self) -> tuple[str, ...]:
        if self._root.is_index:
            entries = [entry for entry in self._root.entries if not is_attestation(entry)]
            return tuple(str(entry.platform) for entry in entries if entry.platform)
        there = platform_of(self._root, self._source.read)
        return (str(there),) if there else ()


def settled(subject: Subject, image: Image) -> Subject:
    """Return the subject with what is known of the image once all of it has travelled."""
    root = image.root
    return replace(subject, digest=root.digest, media_type=root.media_type, size=image.size)


def check_expected(wish: Wish, description: str, digest: str) -> None:
    """Raise SourceError where the source is not what the user expects."""
    expected = wish.expected_digest
    if expected and expected != digest:
        raise SourceError(
            f"{description} is {digest}, not {expected} as expected_digest says", hint="Nothing was uploaded"
        )
