# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of the demonstration, made from files of this machine for two platforms, without a network."""

from __future__ import annotations

import json
from pathlib import Path

from tests.image import Image, make_image
from tests.image.layout import Layer

PLATFORMS = ("linux/amd64", "linux/arm64")


def make_picture(directory: Path, version: str) -> Image:
    """Write an OCI layout: a layer that both platforms share, and one that tells which platform it is."""
    library = Path(json.__file__).parents[1]
    shared: Layer = {f"usr/lib/{path.name}": path for path in sorted(library.glob("*.py"))}

    def layers(platform: str) -> list[Layer]:
        return [shared, {"etc/app": f"version {version} for {platform}\n".encode()}]

    return make_image(directory, platforms=PLATFORMS, layers=layers, tag=version)


def size_of(image: Image) -> int:
    """Return how many bytes a registry without anything has to get: every blob once."""
    blobs = [blob for platform in image.layers.values() for blob in platform]
    blobs += [*image.configs.values(), *image.manifests.values(), image.descriptor]
    return sum({blob["digest"]: int(blob["size"]) for blob in blobs}.values())
