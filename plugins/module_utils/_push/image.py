# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image that is to be pushed, from what its source says at first to the blobs that every zone gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Protocol, Sequence

from .._errors import SourceError
from .._oci.model import Descriptor, Manifest, is_attestation
from .._oci.walk import platform_of, select
from .._source.base import Named, ReferrerSource, Source, has_head, has_limit
from .result import PushedImage

if TYPE_CHECKING:
    from .._http.message import Body
    from .._oci.contents import ImageContents, PartialImageError
    from .._source.growing import GrowingBody
    from .options import PushOptions
    from .plan import ZoneState
    from .referrers import Referrer
    from .zone_repository import ZoneRepository
    from .zone_upload import ZoneUpload


class PendingBlob:
    """A blob of an image; ``size`` in bytes is what is known of it beforehand, so that the largest goes first.

    ``growing`` waits, too, and returns what there is of it where it can be sent before its descriptor is known.
    """

    def __init__(
        self,
        size: int,
        resolve: Callable[[], Descriptor],
        growing: Callable[[], GrowingBody | None] = lambda: None,
    ) -> None:
        self.size = size
        self._resolve = resolve
        self.growing = growing

    @classmethod
    def known(cls, blob: Descriptor) -> PendingBlob:
        """Return a blob whose descriptor is known."""
        return cls(blob.size, lambda: blob)

    def descriptor(self) -> Descriptor:
        """Return the blob's descriptor, waiting until it is known; raises SourceError and CancelledError."""
        return self._resolve()


class Image(Protocol):
    """An image of a source. ``open`` comes first, then ``inspect`` and ``check``, then ``begin`` and the rest."""

    def open(self) -> PushedImage:
        """Return what the source says, without reading layers; raises SourceError."""

    def inspect(self, zone: ZoneRepository) -> ZoneState:
        """Return what a zone has of it; several zones are asked at the same time; raises AppuioError."""

    def check(self) -> PushedImage:
        """Return the same with what is needed to push it; raises SourceError for what cannot be pushed."""

    def begin(self, zones: Sequence[ZoneUpload]) -> None:
        """Start what takes time, for these zones; raises SourceError."""

    def blobs(self) -> Sequence[PendingBlob]:
        """Return all blobs, each once; ``begin`` comes before."""

    def contents(self) -> ImageContents:
        """Return the image, whose descriptors are all known when its blobs are in a zone; raises SourceError."""

    def body(self, blob: Descriptor) -> Body:
        """Return a blob as a body that several uploads may open; raises SourceError and CancelledError."""

    def release(self, blob: PendingBlob) -> None:
        """Forget a blob that every zone has, or that nobody needs any more."""

    def stop(self) -> None:
        """End what was begun, as nobody needs it any more; does not wait."""

    def close(self) -> None:
        """Give back what the source holds, and remove what was made."""


class ManifestImage:
    """An image whose manifest the source has: it is passed through byte for byte."""

    _root: Manifest
    _contents: ImageContents | None = None
    _warnings: tuple[str, ...] = ()
    _referrers: tuple[Referrer, ...] = ()
    _skipped: tuple[str, ...] = ()
    _readers = 1

    def __init__(self, source: Source, options: PushOptions) -> None:
        self._source = source
        self._options = options

    @property
    def referrers(self) -> tuple[Referrer, ...]:
        """What refers to the image and travels with it."""
        return self._referrers

    def open(self) -> PushedImage:
        """Return what the source names, of the platforms that are wanted; raises SourceError."""
        options = self._options
        top = self._source.root()
        self._root = root = select(top, self._source.manifest, options.platforms, self._source.read)
        if top.is_index and not root.is_index and not options.platforms:
            self._warnings = (f"{top.digest} is an index of one image without platform, of which that image is pushed",)
        check_expected(options, self._source.description, root.digest)
        size = None if root.is_index else sum(blob.size for blob in root.blobs)
        if options.referrers and isinstance(self._source, ReferrerSource):
            from .referrers import find_referrers

            found = find_referrers(self._source, root)
            self._referrers, self._skipped = found.tags, found.skipped
        if not options.tags:
            self._gather()  # what a zone has of an image without a tag shows by its blobs alone
        return self._pushed(self._platforms(), size)

    def head(self) -> Named | None:
        """Return what would be pushed, if the source tells that without being read; comes before ``open``.

        The index of one image that has no platform shows only when it is read. Raises SourceError.
        """
        options = self._options
        if options.platforms or options.referrers or not options.tags or not has_head(self._source):
            return None
        found = self._source.head()
        # What is not expected is reported when it is read.
        return found if found is not None and options.expected_digest in (None, found.digest) else None

    def inspect(self, zone: ZoneRepository) -> ZoneState:
        """Return what a zone has, by the digest."""
        blobs = self._contents.blobs if self._contents is not None else ()
        return zone.inspect(self._options, self._root.digest, blobs, self._referrers)

    def check(self) -> PushedImage:
        """Read all manifests; a file that is missing or too short shows here, before anything is uploaded."""
        contents = self._gather()
        for blob in contents.blobs:
            self._source.blob(blob)
        return self._pushed(contents.platforms, contents.size)

    def begin(self, zones: Sequence[ZoneUpload]) -> None:
        """Nothing has to be made; what goes to several zones is read once for all of them."""
        self._readers = len(zones)

    def blobs(self) -> Sequence[PendingBlob]:
        """Return all blobs."""
        return [PendingBlob.known(blob) for blob in self.contents().blobs]

    def contents(self) -> ImageContents:
        """Return the image with what refers to it."""
        return self._gather()

    def body(self, blob: Descriptor) -> Body:
        """Return a blob of the source."""
        return self._source.blob(blob, self._readers)

    def release(self, blob: PendingBlob) -> None:
        """Let the source forget a blob."""
        self._source.release(blob.descriptor())

    def stop(self) -> None:
        """Read no more of the source."""
        self._source.close()

    def close(self) -> None:
        """Give back what the source holds."""
        self._source.close()

    def _gather(self) -> ImageContents:
        if self._contents is None:
            from .._oci.contents import PartialImageError, gather
            from .._oci.referrers import check_pushable

            if self._root.entries and has_limit(self._source):
                self._source.check_limit(len(self._root.entries))
            try:
                contents = gather(self._root, self._source.manifest, self._source.read, self._source.holds)
            except PartialImageError as error:
                raise self._explained(error) from None
            check_pushable(contents, self._source.read)
            if self._referrers:
                from .referrers import with_referrers

                contents = with_referrers(contents, self._referrers)
            self._contents = contents
        return self._contents

    def _explained(self, error: PartialImageError) -> PartialImageError:
        """Return the error with what the source says of the content that is not there, such as the file's path."""
        try:
            self._source.blob(error.missing)
        except SourceError as cause:
            error.message += f" ({cause.message})"
        return error

    def _pushed(self, platforms: tuple[str, ...], size: int | None) -> PushedImage:
        root = self._root
        image_id = root.config.digest if root.config else None
        warnings = self._warnings
        if self._contents is not None and self._contents.foreign:
            names = ", ".join(blob.digest for blob in self._contents.foreign)
            warnings += (f"foreign layers are not in the source, and pulled from the addresses they name: {names}",)
        return PushedImage(
            self._source.description, root.digest, root.media_type, image_id, platforms, size, self._skipped, warnings
        )

    def _platforms(self) -> tuple[str, ...]:
        if self._root.is_index:
            entries = [entry for entry in self._root.entries if not is_attestation(entry)]
            return tuple(str(entry.platform) for entry in entries if entry.platform)
        there = platform_of(self._root, self._source.read)
        return (str(there),) if there else ()


def check_expected(options: PushOptions, description: str, digest: str) -> None:
    """Raise SourceError where the source is not what the user expects."""
    expected = options.expected_digest
    if expected and expected != digest:
        raise SourceError(
            f"{description} is {digest}, not {expected} as expected_digest says", hint="Nothing was uploaded"
        )
