# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What skopeo, podman and buildah save or keep, we push: the image ID stays, and podman pulls the same image."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.image import make_image
from tests.image.archive import save_archive
from tests.integration.push import Pusher
from tests.interop.clients import Clients


@pytest.fixture
def image_id(tmp_path: Path) -> str:
    """The ID of an image in an archive, whose layers are not compressed."""
    return save_archive(tmp_path / "in.tar", tmp_path, size=200_000)[0].image_id


def pulled(clients: Clients, digest: str) -> str:
    """Return the ID of the image that podman pulls by a digest."""
    words = [*clients.storage("podman"), "pull", "--quiet", "--cert-dir", clients.certificates]
    return clients.run(*words, "--creds", clients.credentials, f"{clients.image}@{digest}").strip()


def loaded(clients: Clients, tmp_path: Path) -> str:
    """Let podman have the image under a name, and return that."""
    return clients.run(*clients.storage("podman"), "load", "-q", "-i", str(tmp_path / "in.tar")).split()[-1]


def test_what_skopeo_saved(pusher: Pusher, clients: Clients, tmp_path: Path, image_id: str) -> None:
    file = tmp_path / "saved.tar"
    clients.run("skopeo", "copy", "-q", f"docker-archive:{tmp_path / 'in.tar'}", f"docker-archive:{file}:shop/app:1.0")
    pushed = pusher.push(f"docker-archive:{file}:shop/app:1.0")
    assert pushed["image_id"] == image_id
    assert pulled(clients, pushed["digest"]) == image_id.partition(":")[2]
    # The other way round: what skopeo pushed is the same image to us, whatever its layers came to be.
    clients.run(
        *("skopeo", "copy", "-q", "--dest-cert-dir", clients.certificates, "--dest-creds", clients.credentials),
        *(f"docker-archive:{file}:shop/app:1.0", f"docker://{clients.image}:theirs"),
    )
    ours = pusher.push(f"docker-archive:{file}", zones=pusher.entries(pusher.zones[0]), tags=["theirs"])
    assert (ours["changed"], ours["image_id"]) == (False, image_id)


@pytest.mark.parametrize("options", [[], ["--format", "oci-archive"]])
def test_what_podman_saved(pusher: Pusher, clients: Clients, tmp_path: Path, image_id: str, options: list[str]) -> None:
    name, file = loaded(clients, tmp_path), tmp_path / "saved.tar"
    clients.run(*clients.storage("podman"), "save", "-q", *options, "-o", str(file), name)
    transport = "oci-archive" if options else "docker-archive"
    pushed = pusher.push(f"{transport}:{file}")
    assert pulled(clients, pushed["digest"]) == str(pushed["image_id"]).partition(":")[2]
    assert options or pushed["image_id"] == image_id
    assert not pusher.push(f"{transport}:{file}")["changed"]


def listens(place: Path) -> bool:
    """Whether somebody accepts connections at a socket, which is there a moment before."""
    with socket.socket(socket.AF_UNIX) as tried:
        return tried.connect_ex(str(place)) == 0


@contextmanager
def served(clients: Clients) -> Iterator[Path]:
    """Let podman serve its API, and give the socket."""
    place = clients.short / "engine.sock"
    command = [*clients.storage("podman"), "system", "service", "--time", "0", f"unix://{place}"]
    service = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not listens(place):
            assert service.poll() is None, "podman ended"
            time.sleep(0.05)
        yield place
    finally:
        service.terminate()
        service.wait()


def test_what_an_engine_has(pusher: Pusher, clients: Clients, tmp_path: Path, image_id: str) -> None:
    name = loaded(clients, tmp_path)
    assert "socket" in str(pusher.refused(f"containers-storage:{name}", engine_socket=str(tmp_path / "none")))
    with served(clients) as place:
        where: dict[str, Any] = {"engine_socket": str(place)}
        assert "does not exist" in str(pusher.refused("containers-storage:shop/other:1.0", **where))
        check = pusher.push(f"containers-storage:{name}", check=True, **where)
        assert (check["changed"], check["image_id"], check["platforms"]) == (True, image_id, ["linux/amd64"])
        assert pusher.writes() == []
        pushed = pusher.push(f"docker-daemon:{name}", **where)
        assert pushed["image_id"] == image_id
        again = pusher.push(f"containers-storage:{image_id}", **where)
        assert (again["changed"], again["digest"]) == (False, pushed["digest"])
    assert pulled(clients, pushed["digest"]) == image_id.partition(":")[2]
    assert sorted((tmp_path / "spool").iterdir()) == []
    raw = json.loads(pusher.read(pusher.zones[0], "manifests/1.0"))
    assert raw["config"]["digest"] == image_id


@pytest.mark.parametrize(
    "name", ["docker.io/library/alpine:3.20", "rancher/local-path-provisioner:v0.0.20", "localhost:5000/app:1", "1.0"]
)
@pytest.mark.parametrize("transport", ["oci", "oci-archive"])
def test_an_image_is_found_by_the_name_that_skopeo_gave(
    pusher: Pusher, clients: Clients, tmp_path: Path, image_id: str, transport: str, name: str
) -> None:
    place = f"{transport}:{tmp_path / 'out'}:{name}"
    clients.run("skopeo", "copy", "-q", f"docker-archive:{tmp_path / 'in.tar'}", place)
    entries = pusher.entries(pusher.zones[0])
    pushed = pusher.push(place, zones=entries, name=None, tags=None)
    assert pushed["zones"][0]["reference"].rpartition(":")[2] == name.rpartition(":")[2]
    if transport == "oci":
        clients.run("skopeo", "copy", "-q", f"docker-archive:{tmp_path / 'in.tar'}", f"{place}-other")
        again = pusher.push(place, zones=entries, name=None, tags=None)
        assert (again["changed"], again["digest"]) == (False, pushed["digest"])
        numbered = pusher.push(f"oci:{tmp_path / 'out'}:@1", zones=entries)
        assert numbered["image_id"] == pushed["image_id"]


def test_a_manifest_list_of_podman_is_refused_with_the_way_to_push_it(
    pusher: Pusher, clients: Clients, tmp_path: Path
) -> None:
    image = make_image(tmp_path / "layout", tag="1.0")
    podman = clients.storage("podman")
    clients.run(*podman, "pull", "-q", f"oci:{tmp_path / 'layout'}:1.0")
    clients.run(*podman, "manifest", "create", "localhost/several:1.0")
    clients.run(*podman, "manifest", "add", "--all", "localhost/several:1.0", f"oci:{tmp_path / 'layout'}:1.0")
    with served(clients) as place:
        told = str(pusher.refused("containers-storage:localhost/several:1.0", engine_socket=str(place)))
    assert "manifest list (linux/amd64, linux/arm64)" in told
    file = f"oci-archive:{tmp_path / 'all.tar'}"
    clients.run(*podman, "manifest", "push", "--all", "localhost/several:1.0", file)
    assert file.partition(":")[0] in told
    assert pusher.push(file)["platforms"] == ["linux/amd64", "linux/arm64"]
    assert image.manifests.keys() == {"linux/amd64", "linux/arm64"}
