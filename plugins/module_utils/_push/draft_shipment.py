# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image of an archive or an engine that is to be pushed."""

from __future__ import annotations

from .._cache.cache import Cache
from .._compression.compressors import Compressor
from .._errors import SourceError
from .._oci.archive_config import ImageSummary
from .._oci.platforms import normalised
from .._source.base import ArchiveSource
from .content import Content
from .draft_content import DraftImage
from .plan import ZoneState
from .report import Subject
from .shipment import check_expected
from .wish import Wish
from .zone_push import ZonePush


class DraftShipment:
    """An image without a manifest: zones are asked for its configuration, and its layers compressed on the way."""

    _subject: Subject

    def __init__(self, source: ArchiveSource, wish: Wish, compressor: Compressor, notes: Cache, directory: str) -> None:
        self._source = source
        self._wish = wish
        self._compressor = compressor
        self._notes = notes
        self._directory = directory

    def open(self) -> Subject:
        """Return what the source says; ``expected_digest`` is compared with the image ID; raises SourceError."""
        outline = self._source.summary()
        check_expected(self._wish, self._source.description, outline.image_id)
        _check_platform(self._wish, outline)
        platforms = (str(outline.platform),) if outline.platform else ()
        self._subject = Subject(self._source.description, None, None, outline.image_id, platforms)
        return self._subject

    def look(self, push: ZonePush) -> ZoneState:
        """Return what a zone has, by the image ID."""
        return push.look_for_id(self._wish, str(self._subject.image_id))

    def check(self) -> Subject:
        """Nothing more is known before the layers are compressed."""
        self._source.check()
        return self._subject

    def content(self) -> Content:
        """Return the image, whose layers have to be compressed."""
        return DraftImage(self._source, self._source.config(), self._compressor, self._notes, self._directory)

    def close(self) -> None:
        """Give back what the source holds."""
        self._source.close()


def _check_platform(wish: Wish, outline: ImageSummary) -> None:
    there = normalised(outline.platform) if outline.platform else None
    if outline.others and not wish.platforms:
        others = ", ".join(str(platform) for platform in outline.others)
        raise SourceError(
            f"the source has the image for {there} and for {others}, and this notation gives the first only",
            hint=f"Push all of them from oci-archive:, or this one: platforms: [{there}]",
        )
    if wish.platforms and wish.platforms != (there,):
        names = ", ".join(str(platform) for platform in wish.platforms)
        raise SourceError(f"the source is one image for {there or 'an unknown platform'}, not for {names}")
