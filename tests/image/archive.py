# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives as engines save them, in the styles that are about: made from uncompressed OCI layouts.

Source: Docker Image Specification 1.2; what ``docker save`` before and since version 25, and ``podman save``, write.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .layout import Image, blob_path, make_image

Style = Literal["old docker", "docker", "podman"]


@dataclass(frozen=True)
class Saved:
    """One image of an archive: its image ID, and the name it was saved under."""

    image_id: str
    name: str


def save_archive(
    file: Path,
    folder: Path,
    *,
    style: Style = "docker",
    names: Sequence[str] = ("shop/app:1.0",),
    size: int = 4096,
    compression: Literal["gzip", "none"] = "none",
    platform: str = "linux/amd64",
) -> list[Saved]:
    """Write an archive with one image for each name; ``folder`` is for what it is made of. Images share a layer."""
    entries: list[dict[str, Any]] = []
    saved = []
    with tarfile.open(file, "w") as archive:
        written: dict[str, str] = {}
        for number, name in enumerate(names):
            image = make_image(
                folder / f"image-{number}",
                platforms=(platform,),
                layers=[size, size + 512 * number],
                media="docker",
                compression=compression,
            )
            entries.append({**_add(archive, folder / f"image-{number}", image, style, written), "RepoTags": [name]})
            saved.append(Saved(str(image.configs[platform]["digest"]), name))
        _member(archive, "manifest.json", json.dumps(entries).encode())
    return saved


def _add(archive: tarfile.TarFile, layout: Path, image: Image, style: Style, written: dict[str, str]) -> dict[str, Any]:
    config = _encoded(next(iter(image.configs.values())))
    config_name = f"blobs/sha256/{config}" if style == "docker" else f"{config}.json"
    _member(archive, config_name, blob_path(layout, f"sha256:{config}").read_bytes())
    layers = []
    for number, layer in enumerate(next(iter(image.layers.values()))):
        encoded = _encoded(layer)
        content = blob_path(layout, f"sha256:{encoded}").read_bytes()
        path = f"blobs/sha256/{encoded}" if style == "docker" else f"{encoded}.tar"
        if style == "old docker":
            path = f"{config[:12]}{number}/layer.tar"
        if encoded not in written:
            _member(archive, path, content)
            written[encoded] = path
        elif style == "old docker":
            # The first of them as a symbolic link upwards, as docker wrote it, another one as a hard link.
            kind = tarfile.LNKTYPE if number else tarfile.SYMTYPE
            _link(archive, path, written[encoded] if number else f"../{written[encoded]}", kind)
        layers.append(path if style == "old docker" else written[encoded])
        if style == "podman":
            _link(archive, f"{encoded}/layer.tar", f"../{encoded}.tar", tarfile.SYMTYPE)
    return {"Config": config_name, "Layers": layers}


def _encoded(descriptor: dict[str, Any]) -> str:
    return str(descriptor["digest"]).partition(":")[2]


def _member(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _link(archive: tarfile.TarFile, name: str, target: str, kind: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    archive.addfile(member)
