# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives of docker save and podman save: which image, and layers that are what the configuration says."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import sys
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import zstandard
from ansible_collections.appuio.registry.plugins.module_utils._compression.compressors import choose_compressor
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    CancelledError,
    LocalStorageError,
    MissingLibraryError,
    SourceError,
)
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import digest_of
from ansible_collections.appuio.registry.plugins.module_utils._source.docker_archive import DockerArchive
from ansible_collections.appuio.registry.plugins.module_utils._source.layer import Layer, make_layer
from ansible_collections.appuio.registry.plugins.module_utils._source.local_file import Part, open_file
from hypothesis import given
from hypothesis import strategies as st

from tests.image.tar_members import member

PLAIN = hashlib.sha256(b"seed").digest() * 9_000
DIFF_ID = digest_of(PLAIN)
CONFIG = {"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [DIFF_ID]}}


def archive(tmp_path: Path, manifest: Any, **files: bytes) -> str:
    """Write an archive with this manifest.json and these files, whose names have dots for double underscores."""
    file = tmp_path / "app.tar"
    members = {name.replace("__", "."): content for name, content in files.items()}
    content = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    file.write_bytes(b"".join(member(name, data) for name, data in {**members, "manifest.json": content}.items()))
    return str(file)


def image(tmp_path: Path, config: Any = CONFIG, **entry: Any) -> DockerArchive:
    raw = json.dumps(config).encode()
    listed = {"Config": "c.json", "Layers": ["l.tar"], "RepoTags": ["shop/app:1.0"], **entry}
    return DockerArchive(archive(tmp_path, [listed], c__json=raw, l__tar=PLAIN), None, str(tmp_path))


def made(tmp_path: Path, content: bytes, compression: str = "gzip", diff_id: str = DIFF_ID) -> tuple[Layer, bytes]:
    """Return what a layer with this content becomes, and its bytes."""
    (tmp_path / "layer").write_bytes(b"before" + content + b"after")
    part = Part(open_file(str(tmp_path / "layer")), 6, len(content))
    layer = make_layer(part, diff_id, choose_compressor(compression), str(tmp_path), "the layer", threading.Event())
    reader, got, buffer = layer.body().open(), bytearray(), memoryview(bytearray(100_000))
    while count := reader.readinto(buffer):
        got += buffer[:count]
    return layer, bytes(got)


def read_all(source: DockerArchive) -> None:
    """Read all that is read of an archive before its layers."""
    source.summary()
    source.check()
    source.config()


def pzstd(content: bytes) -> bytes:
    """What pzstd writes: each frame behind a skippable one that tells its size."""
    frames = [
        zstandard.ZstdCompressor().compress(content[start : start + 100_000])
        for start in range(0, len(content), 100_000)
    ]
    return b"".join(b"\x50\x2a\x4d\x18\x04\0\0\0" + len(one).to_bytes(4, "little") + one for one in frames)


KEPT: list[Callable[[bytes], bytes]] = [
    gzip.compress,
    lambda content: b"".join(gzip.compress(content[start : start + 9000]) for start in range(0, len(content), 9000)),
    zstandard.ZstdCompressor().compress,
    pzstd,
]
REPACKED: list[Callable[[bytes], bytes]] = [
    lzma.compress,
    lambda content: lzma.compress(content[:1000]) + bytes(8) + lzma.compress(content[1000:]) + bytes(4),
    bz2.compress,
    lambda content: bz2.compress(content[:1000]) + bz2.compress(content[1000:]),
]


@pytest.mark.parametrize("packed", KEPT)
def test_a_layer_that_registries_take_stays_as_it_is(tmp_path: Path, packed: Callable[[bytes], bytes]) -> None:
    content = packed(PLAIN)
    layer, got = made(tmp_path, content)
    assert got == content
    assert (layer.descriptor.digest, layer.descriptor.size) == (digest_of(content), len(content))
    assert layer.descriptor.media_type.endswith(("gzip", "zstd"))
    assert not layer.compressed


@pytest.mark.parametrize("packed", REPACKED)
@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_a_layer_that_registries_do_not_take_is_packed_anew(
    tmp_path: Path, packed: Callable[[bytes], bytes], compression: str
) -> None:
    layer, got = made(tmp_path, packed(PLAIN), compression)
    assert (gzip.decompress(got) if compression == "gzip" else got) == PLAIN
    assert (layer.descriptor.digest, layer.descriptor.size) == (digest_of(got), len(got))
    assert layer.compressed


@pytest.mark.parametrize("packed", [*KEPT, *REPACKED, bytes])
@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_a_layer_that_is_not_what_the_configuration_says_is_refused(
    tmp_path: Path, packed: Callable[[bytes], bytes], compression: str
) -> None:
    content = packed(PLAIN)
    damaged = [packed(PLAIN[:-1]), packed(b"x" + PLAIN[1:]), content[: len(content) // 2]]
    damaged += [content[:-20], content[: len(content) // 2] + b"xxxx" + content[len(content) // 2 + 4 :]]
    for one in damaged:
        with pytest.raises(SourceError, match=r"^the layer is (altered|damaged)"):
            made(tmp_path, one, compression)
    assert [path.name for path in tmp_path.iterdir()] == ["layer"]


def test_a_layer_that_was_released_gives_no_empty_blob(tmp_path: Path) -> None:
    layer, _content = made(tmp_path, PLAIN)
    reader, buffer = layer.body().open(), memoryview(bytearray(100))
    layer.release()
    assert reader.readinto(buffer) == 100, "an upload that goes on reads on"
    with pytest.raises(SourceError, match="was released"):
        layer.body()


def test_a_sha512_diff_id_is_compared_too(tmp_path: Path) -> None:
    made(tmp_path, PLAIN, diff_id=f"sha512:{hashlib.sha512(PLAIN).hexdigest()}")
    with pytest.raises(SourceError, match="altered"):
        made(tmp_path, PLAIN + b"x", diff_id=f"sha512:{hashlib.sha512(PLAIN).hexdigest()}")


@pytest.mark.parametrize("content", [PLAIN, gzip.compress(PLAIN), lzma.compress(PLAIN)])
def test_a_layer_that_nobody_needs_is_given_up(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "layer").write_bytes(content)
    stopped = threading.Event()
    stopped.set()
    part = Part(open_file(str(tmp_path / "layer")), 0, len(content))
    with pytest.raises(CancelledError):
        make_layer(part, DIFF_ID, choose_compressor(), str(tmp_path), "the layer", stopped)


def test_xz_that_wants_all_memory_is_refused(tmp_path: Path) -> None:
    # Only the header's promise matters, so it need not be compressed with such a dictionary.
    content = bytearray(lzma.compress(PLAIN, filters=[{"id": lzma.FILTER_LZMA2, "preset": 1}]))
    position = content.index(b"\x21\x01")
    content[position + 2] = 37  # 1 GiB (xz-file-format, 5.3.1)
    block = content[12 : 12 + 8]
    content[20:24] = zlib.crc32(block).to_bytes(4, "little")
    with pytest.raises(SourceError, match=r"the layer is damaged.*[Mm]emory"):
        made(tmp_path, bytes(content))


def test_no_room_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.write", lambda *_arguments: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(LocalStorageError, match=r"has no room for the layer.*remote_tmp"):
        made(tmp_path, PLAIN)
    with pytest.raises(LocalStorageError, match="nowhere cannot be written to"):
        make_layer(
            Part(open_file(str(tmp_path / "layer")), 6, len(PLAIN)),
            DIFF_ID,
            choose_compressor(),
            str(tmp_path / "nowhere"),
            "the layer",
            threading.Event(),
        )


def test_zstd_without_its_library_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = zstandard.ZstdCompressor().compress(PLAIN)
    for name in ("zstandard", "compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingLibraryError, match="zstandard"):
        made(tmp_path, content)


@pytest.mark.parametrize("packed", [*KEPT, *REPACKED])
def test_an_archive_that_was_compressed_as_a_whole(tmp_path: Path, packed: Callable[[bytes], bytes]) -> None:
    image(tmp_path)
    content = packed((tmp_path / "app.tar").read_bytes())
    (tmp_path / "packed").write_bytes(content)
    source = DockerArchive(str(tmp_path / "packed"), None, str(tmp_path))
    assert source.summary().image_id == digest_of(json.dumps(CONFIG).encode())
    assert source.layer(0).content(1 << 30, "the layer") == PLAIN
    assert {path.name for path in tmp_path.iterdir()} == {"app.tar", "packed"}
    (tmp_path / "packed").write_bytes(content[: len(content) // 2])
    with pytest.raises(SourceError, match=r"packed (is damaged|ends too early)"):
        DockerArchive(str(tmp_path / "packed"), None, str(tmp_path)).summary()


def test_an_image_without_layers(tmp_path: Path) -> None:
    nothing: tuple[list[str] | None, ...] = (None, [])
    for empty in nothing:
        config = {**CONFIG, "rootfs": {"type": "layers", "diff_ids": empty}}
        source = image(tmp_path, config, Layers=empty, RepoTags=empty)
        source.check()
        assert source.config().diff_ids == ()


def test_names_with_slashes_and_dots_before_them(tmp_path: Path) -> None:
    source = image(tmp_path, Config="./c.json", Layers=["/l.tar"])
    source.check()
    assert source.summary().image_id == digest_of(json.dumps(CONFIG).encode())


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (b"", "is not JSON"),
        (b"[" * 100_000, "nested"),
        ({}, "is not the list"),
        ([], "holds 0 images"),
        ([1], "has no Config"),
        ([{}], "has no Config"),
        ([{"Config": 5}], "has no Config"),
        ([{"Config": "c.json", "Layers": 5}], "Layers that are no list"),
        ([{"Config": "c.json", "Layers": [5]}], "Layers that are no list"),
        ([{"Config": "c.json", "RepoTags": {"a": 1}}], "RepoTags that are no list"),
        ([{"Config": "none.json"}], "has no none.json"),
        ([{"Config": "c.json", "Layers": []}], "lists 0 layers, and its configuration 1"),
        ([{"Config": "c.json", "Layers": ["none"]}], "has no none"),
        ([{"Config": "\0\33[31m", "Layers": ["none"]}], "has no"),
    ],
)
def test_what_is_no_archive_of_docker_save_says_where(tmp_path: Path, manifest: Any, words: str) -> None:
    path = archive(tmp_path, manifest, c__json=json.dumps(CONFIG).encode())
    source = DockerArchive(path, None, str(tmp_path))
    with pytest.raises(SourceError, match=rf"app\.tar.*{words}") as caught:
        read_all(source)
    assert str(caught.value).isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just("c.json"),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Config", "Layers", "RepoTags", "rootfs", "diff_ids", "os"]), children, max_size=4
        )
    ),
    max_leaves=8,
)


@given(JSON | st.lists(st.fixed_dictionaries({"Config": st.just("c.json"), "Layers": JSON, "RepoTags": JSON})), JSON)
def test_any_shape_is_an_image_or_refused(tmp_path_factory: pytest.TempPathFactory, manifest: Any, config: Any) -> None:
    folder = tmp_path_factory.mktemp("archive")
    source = DockerArchive(archive(folder, manifest, c__json=json.dumps(config).encode()), None, str(folder))
    with suppress(SourceError):
        read_all(source)
