# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images in archives of docker save and podman save: found, compressed once, told by their ID, never unpacked."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import digest_of
from ansible_collections.appuio.registry.plugins.module_utils._registry.upload_session import UploadRequests

from tests.image import image_manifest, make_image, put_entry, write_blob
from tests.image.archive import Style, save_archive
from tests.image.tar_members import member
from tests.integration.push import Pusher
from tests.unit.plugins.module_utils._push.halfway import HalfWay, halfway
from tests.zone import Zone

__all__ = ["halfway"]
pytestmark = pytest.mark.thorough
PLAIN = b"not compressed yet " * 20_000


def layers_of(pusher: Pusher, zone: Zone, digest: str) -> tuple[dict[str, Any], list[bytes]]:
    """Return a manifest of a zone and the bytes of its layers."""
    manifest = json.loads(pusher.read(zone, f"manifests/{digest}"))
    return manifest, [pusher.read(zone, f"blobs/{layer['digest']}") for layer in manifest["layers"]]


@pytest.mark.parametrize("style", ["old docker", "docker", "podman"])
def test_each_style_and_several_images(pusher: Pusher, tmp_path: Path, style: Style) -> None:
    file = tmp_path / "saved.tar"
    first, second = save_archive(file, tmp_path, style=style, names=("shop/app:1.0", "localhost/shop/app:2.0"))
    told = str(pusher.refused(f"docker-archive:{file}"))
    assert "holds 2 images" in told
    assert "@1 (localhost/shop/app:2.0)" in told
    for reference, image in (("shop/app:1.0", first), ("@1", second), ("localhost/shop/app:2.0", second)):
        pushed = pusher.push(f"docker-archive:{file}:{reference}", tags=None, name=None)
        assert pushed["image_id"] == image.image_id
        assert len({zone["digest"] for zone in pushed["zones"]}) == 1
    assert pushed["changed"]
    assert set(pusher.tags()[0]) == {"1.0", "2.0"}
    assert set(pusher.tags("saved")[0]) == {"latest"}


def test_layers_are_compressed_once_and_are_what_they_were(pusher: Pusher, tmp_path: Path) -> None:
    file = tmp_path / "app.tar"
    (image,) = save_archive(file, tmp_path, size=300_000)
    check = pusher.push(f"docker-archive:{file}", check=True)
    assert (check["changed"], check["digest"], check["image_id"]) == (True, None, image.image_id)
    assert pusher.writes() == []
    pushed = pusher.push(f"docker-archive:{file}")
    assert [zone["blobs"]["uploaded"] for zone in pushed["zones"]] == [3, 3, 3]
    config = json.loads(pusher.read(pusher.zones[0], f"blobs/{image.image_id}"))
    manifest, layers = layers_of(pusher, pusher.zones[2], pushed["digest"])
    assert manifest["config"]["digest"] == image.image_id
    plain = [zlib.decompress(layer, 31) for layer in layers]
    assert [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in plain] == config["rootfs"]["diff_ids"]
    assert sorted(path.name for path in (tmp_path / "spool").iterdir()) == []


def test_the_last_layer_is_sent_while_it_is_compressed(
    pusher: Pusher, tmp_path: Path, halfway: HalfWay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not compressed to its end before a part of it is on its way."""
    file = tmp_path / "app.tar"
    save_archive(file, tmp_path, size=700_000)
    append = UploadRequests.append

    def appending(requests: UploadRequests, *what: Any) -> Any:
        halfway.go_on.set()
        return append(requests, *what)

    monkeypatch.setattr(UploadRequests, "append", appending)
    pushed = pusher.push(f"docker-archive:{file}")
    assert [zone["blobs"]["uploaded"] for zone in pushed["zones"]] == [3, 3, 3]
    assert "PATCH" in {request.split()[0] for requests in pusher.asked() for request in requests}
    for zone in pusher.zones:
        manifest, layers = layers_of(pusher, zone, pushed["digest"])
        assert [digest_of(layer) for layer in layers] == [layer["digest"] for layer in manifest["layers"]]


def test_the_second_push_reads_one_manifest_and_no_layer(pusher: Pusher, tmp_path: Path) -> None:
    file = tmp_path / "app.tar"
    save_archive(file, tmp_path, style="podman", size=300_000)
    first = pusher.push(f"docker-archive:{file}")
    pusher.clear()
    # A layer is damaged now, so that whoever reads it fails.
    content = file.read_bytes()
    file.write_bytes(content[:200_000] + b"x" + content[200_001:])
    again = pusher.push(f"docker-archive:{file}")
    assert (again["changed"], again["digest"]) == (False, first["digest"])
    assert pusher.asked() == [["GET manifests/1.0"]] * 3
    assert "points to this image already" in again["zones"][0]["reason"]


def test_what_was_compressed_before_and_is_there_is_not_compressed_again(pusher: Pusher, tmp_path: Path) -> None:
    file = tmp_path / "app.tar"
    save_archive(file, tmp_path)
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    first = pusher.push(f"docker-archive:{file}", environment=environment)
    pusher.clear()
    again = pusher.push(f"docker-archive:{file}", environment=environment, tags=["1.1"])
    assert again["digest"] == first["digest"]
    assert [zone["blobs"] for zone in again["zones"]] == [{"uploaded": 0, "mounted": 0, "existing": 3}] * 3
    other = pusher.push(f"docker-archive:{file}", environment=environment, name="other")
    assert other["digest"] == first["digest"]


@pytest.mark.parametrize("compressed", [gzip.compress, bz2.compress, lzma.compress])
def test_an_archive_that_is_compressed_as_a_whole(
    pusher: Pusher, tmp_path: Path, compressed: Callable[[bytes], bytes]
) -> None:
    file, packed = tmp_path / "app.tar", tmp_path / "app.tar.packed"
    (image,) = save_archive(file, tmp_path)
    packed.write_bytes(compressed(file.read_bytes()))
    assert pusher.push(f"docker-archive:{packed}")["image_id"] == image.image_id
    assert sorted(path.name for path in (tmp_path / "spool").iterdir()) == []
    packed.write_bytes(packed.read_bytes()[:-400])
    assert "is damaged" in str(pusher.refused(f"docker-archive:{packed}"))


def test_layers_that_are_compressed_already_stay_as_they_are(pusher: Pusher, tmp_path: Path) -> None:
    file = tmp_path / "app.tar"
    save_archive(file, tmp_path, compression="gzip")
    pushed = pusher.push(f"docker-archive:{file}")
    _manifest, layers = layers_of(pusher, pusher.zones[0], pushed["digest"])
    assert all(layer in file.read_bytes() for layer in layers)


def test_without_compression(pusher: Pusher, tmp_path: Path) -> None:
    file = tmp_path / "app.tar"
    save_archive(file, tmp_path)
    pushed = pusher.push(f"docker-archive:{file}", compression="none")
    manifest, layers = layers_of(pusher, pusher.zones[0], pushed["digest"])
    assert {layer["mediaType"] for layer in manifest["layers"]} == {"application/vnd.docker.image.rootfs.diff.tar"}
    assert all(layer in file.read_bytes() for layer in layers)


def test_zstd_makes_an_image_of_the_oci(pusher: Pusher, tmp_path: Path) -> None:
    file = tmp_path / "app.tar"
    (image,) = save_archive(file, tmp_path, size=300_000)
    pushed = pusher.push(f"docker-archive:{file}", compression="zstd")
    assert (pushed["image_id"], pushed["media_type"]) == (image.image_id, "application/vnd.oci.image.manifest.v1+json")
    manifest, layers = layers_of(pusher, pusher.zones[0], pushed["digest"])
    assert {layer["mediaType"] for layer in manifest["layers"]} == {"application/vnd.oci.image.layer.v1.tar+zstd"}
    plain = [zstandard.ZstdDecompressor().decompressobj().decompress(layer) for layer in layers]
    assert all(layer in file.read_bytes() for layer in plain)


@pytest.mark.parametrize("damage", ["altered", "truncated", "missing"])
def test_a_damaged_archive_moves_no_tag(pusher: Pusher, tmp_path: Path, damage: str) -> None:
    file = tmp_path / "app.tar"
    save_archive(file, tmp_path, style="podman", size=300_000)
    content = file.read_bytes()
    if damage == "altered":
        content = content[:200_000] + b"x" + content[200_001:]
    elif damage == "truncated":
        content = content[:400_000]
    else:
        content = content.replace(b'.tar"', b'.tor"')
    file.write_bytes(content)
    told = str(pusher.refused(f"docker-archive:{file}"))
    words = {"altered": "is altered", "truncated": "ends too early", "missing": "has no "}
    assert words[damage] in told or "truncated" in told
    assert pusher.tags() == [{}, {}, {}]
    assert not any("manifests" in write for write in pusher.writes())


def test_what_is_no_archive(pusher: Pusher, tmp_path: Path) -> None:
    file = tmp_path / "app.tar"
    assert "does not exist" in str(pusher.refused(f"docker-archive:{file}"))
    file.write_bytes(b"nothing of that kind" * 100)
    assert "is no tar archive" in str(pusher.refused(f"docker-archive:{file}"))
    save_archive(file, tmp_path, names=("shop/app:1.0",))
    told = str(pusher.refused(f"docker-archive:{file}:shop/app:9"))
    assert "It has @0 (shop/app:1.0)" in told
    assert "not for linux/arm64" in str(pusher.refused(f"docker-archive:{file}", platforms=["linux/arm64"]))
    assert "as expected_digest says" in str(
        pusher.refused(f"docker-archive:{file}", expected_digest="sha256:" + "0" * 64)
    )
    assert pusher.writes() == []


@pytest.mark.parametrize("damage", ["one bit", "another layer", "cut"])
def test_a_compressed_layer_that_is_not_its_diff_id_moves_no_tag(pusher: Pusher, tmp_path: Path, damage: str) -> None:
    file = tmp_path / "app.tar"
    save_archive(file, tmp_path, style="podman", size=300_000, compression="gzip")
    with tarfile.open(file) as archive:
        layer = next(one for one in archive.getmembers() if one.isreg() and one.size > 200_000)
    content = bytearray(file.read_bytes())
    start, end = layer.offset_data, layer.offset_data + layer.size
    if damage == "one bit":
        content[start + 150_000] ^= 1
    elif damage == "cut":
        content[end - 1000 : end] = bytes(1000)
    else:
        other = gzip.compress(b"other files")
        content[start:end] = other + bytes(layer.size - len(other))
    file.write_bytes(content)
    told = str(pusher.refused(f"docker-archive:{file}"))
    assert "the layer sha256:" in told
    assert "is altered" in told or "is damaged" in told
    assert pusher.tags() == [{}, {}, {}]
    assert not any("manifests" in write for write in pusher.writes())
    assert sorted((tmp_path / "spool").iterdir()) == []


def test_layers_in_xz_are_packed_anew(pusher: Pusher, tmp_path: Path) -> None:
    config = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [digest_of(PLAIN)]}}).encode()
    listed = json.dumps([{"Config": "./c.json", "Layers": ["/layer"], "RepoTags": None}]).encode()
    file = tmp_path / "app.tar"
    file.write_bytes(member("c.json", config) + member("layer", lzma.compress(PLAIN)) + member("manifest.json", listed))
    pushed = pusher.push(f"docker-archive:{file}")
    _manifest, (layer,) = layers_of(pusher, pusher.zones[1], pushed["digest"])
    assert gzip.decompress(layer) == PLAIN


def test_names_within_a_layout(pusher: Pusher, tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    made = [
        make_image(layout, platforms=["linux/amd64"], tag=name, seed=name)
        for name in ("docker.io/library/alpine:3.20", "rancher/local-path-provisioner:v0.0.20", "shop/app:v0.0.20")
    ]
    for name, image in (("alpine:3.20", made[0]), ("rancher/local-path-provisioner:v0.0.20", made[1]), ("@2", made[2])):
        pushed = pusher.push(f"oci:{layout}:{name}", tags=None, name=None)
        assert pushed["digest"] == image.digest
    assert set(pusher.tags("local-path-provisioner")[0]) == {"v0.0.20"}
    assert "@1 (rancher/local-path-provisioner:v0.0.20" in str(pusher.refused(f"oci:{layout}:v0.0.20"))
    assert pusher.push(f"oci:{layout}@{made[2].digest}")["digest"] == made[2].digest


def test_what_would_break_a_repository_is_refused_before_anything_is_written(pusher: Pusher, tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    config = write_blob(layout, b"", "application/vnd.aquasec.trivy.config.v1+json")
    manifest = image_manifest(config, [write_blob(layout, b"a database")])
    put_entry(layout, write_blob(layout, json.dumps(manifest).encode(), manifest["mediaType"]), "2")
    assert "is no image: its configuration" in str(pusher.refused(f"oci:{layout}"))
    assert pusher.writes() == []
