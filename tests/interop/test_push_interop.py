# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we push, skopeo and podman read; what skopeo and buildah make, we push; with the same digests."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.image import make_layout
from tests.integration.push import Pusher
from tests.interop.clients import Clients


@pytest.mark.parametrize("media", ["oci", "docker"])
def test_skopeo_reads_what_we_pushed(pusher: Pusher, clients: Clients, tmp_path: Path, media: str) -> None:
    digest = make_layout(tmp_path / "app", media=media, attestations=media == "oci")
    pusher.push(f"oci:{tmp_path / 'app'}")
    for zone in pusher.zones:
        raw = clients.run(
            *("skopeo", "inspect", "--raw", "--tls-verify=false", "--creds", f"any:{pusher.tokens[zone.name]}"),
            f"docker://{zone.registry}/{pusher.project}/app:1.0",
        )
        assert f"sha256:{hashlib.sha256(raw.encode()).hexdigest()}" == digest
    clients.run(
        *("skopeo", "copy", "--all", "--preserve-digests", "--src-cert-dir", clients.certificates),
        *("--dest-cert-dir", clients.certificates, "--src-creds", clients.credentials),
        *("--dest-creds", clients.credentials, f"docker://{clients.image}:1.0", f"docker://{clients.image}-back:1.0"),
    )
    assert pusher.tags("app-back")[0] == {"1.0": digest}


def test_podman_pulls_what_we_pushed(pusher: Pusher, clients: Clients, tmp_path: Path) -> None:
    make_layout(tmp_path / "app", platforms=("linux/amd64",))
    result = pusher.push(f"oci:{tmp_path / 'app'}")
    podman = clients.storage("podman")
    pulled = clients.run(
        *podman, "pull", "--quiet", "--cert-dir", clients.certificates, "--creds", clients.credentials,
        f"{clients.image}@{result['digest']}",
    )  # fmt: skip
    assert f"sha256:{pulled.strip()}" == result["image_id"]


def test_we_push_what_skopeo_pushed_elsewhere(pusher: Pusher, clients: Clients, tmp_path: Path) -> None:
    digest = make_layout(tmp_path / "app")
    first, others = pusher.zones[0], pusher.zones[1:]
    clients.run(
        *("skopeo", "copy", "--all", "--dest-cert-dir", clients.certificates, "--dest-creds", clients.credentials),
        *(f"oci:{tmp_path / 'app'}", f"docker://{clients.image}:made"),
    )
    result = pusher.push(
        f"docker://{clients.image}:made",
        source_username="any",
        source_password=pusher.tokens[first.name],
        source_ca_cert=str(first.ca_file),
        zones=pusher.entries(*others),
        tags=None,
    )
    assert result["digest"] == digest
    assert pusher.tags() == [{"made": digest}] * 3


def test_we_push_what_buildah_built(pusher: Pusher, clients: Clients, tmp_path: Path) -> None:
    buildah = clients.storage("buildah")
    (tmp_path / "hello").write_text("hello\n")
    container = clients.run(*buildah, "from", "scratch").strip()
    clients.run(*buildah, "copy", container, str(tmp_path / "hello"), "/hello")
    clients.run(*buildah, "commit", "--quiet", container, f"oci:{tmp_path / 'built'}:1.0")
    result = pusher.push(f"oci:{tmp_path / 'built'}:1.0", tags=None)
    assert pusher.tags() == [{"1.0": result["digest"]}] * 3
    entry = json.loads((tmp_path / "built/index.json").read_bytes())["manifests"][0]
    assert result["digest"] == entry["digest"]


@pytest.mark.parametrize("source", ["oci-archive:{}.tar:1.0", "dir:{}"])
def test_we_push_what_skopeo_stored(pusher: Pusher, clients: Clients, tmp_path: Path, source: str) -> None:
    digest = make_layout(tmp_path / "app", tag="1.0")
    place = source.format(tmp_path / "stored")
    clients.run("skopeo", "copy", "--all", "--preserve-digests", f"oci:{tmp_path / 'app'}:1.0", place)
    assert pusher.push(place)["digest"] == digest
    assert pusher.tags() == [{"1.0": digest}] * 3
    assert not pusher.push(place)["changed"]


def test_we_push_a_list_of_docker_images_that_skopeo_stored(pusher: Pusher, clients: Clients, tmp_path: Path) -> None:
    digest = make_layout(tmp_path / "app", media="docker")
    pusher.push(f"oci:{tmp_path / 'app'}", name="made")
    clients.run(
        *("skopeo", "copy", "--all", "--preserve-digests", "--src-cert-dir", clients.certificates),
        *("--src-creds", clients.credentials, f"docker://{clients.image[:-3]}made:1.0", f"dir:{tmp_path / 'stored'}"),
    )
    assert pusher.push(f"dir:{tmp_path / 'stored'}")["digest"] == digest
    assert pusher.tags() == [{"1.0": digest}] * 3


def test_each_platform_of_an_index_we_made_is_read(pusher: Pusher, clients: Clients, tmp_path: Path) -> None:
    """Images of the OCI and of Docker's format in an index of the OCI."""
    make_layout(tmp_path / "amd64", platforms=("linux/amd64",))
    make_layout(tmp_path / "arm64", platforms=("linux/arm64",), media="docker")
    pushed = pusher.push(None, sources=[f"oci:{tmp_path / 'arm64'}", f"oci:{tmp_path / 'amd64'}"])
    podman = clients.storage("podman")
    for architecture in ("amd64", "arm64"):
        inspected = clients.run(
            *("skopeo", "inspect", "--cert-dir", clients.certificates, "--creds", clients.credentials),
            *("--override-arch", architecture, f"docker://{clients.image}:1.0"),
        )
        assert json.loads(inspected)["Architecture"] == architecture
        image = clients.run(
            *(*podman, "pull", "--quiet", "--arch", architecture, "--cert-dir", clients.certificates),
            *("--creds", clients.credentials, f"{clients.image}@{pushed['digest']}"),
        ).strip()
        found = clients.run(*podman, "image", "inspect", "--format", "{{.Architecture}}", image)
        assert found.strip() == architecture
