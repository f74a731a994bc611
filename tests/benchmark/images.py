# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that are pushed, made once for a run."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tests.image import image_manifest, make_image, put_entry, random_layer, write_blob
from tests.image.layers import gzipped
from tests.image.layout import MEDIA_TYPES, Descriptor, image_config

MIB = 1 << 20
KIB = 1 << 10
SMALL_LAYERS = 60
SET = 30
_LARGEST_FILE = 32 * MIB
_ROOTS = ("/usr/lib", "/usr/share", "/usr/bin")


@dataclass(frozen=True)
class Image:
    """An image as ``transport:place``; ``digest`` of its manifest, None where one is only made by a push.

    ``members`` are the digests of the images of a set, which are tags of one layout, or repositories side by side.
    """

    transport: str
    place: str
    digest: str | None = None
    ca_file: Path | None = None
    members: tuple[str, ...] = ()

    def member(self, number: int) -> Image:
        """Return one image of a set."""
        place = f"{self.place}:{number}" if self.transport == "oci" else f"{self.place}-{number}:1"
        return Image(self.transport, place, self.members[number], self.ca_file)


@dataclass(frozen=True)
class Sizes:
    """Bytes: of a layer of the layout, of a docker-archive, of the large image, of a layer of the light image."""

    layer: int = 25 * MIB
    archive: int = 196 * MIB
    large: int = 4096 * MIB
    light: int = 2 * MIB


@dataclass
class Images:
    """Images below a folder, each made when it is asked for."""

    folder: Path
    sizes: Sizes = field(default_factory=Sizes)

    @cached_property
    def layout(self) -> Image:
        """Eight compressed layers."""
        return self._layout("layout", [f"layer {number}" for number in range(8)], self.sizes.layer)

    @cached_property
    def changed(self) -> Image:
        """The same with another last layer."""
        return self._layout("changed", [*(f"layer {number}" for number in range(7)), "another"], self.sizes.layer)

    @cached_property
    def small_layers(self) -> Image:
        """Sixty layers of 16 KiB."""
        return self._layout("small-layers", [f"layer {number}" for number in range(SMALL_LAYERS)], 16 * KIB)

    @cached_property
    def light(self) -> Image:
        """Eight compressed layers that even a slow network takes in seconds."""
        return self._layout("light", [f"layer {number}" for number in range(8)], self.sizes.light)

    @cached_property
    def several(self) -> Image:
        """A set of images: three layers each, the first of which is the same in all."""
        folder = self.folder / "several"
        digests = []
        for number in range(SET):
            own = [self._layer(folder, f"layer {number}-{half}", 512 * KIB) for half in range(2)]
            digests.append(self._image(folder, [self._layer(folder, "base", self.sizes.light), *own], str(number)))
        return Image("oci", str(folder), digests[0], members=tuple(digests))

    @cached_property
    def large(self) -> Image:
        """Eight layers, gigabytes together."""
        return self._layout("large", [f"layer {number}" for number in range(8)], self.sizes.large // 8)

    @cached_property
    def archive(self) -> Image:
        """A docker-archive of four uncompressed layers with files of this machine, as skopeo writes it."""
        return self._archive("archive", self.sizes.archive)

    @cached_property
    def large_archive(self) -> Image:
        """The same, a quarter of the large image, or as much as this machine has files."""
        return self._archive("large-archive", self.sizes.large // 4)

    def _archive(self, name: str, size: int) -> Image:
        layout, archive = self.folder / f"{name}-layout", self.folder / f"{name}.tar"
        files = _files(size)
        layers = [{str(file): file for file in files[number::4]} for number in range(4)]
        made = make_image(layout, platforms=("linux/amd64",), layers=layers, compression="none")
        assert len(set(made.diff_ids["linux/amd64"])) == 4
        command = ["skopeo", "copy", "--insecure-policy", "-q", f"oci:{layout}", f"docker-archive:{archive}:app:1"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return Image("docker-archive", str(archive))

    def _layout(self, name: str, seeds: list[str], size: int) -> Image:
        folder = self.folder / name
        return Image("oci", str(folder), self._image(folder, [self._layer(folder, seed, size) for seed in seeds]))

    @staticmethod
    def _layer(folder: Path, seed: str, size: int) -> Descriptor:
        # Stored, not deflated: bytes of chance get no smaller, and a layer of gigabytes is there sooner.
        return write_blob(folder, gzipped(random_layer(size, seed), 0), MEDIA_TYPES["oci"]["gzip"])

    @staticmethod
    def _image(folder: Path, layers: list[Descriptor], tag: str = "latest") -> str:
        """Add an image of these layers to a layout, and return its digest."""
        types = MEDIA_TYPES["oci"]
        # Nobody asks for the digests of what is inside.
        diff_ids = [layer["digest"] for layer in layers]
        config = write_blob(folder, json.dumps(image_config("linux/amd64", diff_ids)).encode(), types["config"])
        top = write_blob(folder, json.dumps(image_manifest(config, layers)).encode(), types["manifest"])
        put_entry(folder, top, tag)
        return str(top["digest"])


def _files(size: int) -> list[Path]:
    """Return files of this machine, libraries, programs and text, of so many bytes together."""
    chosen, left = [], size
    for path in _walked():
        length = path.stat().st_size
        if 0 < length <= min(left, _LARGEST_FILE):
            chosen.append(path)
            left -= length
        if left < MIB:
            break
    return chosen


def _walked() -> Iterator[Path]:
    for root in _ROOTS:
        for folder, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                path = Path(folder) / name
                if not path.is_symlink() and path.is_file() and os.access(path, os.R_OK):
                    yield path
