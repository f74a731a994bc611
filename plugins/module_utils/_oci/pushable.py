# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What OpenShift's registry would store without a word and could not give back, found before anything is written; pure.

Observed on OpenShift 4.20: one configuration that is none of an image makes digests of its whole repository answer
500; content under another digest than sha256 is kept by its sha256 digest, so that nothing finds it.
"""

from __future__ import annotations

from typing import Callable

from .._errors import SourceError
from .model import Descriptor
from .referrers import taken_by_openshift
from .walk import LARGEST_MANIFEST, Image


def check_pushable(image: Image, read_config: Callable[[Descriptor], bytes]) -> None:
    """Raise SourceError for an image that would break its repository in a zone, or could not be pulled from it."""
    for descriptor in (*image.root.entries, *image.blobs):
        if not descriptor.digest.startswith("sha256:"):
            raise SourceError(
                f"{descriptor.digest} is no sha256 digest, and OpenShift keeps content by sha256 only: nothing could "
                "pull it by that digest",
                hint="Build the image with sha256 digests",
            )
    for manifest in image.manifests:
        config = manifest.config
        if config is None:
            continue
        if config.size > LARGEST_MANIFEST:
            raise SourceError(f"the configuration of {manifest.digest} is larger than 4 MiB, as that of no image is")
        if not taken_by_openshift(manifest, read_config(config)):
            raise SourceError(
                f"{manifest.digest} is no image: its configuration ({config.media_type or 'of no type'}, "
                f"{config.size} bytes) is none of an image, and once it stands in a repository OpenShift answers "
                "with an error to digests of other images there",
                hint="Artifacts that are no images belong into another registry",
            )
