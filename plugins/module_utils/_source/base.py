# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every source of an image can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, Union, runtime_checkable

if TYPE_CHECKING:
    from .._http.message import Body
    from .._oci.archive_config import ArchiveConfig, ImageSummary
    from .._oci.model import Descriptor, Manifest
    from .part import Part


class Referrers(NamedTuple):
    """What refers to a digest, each once, and why something that does cannot be read."""

    entries: tuple[Descriptor, ...] = ()
    skipped: tuple[str, ...] = ()


class Source(Protocol):
    """An image that can be read at random; every byte it gives is checked against its digest."""

    @property
    def description(self) -> str:
        """The source as the user would write it, with what was found out about it."""

    @property
    def name(self) -> str:
        """What the image would be called in a namespace."""

    @property
    def tag(self) -> str | None:
        """The tag that the source says."""

    def root(self) -> Manifest:
        """Return the manifest or index that the source names; raises SourceError."""

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Return a manifest below it; raises SourceError."""

    def blob(self, descriptor: Descriptor) -> Body:
        """Return a blob as a body that several uploads may open; its reader raises SourceError."""

    def read(self, descriptor: Descriptor) -> bytes:
        """Return a small blob, a configuration; raises SourceError."""

    def holds(self, descriptor: Descriptor) -> bool:
        """Whether the source has a blob, False only where that is known; raises SourceError."""

    def release(self, descriptor: Descriptor) -> None:
        """Forget a blob that nobody needs any more."""

    def close(self) -> None:
        """Give back what the source holds."""


@runtime_checkable
class ReferrerSource(Protocol):
    """A source that knows what is attached to an image."""

    def tags(self) -> list[str]:
        """Return all tags beside the image's; raises SourceError."""

    def tagged(self, tag: str) -> Manifest | None:
        """Return what another tag names, or None; raises SourceError."""

    def referrers(self, digest: str) -> Referrers:
        """Return what refers to a digest; raises SourceError."""

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Return a manifest; raises SourceError."""

    def holds(self, descriptor: Descriptor) -> bool:
        """Whether the source has a blob, False only where that is known; raises SourceError."""

    def read(self, descriptor: Descriptor) -> bytes:
        """Return a small blob; raises SourceError."""


@runtime_checkable
class ArchiveSource(Protocol):
    """An image without a manifest, whose layers may be uncompressed."""

    @property
    def description(self) -> str:
        """The source as the user would write it."""

    @property
    def name(self) -> str:
        """What the image would be called in a namespace."""

    @property
    def tag(self) -> str | None:
        """The tag that the source says."""

    def summary(self) -> ImageSummary:
        """Return what the image is, as cheaply as that can be known; raises SourceError."""

    def check(self) -> None:
        """Raise SourceError for what shows to be missing without reading layers."""

    def config(self) -> ArchiveConfig:
        """Return the image by its configuration; raises SourceError."""

    def layer(self, number: int) -> Part:
        """Return where the bytes of a layer are, compressed or not; raises SourceError."""

    def close(self) -> None:
        """Give back what the source holds."""


AnySource = Union[Source, ArchiveSource]
