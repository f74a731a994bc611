# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every source of an image can do, and what is said of a blob that is not what its descriptor says.

Each blob is verified before a tag can point to it: one that comes over the network while it is read, one that is
compressed or unpacked by what its content is, a document in memory, and one that is sent as it is in a file by the
registry, which has to compute its digest anyway (OCI Distribution Specification 1.1, "Pushing a blob monolithically"),
or by us where the registry does not name the digest that it has stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple, Protocol, Union, runtime_checkable

from .._errors import SourceError
from .._oci.model import Descriptor

if TYPE_CHECKING:
    from typing import TypeGuard  # Python 3.10

    from .._http.message import Body
    from .._oci.archive_config import ArchiveConfig, ImageSummary
    from .._oci.model import Manifest
    from .local_file import Part


class Referrers(NamedTuple):
    """What refers to a digest, each once, and why something that does cannot be read."""

    entries: tuple[Descriptor, ...] = ()
    skipped: tuple[str, ...] = ()


class Source(Protocol):
    """An image that can be read at random; every byte it gives is verified, unless its body ``needs_verifying``."""

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

    def blob(self, descriptor: Descriptor, readers: int = 1) -> Body:
        """Return a blob as a body that so many uploads open at the same time; its reader raises SourceError."""

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
        """Return what another tag points to, or None; raises SourceError."""

    def referrers(self, digest: str) -> Referrers:
        """Return what refers to a digest; raises SourceError."""

    def manifest(self, descriptor: Descriptor) -> Manifest:
        """Return a manifest; raises SourceError."""

    def holds(self, descriptor: Descriptor) -> bool:
        """Whether the source has a blob, False only where that is known; raises SourceError."""

    def read(self, descriptor: Descriptor) -> bytes:
        """Return a small blob; raises SourceError."""


class Named(NamedTuple):
    """What a source names, as far as it is told without being given; the media type may be empty."""

    digest: str
    media_type: str


class HeadSource(Protocol):
    """A source that tells the digest of what it names without giving it."""

    def head(self) -> Named | None:
        """Return what the source names, None where that is nothing; raises SourceError."""


class UnverifiedBlob(Protocol):
    """A body whose bytes nobody has hashed yet."""

    def verify(self, check: Callable[[], None]) -> None:
        """Raise SourceError unless the bytes are the blob's, or what ``check`` raises, which is called meanwhile."""


class LimitedSource(Protocol):
    """A source that may give only so many manifests."""

    def check_limit(self, manifests: int) -> None:
        """Raise ServerError where it is known to give fewer than these now."""


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


# isinstance() would load ``inspect`` to look at a protocol, which takes a tenth of a push that changes nothing.
def is_archive(source: AnySource) -> TypeGuard[ArchiveSource]:
    """Whether the image has no manifest."""
    return hasattr(source, "summary")


def has_head(source: object) -> TypeGuard[HeadSource]:
    """Whether the source tells the digest of what it names without giving it."""
    return hasattr(source, "head")


def needs_verifying(body: object) -> TypeGuard[UnverifiedBlob]:
    """Whether the bytes of a body are only known to be right when somebody has verified them."""
    return hasattr(body, "verify")


def has_limit(source: object) -> TypeGuard[LimitedSource]:
    """Whether the source may give only so many manifests."""
    return hasattr(source, "check_limit")


_DAMAGED = "The source is damaged, or what is in front of it changes what passes: try again, or build or save it again"


def blob_name(descriptor: Descriptor, description: str) -> str:
    """Return what messages call a blob of a source."""
    return f"the blob {descriptor.digest} of {description}"


def altered(descriptor: Descriptor, where: str, found: str) -> SourceError:
    """Return the problem of a blob that is not what its digest says."""
    return SourceError(f"{where} is altered: it should be {descriptor.digest} and is {found}", hint=_DAMAGED)


def truncated(descriptor: Descriptor, where: str, size: int) -> SourceError:
    """Return the problem of a blob that is not as long as its descriptor says."""
    kind = "truncated" if size < descriptor.size else "too long"
    return SourceError(f"{where} is {kind}: it has {size} bytes and should have {descriptor.size}", hint=_DAMAGED)
