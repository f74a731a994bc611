# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of a container engine: the right one, all of it or told, whatever the engine answers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import LocalStorageError, SourceError
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import digest_of
from ansible_collections.appuio.registry.plugins.module_utils._source.engine import EngineImage
from hypothesis import given
from hypothesis import strategies as st

from tests.image import image_index, make_image
from tests.image.tar_members import member

CONFIG = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": []}}).encode()
IMAGE_ID = digest_of(CONFIG)
OTHER_ID = "sha256:" + "0" * 64
SAVED = member("c.json", CONFIG) + member("manifest.json", b'[{"Config": "c.json", "Layers": null}]')
INSPECTED = json.dumps({"Id": IMAGE_ID, "Os": "linux", "Architecture": "amd64"}).encode()


def answer(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


NOT_FOUND = answer(b'{"message": "no such image"}', "404 Not Found")


@contextmanager
def engine(folder: Path, answers: dict[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """Give the socket of an engine that answers so by path, and the paths that it was asked for."""
    path, asked = str(folder / "s"), []

    def serve(listening: socket.socket) -> None:
        while True:
            try:
                connection, _address = listening.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(4096)
                asked.append(unquote(request.split(b" ")[1].decode()))
                connection.sendall(answers.get(asked[-1], NOT_FOUND))

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        try:
            yield path, asked
        finally:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)


def image(path: str, folder: Path, reference: str = "shop/app:1.0") -> EngineImage:
    return EngineImage("docker-daemon", reference, path, str(folder))


@pytest.mark.parametrize(
    ("reference", "asked"),
    [
        ("app", "app:latest"),
        ("shop/app:1.0", "shop/app:1.0"),
        ("localhost:5000/app", "localhost:5000/app:latest"),
        ("app@" + OTHER_ID, "app@" + OTHER_ID),
        ("@0123456789ab", "0123456789ab"),
        (OTHER_ID, OTHER_ID),
    ],
)
def test_a_name_without_a_tag_is_its_latest(tmp_path: Path, reference: str, asked: str) -> None:
    answers = {f"/images/{asked}/json": answer(INSPECTED), f"/images/{asked}/get": answer(SAVED)}
    with engine(tmp_path, answers) as (path, paths):
        source = image(path, tmp_path, reference)
        assert source.summary().image_id == IMAGE_ID
        assert source.config().content == CONFIG
        source.close()
        assert set(paths) == set(answers)
    assert [one.name for one in tmp_path.iterdir()] == ["s"], "what was fetched has no name"


def test_another_image_than_was_inspected_is_refused(tmp_path: Path) -> None:
    inspected = json.dumps({"Id": OTHER_ID}).encode()
    answers = {"/images/shop/app:1.0/json": answer(inspected), "/images/shop/app:1.0/get": answer(SAVED)}
    with engine(tmp_path, answers) as (path, _paths):
        source = image(path, tmp_path)
        assert source.summary().image_id == OTHER_ID
        with pytest.raises(SourceError, match=f"was {OTHER_ID} and is {IMAGE_ID} now"):
            source.config()


LIST = "/v4.0.0/libpod/manifests/shop/app:1.0/json"


def inspected_as(*names: str) -> bytes:
    return answer(json.dumps({"Id": IMAGE_ID, "RepoTags": list(names)}).encode())


def test_a_manifest_list_of_podman_is_told(tmp_path: Path) -> None:
    entries = [{"platform": {"os": "linux", "architecture": one}} for one in ("amd64", "arm64")]
    answers = {
        "/images/shop/app:1.0/json": inspected_as("localhost/shop/other:1.0"),
        LIST: answer(json.dumps({"manifests": entries}).encode()),
    }
    words = r"manifest list \(linux/amd64, linux/arm64\).*manifest push --all"
    with engine(tmp_path, answers) as (path, _paths), pytest.raises(SourceError, match=words):
        image(path, tmp_path).summary()
    answers[LIST] = answer(json.dumps({"manifests": entries[:1]}).encode())
    (tmp_path / "s").unlink()
    with engine(tmp_path, answers) as (path, _paths):
        assert image(path, tmp_path).summary().image_id == IMAGE_ID


@pytest.mark.parametrize("name", ["shop/app:1.0", "docker.io/shop/app:1.0", "localhost/shop/app:1.0", "app:1.0"])
def test_podman_is_not_sent_to_look_for_a_list_in_registries(tmp_path: Path, name: str) -> None:
    with engine(tmp_path, {"/images/shop/app:1.0/json": inspected_as("x/y:1", name)}) as (path, paths):
        assert image(path, tmp_path).summary().image_id == IMAGE_ID
        assert paths == ["/images/shop/app:1.0/json"]


def test_several_platforms_of_docker_are_told(tmp_path: Path) -> None:
    """With the containerd image store the archive has all platforms, and manifest.json one of them."""
    layout = tmp_path / "layout"
    made = make_image(layout, platforms=["linux/amd64", "linux/arm64"], media="docker", compression="none")
    encoded = made.configs["linux/amd64"]["digest"].replace(":", "/")
    layers = ["blobs/" + one["digest"].replace(":", "/") for one in made.layers["linux/amd64"]]
    listed = json.dumps([{"Config": f"blobs/{encoded}", "Layers": layers}]).encode()
    index = json.dumps(image_index([made.descriptor])).encode()

    def saved(*left_out: str) -> bytes:
        files = [one for one in (layout / "blobs").rglob("*") if one.is_file() and one.name not in left_out]
        blobs = b"".join(member(str(one.relative_to(layout)), one.read_bytes()) for one in files)
        return blobs + member("index.json", index) + member("manifest.json", listed)

    arm = made.manifests["linux/arm64"]["digest"].partition(":")[2]
    for archive, others in ((saved(), ["linux/arm64"]), (saved(arm), [])):
        inspected = json.dumps({"Id": made.digest, "Descriptor": {"digest": made.digest}}).encode()
        answers = {"/images/shop/app:1.0/json": answer(inspected), "/images/shop/app:1.0/get": answer(archive)}
        folder = tmp_path / ("all" if others else "one")
        folder.mkdir()
        with engine(folder, answers) as (path, _paths):
            summary = image(path, folder).summary()
        assert summary.image_id == made.configs["linux/amd64"]["digest"]
        assert [str(one) for one in summary.others] == others


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"nothing of HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n{}",
        answer(b""),
        answer(b"[]"),
        answer(b"[" * 1_000_000),
        answer(b"{}"),
        answer(b'{"Id": "\\u0000"}'),
        answer(b'{"Id": 5}'),
        answer(b" " * (5 << 20)),
        answer(b"[" * 100_000, "500 Internal Server Error"),
        answer(b'{"message": {"a": 1}}', "500 Internal Server Error"),
        b"HTTP/1.1 500 Oh\r\nContent-Length: 100\r\n\r\nshort",
        NOT_FOUND,
    ],
)
@pytest.mark.parametrize("path", ["json", "get"])
def test_whatever_an_engine_says_is_an_error_of_the_source(tmp_path: Path, said: bytes, path: str) -> None:
    answers = {"/images/shop/app:1.0/json": answer(INSPECTED), f"/images/shop/app:1.0/{path}": said}
    with engine(tmp_path, answers) as (place, _paths):
        source = image(place, tmp_path)
        with pytest.raises(SourceError, match=r"docker-daemon:shop/app:1\.0") as caught:
            (source.summary(), source.config())
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("said", [b"", NOT_FOUND, answer(b"[]"), answer(b"[" * 1_000_000), answer(b'{"manifests": 5}')])
def test_an_engine_without_manifest_lists_is_none_the_worse(tmp_path: Path, said: bytes) -> None:
    answers = {"/images/shop/app:1.0/json": inspected_as(), LIST: said}
    with engine(tmp_path, answers) as (path, paths):
        assert image(path, tmp_path).summary().image_id == IMAGE_ID
        assert paths == list(answers)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.just(IMAGE_ID),
        lambda children: (
            st.lists(children, max_size=3)
            | st.dictionaries(
                st.sampled_from(["Id", "Os", "Descriptor", "RepoTags", "manifests", "platform"]), children
            )
        ),
        max_leaves=8,
    )
)
def test_any_shape_is_an_image_or_refused(tmp_path_factory: pytest.TempPathFactory, said: Any) -> None:
    folder = tmp_path_factory.mktemp("e")
    source = image("", folder)
    source._document = lambda _path: said if isinstance(said, dict) else {}  # type: ignore[method-assign, assignment]
    with suppress(SourceError):
        source.summary()


def test_no_room_for_an_image_is_told_as_such(tmp_path: Path) -> None:
    with engine(tmp_path, {"/images/shop/app:1.0/get": answer(SAVED)}) as (path, _paths):
        source = EngineImage("docker-daemon", "shop/app:1.0", path, str(tmp_path / "none"))
        with pytest.raises(LocalStorageError, match="cannot be written to"):
            source.config()


@pytest.mark.parametrize("path", ["/nowhere/s", "x" * 300, "a\0b"])
def test_a_socket_that_is_none(tmp_path: Path, path: str) -> None:
    with pytest.raises(SourceError, match=r"cannot be used.*Start the engine's API"):
        image(path, tmp_path).summary()
