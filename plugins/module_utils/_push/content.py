# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is brought to the zones, parcel by parcel; what a parcel holds may become known only on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Protocol, Sequence

from .._http.message import Body
from .._oci.model import Descriptor
from .._oci.walk import Image
from .._source.base import Source

Holds = Callable[[str], bool]


class Parcel(Protocol):
    """A blob of an image; ``size`` in bytes is what is known of it beforehand, so that the largest goes first."""

    @property
    def size(self) -> int:
        """Bytes, at most."""

    def descriptor(self) -> Descriptor:
        """Return the blob's descriptor, waiting until it is known; raises AppuioError."""


class Content(Protocol):
    """An image on its way."""

    @property
    def parcels(self) -> Sequence[Parcel]:
        """All blobs, each once."""

    def begin(self, held: Holds) -> None:
        """Start what takes time; ``held`` tells whether every zone has a blob, by its digest."""

    def image(self) -> Image:
        """Return the image, whose descriptors are all known now."""

    def body(self, blob: Descriptor) -> Body:
        """Return a blob as a body that several uploads may open; raises AppuioError."""

    def release(self, parcel: Parcel) -> None:
        """Forget a blob that every zone has, or that nobody needs any more."""

    def stop(self) -> None:
        """End what was begun, as nobody needs it any more; does not wait."""

    def close(self) -> None:
        """Remove what was made."""


@dataclass(frozen=True)
class KnownBlob:
    """A blob whose descriptor stands in a manifest."""

    blob: Descriptor

    @property
    def size(self) -> int:
        """Bytes of the blob."""
        return self.blob.size

    def descriptor(self) -> Descriptor:
        """Return the blob's descriptor."""
        return self.blob


class KnownImage:
    """An image whose manifests the source has, so that everything is known."""

    def __init__(self, image: Image, source: Source) -> None:
        self._image = image
        self._source = source
        self.parcels = [KnownBlob(blob) for blob in image.blobs]

    def begin(self, held: Holds) -> None:
        """Nothing has to be made."""

    def image(self) -> Image:
        """Return the image."""
        return self._image

    def body(self, blob: Descriptor) -> Body:
        """Return a blob of the source."""
        return self._source.blob(blob)

    def release(self, parcel: Parcel) -> None:
        """Let the source forget a blob."""
        self._source.release(parcel.descriptor())

    def stop(self) -> None:
        """Nothing was begun."""

    def close(self) -> None:
        """Nothing was made."""
