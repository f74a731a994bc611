# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an image consists of, read from a zone's registry: its platforms and how large it is."""

from __future__ import annotations

from dataclasses import dataclass

from .._errors import NotFoundError, SourceError
from .._http.retry import ConnectionLostError
from .._oci.contents import ImageContents, gather
from .._oci.model import Descriptor, Manifest, is_attestation, matches, parse_manifest
from .client import RegistryClient

_LARGEST_CONFIG = 4 * 1024 * 1024


@dataclass(frozen=True)
class ImageDetails:
    """``size`` are the bytes of all configurations and layers, each once; ``digest`` is what was read."""

    digest: str
    media_type: str
    size: int | None
    platforms: tuple[str, ...] = ()
    image_id: str | None = None


def image_details(registry: RegistryClient, repository: str, reference: str) -> ImageDetails | None:
    """Return the image of a tag or digest of a repository, None where there is none; raises AppuioError.

    The size is None where one of an index's images is not there.
    """
    found = registry.get_manifest(repository, reference)
    if found is None:
        return None
    try:
        root = parse_manifest(found.content, found.media_type)
    except SourceError:
        return ImageDetails(found.digest, found.media_type, None)
    identity = root.config.digest if root.config else None
    try:
        image = read_image(registry, repository, root, with_configuration=True)
    except (NotFoundError, SourceError):
        platforms = tuple(str(entry.platform) for entry in root.entries if entry.platform and not is_attestation(entry))
        return ImageDetails(found.digest, root.media_type, None, platforms, identity)
    return ImageDetails(found.digest, root.media_type, image.size, image.platforms, identity)


def read_image(
    registry: RegistryClient, repository: str, root: Manifest, with_configuration: bool = False
) -> ImageContents:
    """Return all that belongs to a manifest of a repository; raises AppuioError.

    The configuration of an image is only read where its platform is wanted.
    """

    def fetch(entry: Descriptor) -> Manifest:
        if not registry.holds_manifest(repository, entry.digest):
            raise _lacks(root, entry, repository)
        found = registry.get_manifest(repository, entry.digest)
        if found is None:
            raise _lacks(root, entry, repository)
        return parse_manifest(found.content, entry.media_type or found.media_type)

    def configuration(blob: Descriptor) -> bytes:
        if not with_configuration:
            return b""
        return _read(registry, repository, blob)

    return gather(root, fetch, configuration)


def _lacks(root: Manifest, entry: Descriptor, repository: str) -> NotFoundError:
    return NotFoundError(
        f"the index {root.digest} lists {entry.digest}, which is not in {repository}",
        hint="Push the image again with all its platforms",
    )


def _read(registry: RegistryClient, repository: str, blob: Descriptor) -> bytes:
    """Return a small blob, after retries; raises SourceError for other bytes than its digest names."""
    attempts = registry.http.attempts()
    while True:
        try:
            with registry.open_blob(repository, blob.digest) as opened:
                content = opened.read(_LARGEST_CONFIG)
        except ConnectionLostError:
            if not attempts.again():
                raise
            continue
        if not matches(content, blob.digest):
            raise SourceError(
                f"{registry.registry} sent other bytes than {blob.digest}",
                zone=registry.zone,
                hint="Push the image again",
            )
        return content
