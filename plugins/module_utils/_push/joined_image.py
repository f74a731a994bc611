# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An index of several sources of which some are archives, so that its digest is not known beforehand.

Zones are asked by what is known of its images: the digest of those that have a manifest, the image ID of the others.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Mapping, Sequence

from .._oci.contents import ImageContents
from .._oci.joined_index import Contribution, image_entry, joined_index, ordered_entries
from .._oci.model import OCI_INDEX, Descriptor, Manifest, Platform
from .._oci.platforms import normalised, platform_document
from .archive_image import ArchiveImage
from .image import Image, ManifestImage, PendingBlob
from .result import PushedImage

if TYPE_CHECKING:
    from .._http.message import Body
    from .._source.joined import JoinedSource
    from .options import PushOptions
    from .plan import ZoneState
    from .zone_repository import ZoneRepository
    from .zone_upload import ZoneUpload


class JoinedImage:
    """The images of ``source``, which have manifests, and archives, each with the platform that is given for it."""

    _pushed: PushedImage

    def __init__(
        self,
        source: JoinedSource | None,
        archives: Sequence[tuple[ArchiveImage, Platform | None]],
        options: PushOptions,
    ) -> None:
        self._source = source
        self._known = ManifestImage(source, options) if source is not None else None
        self._given = archives
        self._archives: dict[ArchiveImage, Platform] = {}
        self._images: list[Image] = [
            *([self._known] if self._known else ()),
            *(archive for archive, _given in archives),
        ]
        self._options = options
        self._pending: dict[PendingBlob, tuple[Image, PendingBlob]] = {}
        self._owners: dict[str, Image] = {}

    def open(self) -> PushedImage:
        """Return what the sources say, without reading layers; raises SourceError, for a platform that two have too."""
        known = self._known.open() if self._known else None
        self._archives = {archive: archive.open_as(given) for archive, given in self._given}
        # The digest of an archive's manifest is not known yet, and does not matter for the order.
        unknown = [
            Contribution(
                archive.description,
                ({"digest": archive.image_id, "size": 0, "platform": platform_document(platform)},),
            )
            for archive, platform in self._archives.items()
        ]
        contributions = [*self._contributions(), *unknown]
        entries = tuple(ordered_entries(contributions))
        self._pushed = PushedImage(
            ", ".join(source for source, _entries in contributions),
            None,
            OCI_INDEX,
            platforms=Contribution("", entries).platforms,
            skipped=known.skipped if known else (),
            warnings=known.warnings if known else (),
        )
        return self._pushed

    def inspect(self, zone: ZoneRepository) -> ZoneState:
        """Return what a zone has; a tag points to the image where its index is one of these images."""
        held: dict[ArchiveImage, Manifest] = {}
        referrers = self._known.referrers if self._known else ()
        state, _found = zone.inspect_by(self._options, lambda found: self._match(zone, found, held), referrers)
        for archive in self._archives:
            archive.hold(zone, held.get(archive) or archive.noted_manifest(zone))
        if not self._options.tags:
            state = state._replace(complete=self._is_complete(zone))
        return state

    def check(self) -> PushedImage:
        """Check all sources; the digest is known where every archive is in a zone already."""
        checked = [image.check() for image in self._images]
        warnings = tuple(warning for one in checked for warning in one.warnings)
        adopted = {archive: archive.adopted for archive in self._archives}
        manifests = {archive: manifest for archive, manifest in adopted.items() if manifest is not None}
        digest = self._index(manifests).digest if len(manifests) == len(adopted) else None
        self._pushed = self._pushed._replace(digest=digest, warnings=warnings)
        return self._pushed

    def begin(self, zones: Sequence[ZoneUpload]) -> None:
        """Start what takes time in each image; raises SourceError."""
        for image in self._images:
            image.begin(zones)
        for image in self._images:
            for blob in image.blobs():
                self._pending[PendingBlob(blob.size, partial(self._resolve, image, blob), blob.growing)] = (image, blob)

    def blobs(self) -> Sequence[PendingBlob]:
        """Return the blobs of all images."""
        return list(self._pending)

    def contents(self) -> ImageContents:
        """Return the index with all that is below it, waiting for layers; raises SourceError and CancelledError."""
        known = self._known.contents() if self._known else None
        archives = {archive: archive.contents() for archive in self._archives}
        root = self._index({archive: contents.root for archive, contents in archives.items()})
        # The index of the known images alone stands last among theirs, and is not pushed.
        children = [*(known.manifests[:-1] if known else ()), *(contents.root for contents in archives.values())]
        parts = [*([known] if known else ()), *archives.values()]
        blobs = {blob.digest: blob for contents in parts for blob in contents.blobs}
        foreign = known.foreign if known else ()
        return ImageContents(root, (*children, root), tuple(blobs.values()), self._pushed.platforms, foreign)

    def body(self, blob: Descriptor) -> Body:
        """Return a blob of the image that has it."""
        return self._owners[blob.digest].body(blob)

    def release(self, blob: PendingBlob) -> None:
        """Let the image of a blob forget it."""
        image, inner = self._pending[blob]
        image.release(inner)

    def stop(self) -> None:
        """End what was begun in every image; does not wait."""
        for image in self._images:
            image.stop()

    def close(self) -> None:
        """Give back what all sources hold."""
        for image in self._images:
            image.close()

    def _contributions(self) -> list[Contribution]:
        return self._source.contributions() if self._source is not None else []

    def _index(self, manifests: Mapping[ArchiveImage, Manifest]) -> Manifest:
        """Return the index with these manifests of the archives."""
        own = [
            Contribution(archive.description, (image_entry(manifests[archive], platform),))
            for archive, platform in self._archives.items()
        ]
        return joined_index([*self._contributions(), *own])

    def _match(self, zone: ZoneRepository, found: Manifest, held: dict[ArchiveImage, Manifest]) -> Manifest | None:
        """Return an index of a zone if it is of these images; ``held`` gets the archives' manifests that are in it."""
        there: dict[ArchiveImage, Manifest] = {}
        for archive, platform in self._archives.items():
            for entry in found.entries:
                if entry.platform and normalised(entry.platform) == normalised(platform):
                    manifest = zone.manifest_with_id(entry.digest, archive.image_id)
                    if manifest is not None:
                        there[archive] = manifest
        for archive, manifest in there.items():
            held.setdefault(archive, manifest)
        if len(there) < len(self._archives):
            return None
        return found if self._index(there).digest == found.digest else None

    def _is_complete(self, zone: ZoneRepository) -> bool:
        """Whether a zone has all blobs, as far as is known what they are; raises AppuioError."""
        noted = [archive.noted_blobs(zone) for archive in self._archives]
        known = [blob.digest for blob in self._known.contents().blobs] if self._known else []
        return all(noted) and zone.holds_all([*known, *(digest for digests in noted for digest in digests)])

    def _resolve(self, image: Image, blob: PendingBlob) -> Descriptor:
        """Return the descriptor of a blob, and remember whose it is."""
        descriptor = blob.descriptor()
        self._owners[descriptor.digest] = image
        return descriptor
