# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""OCI image layouts: blobs, manifests, indexes, and whole images in them.

Descriptors are the dictionaries that stand in the JSON. Source: OCI image specification, "Image Layout",
"Image Manifest", "Image Index"; Docker "Image Manifest V 2, Schema 2"; BuildKit "Attestation Storage".
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .layers import file_layer, gzipped, random_layer

Descriptor = dict[str, Any]
Layer = int | Mapping[str, bytes | Path]
Media = Literal["oci", "docker"]

MEDIA_TYPES = {
    "oci": {
        "manifest": "application/vnd.oci.image.manifest.v1+json",
        "index": "application/vnd.oci.image.index.v1+json",
        "config": "application/vnd.oci.image.config.v1+json",
        "gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
        "none": "application/vnd.oci.image.layer.v1.tar",
    },
    "docker": {
        "manifest": "application/vnd.docker.distribution.manifest.v2+json",
        "index": "application/vnd.docker.distribution.manifest.list.v2+json",
        "config": "application/vnd.docker.container.image.v1+json",
        "gzip": "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "none": "application/vnd.docker.image.rootfs.diff.tar",
    },
}
NAME = "org.opencontainers.image.ref.name"


@dataclass(frozen=True)
class Image:
    """What was made: ``descriptor`` is what the layout's ``index.json`` names.

    ``manifests`` are the image manifests by platform (``attestation of <platform>`` for attestations),
    ``configs`` and ``layers`` what they name, ``diff_ids`` the digests of the uncompressed layers.
    """

    descriptor: Descriptor
    manifests: dict[str, Descriptor]
    configs: dict[str, Descriptor]
    layers: dict[str, list[Descriptor]]
    diff_ids: dict[str, list[str]]

    @property
    def digest(self) -> str:
        """The digest that a push of the whole image gives in every registry."""
        return str(self.descriptor["digest"])


def make_layout(directory: Path | str, **options: Any) -> str:
    """Write an image into an OCI layout and return its digest; takes the options of ``make_image``."""
    return make_image(directory, **options).digest


def make_image(
    directory: Path | str,
    *,
    platforms: Sequence[str] = ("linux/amd64", "linux/arm64"),
    layers: int | Sequence[Layer] | Callable[[str], Sequence[Layer]] = 2,
    size: int = 4096,
    media: Media = "oci",
    compression: Literal["gzip", "none"] = "gzip",
    tag: str | None = "latest",
    shared_layers: int = 0,
    attestations: bool = False,
    index: bool | None = None,
    entry_platforms: bool = True,
    seed: object = 0,
    config: Mapping[str, Any] | None = None,
) -> Image:
    """Write an image into an OCI layout, which is made if it is not there, and return its parts.

    ``layers`` is their number, each with a file of ``size`` incompressible bytes, or a list of sizes and
    of dictionaries ``path -> content or file``, or a function from the platform to such a list. The first
    ``shared_layers`` of incompressible bytes are the same for all platforms.
    Several platforms (or ``index=True``) give an index, which ``index.json`` names, as engines write it.
    ``attestations`` adds BuildKit's ``unknown/unknown`` entries. ``entry_platforms=False`` leaves the
    platforms out of the index, which OpenShift's registry refuses. ``config`` is merged into the
    configuration. Another ``seed`` gives another image of the same shape. An image with another ``tag``
    can be written into the same layout; ``tag=None`` gives an entry without a name.
    """
    directory = Path(directory)
    types = MEDIA_TYPES[media]
    entries, attested = [], []
    made = Image({}, {}, {}, {}, {})
    for platform in platforms:
        described, diff_ids = [], []
        wanted = [size] * layers if isinstance(layers, int) else layers(platform) if callable(layers) else layers
        for number, layer in enumerate(wanted):
            owner = "all" if number < shared_layers else platform
            blob, diff_id = _write_layer(directory, layer, f"{seed} {owner} {number}", compression, types[compression])
            described.append(blob)
            diff_ids.append(diff_id)
        configuration = image_config(platform, diff_ids, config)
        config_blob = write_blob(directory, _json(configuration), types["config"])
        manifest = write_blob(directory, _json(image_manifest(config_blob, described, media)), types["manifest"])
        made.manifests[platform], made.configs[platform] = manifest, config_blob
        made.layers[platform], made.diff_ids[platform] = described, diff_ids
        entries.append({**manifest, "platform": platform_object(platform)} if entry_platforms else manifest)
        if attestations:
            attested.append(_write_attestation(directory, manifest, media))
            made.manifests[f"attestation of {platform}"] = attested[-1]
    if len(platforms) == 1 and not attestations and not index:
        top = entries[0]
    else:
        top = write_blob(directory, _json(image_index(entries + attested, media)), types["index"])
    put_entry(directory, top, tag)
    return Image(top, made.manifests, made.configs, made.layers, made.diff_ids)


def write_blob(
    directory: Path | str, content: bytes | Iterable[bytes], media_type: str = "application/octet-stream"
) -> Descriptor:
    """Write a blob into a layout, from bytes or block by block, and return its descriptor."""
    blobs = Path(directory) / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    checksum, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=blobs, prefix=".new-", delete=False) as stream:
        for block in [content] if isinstance(content, bytes) else content:
            checksum.update(block)
            size += len(block)
            stream.write(block)
    os.replace(stream.name, blobs / checksum.hexdigest())
    return {"mediaType": media_type, "digest": f"sha256:{checksum.hexdigest()}", "size": size}


def blob_path(directory: Path | str, digest: str) -> Path:
    """Return the file in which a layout keeps the blob with this digest."""
    algorithm, _separator, encoded = digest.partition(":")
    return Path(directory) / "blobs" / algorithm / encoded


def image_manifest(config: Descriptor, layers: Sequence[Descriptor], media: Media = "oci") -> dict[str, Any]:
    """Return an image manifest: OCI, or Docker's version 2, schema 2."""
    return {
        "schemaVersion": 2,
        "mediaType": MEDIA_TYPES[media]["manifest"],
        "config": config,
        "layers": list(layers),
    }


def image_index(entries: Sequence[Descriptor], media: Media = "oci") -> dict[str, Any]:
    """Return an index (OCI) or manifest list (Docker) of these descriptors."""
    return {"schemaVersion": 2, "mediaType": MEDIA_TYPES[media]["index"], "manifests": list(entries)}


def image_config(platform: str, diff_ids: Sequence[str], more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return an image configuration for a platform like ``linux/arm64/v8``."""
    return {
        **platform_object(platform),
        "created": "2026-01-01T00:00:00Z",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
        "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "tests.image"} for _diff_id in diff_ids],
        **(more or {}),
    }


def platform_object(platform: str) -> dict[str, str]:
    """Return the members ``os``, ``architecture`` and, where the text has it, ``variant``."""
    system, architecture, *variant = platform.split("/")
    return {"os": system, "architecture": architecture, **({"variant": variant[0]} if variant else {})}


def put_entry(directory: Path | str, descriptor: Descriptor, tag: str | None = "latest") -> None:
    """Name a manifest in ``index.json``, in place of the entry with the same tag, and write ``oci-layout``."""
    directory = Path(directory)
    (directory / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    path = directory / "index.json"
    entries = json.loads(path.read_bytes())["manifests"] if path.exists() else []
    kept = [entry for entry in entries if entry.get("annotations", {}).get(NAME) != tag]
    entry = {**descriptor, "annotations": {**descriptor.get("annotations", {}), NAME: tag}} if tag else descriptor
    path.write_bytes(_json(image_index([*kept, entry])))


def _write_layer(directory: Path, layer: Layer, seed: str, compression: str, media_type: str) -> tuple[Descriptor, str]:
    checksum = hashlib.sha256()

    def uncompressed() -> Iterator[bytes]:
        for block in random_layer(layer, seed) if isinstance(layer, int) else file_layer(layer):
            checksum.update(block)
            yield block

    blocks = gzipped(uncompressed()) if compression == "gzip" else uncompressed()
    return write_blob(directory, blocks, media_type), f"sha256:{checksum.hexdigest()}"


def _write_attestation(directory: Path, image: Descriptor, media: Media) -> Descriptor:
    subject = [{"name": "image", "digest": {"sha256": image["digest"].partition(":")[2]}}]
    predicate = "https://slsa.dev/provenance/v0.2"
    statement = {
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": predicate,
        "subject": subject,
        "predicate": {},
    }
    layer = write_blob(directory, _json(statement), "application/vnd.in-toto+json")
    layer["annotations"] = {"in-toto.io/predicate-type": predicate}
    config = image_config("unknown/unknown", [layer["digest"]])
    config_blob = write_blob(directory, _json(config), MEDIA_TYPES[media]["config"])
    manifest = write_blob(directory, _json(image_manifest(config_blob, [layer], media)), MEDIA_TYPES[media]["manifest"])
    annotations = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": image["digest"],
    }
    return {**manifest, "platform": platform_object("unknown/unknown"), "annotations": annotations}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
