# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``sources``: how its entries are read, and each manifest and blob from the source that has it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, InvalidOptionError
from ansible_collections.appuio.registry.plugins.module_utils._oci.contents import gather
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import Descriptor
from ansible_collections.appuio.registry.plugins.module_utils._push.referrers import find_referrers
from ansible_collections.appuio.registry.plugins.module_utils._source.file_source import DirectoryImage
from ansible_collections.appuio.registry.plugins.module_utils._source.joined import (
    JoinedSource,
    parse_entries,
    shared_name,
    shared_tag,
)
from ansible_collections.appuio.registry.plugins.module_utils._source.oci_layout import OciLayout

from tests.image import blob_path, image_manifest, make_image, put_entry, write_blob


def layout(folder: Path, platform: str, **options: Any) -> OciLayout:
    make_image(folder, platforms=(platform,), **options)
    return OciLayout(str(folder), None)


def content(source: JoinedSource, blob: Descriptor) -> bytes:
    reader, buffer = source.blob(blob).open(), bytearray(blob.size + 1)
    return bytes(buffer[: reader.readinto(memoryview(buffer))])


def test_every_blob_comes_from_the_source_that_has_it(tmp_path: Path) -> None:
    sources = [layout(tmp_path / "a", "linux/amd64", shared_layers=1), layout(tmp_path / "b", "linux/arm64")]
    joined = JoinedSource([(source, None) for source in sources])
    image = gather(joined.root(), joined.manifest, joined.read, joined.holds)
    assert image.platforms == ("linux/amd64", "linux/arm64")
    for blob in image.blobs:
        folder = next(folder for folder in ("a", "b") if blob_path(tmp_path / folder, blob.digest).exists())
        assert content(joined, blob) == blob_path(tmp_path / folder, blob.digest).read_bytes()
    joined.close()


def test_a_blob_that_one_of_two_has_comes_from_that_one(tmp_path: Path) -> None:
    """A partial layout may name a layer that only the other one holds."""
    first = layout(tmp_path / "a", "linux/amd64", shared_layers=2)
    second = layout(tmp_path / "b", "linux/arm64", shared_layers=2)
    joined = JoinedSource([(first, None), (second, None)])
    image = gather(joined.root(), joined.manifest, joined.read)
    shared = next(blob for blob in image.blobs if blob_path(tmp_path / "b", blob.digest).exists() and blob.size > 4096)
    blob_path(tmp_path / "a", shared.digest).unlink()
    assert joined.holds(shared)
    assert content(joined, shared) == blob_path(tmp_path / "b", shared.digest).read_bytes()


def test_the_image_of_a_directory_has_no_file_by_its_digest(tmp_path: Path) -> None:
    image = make_image(tmp_path / "layout", platforms=("linux/amd64",))
    folder = tmp_path / "dir"
    folder.mkdir()
    for path in (tmp_path / "layout/blobs/sha256").iterdir():
        shutil.copy(path, folder / path.name)
    (folder / image.digest.partition(":")[2]).rename(folder / "manifest.json")
    joined = JoinedSource([(DirectoryImage(str(folder)), None)])
    assert gather(joined.root(), joined.manifest, joined.read, joined.holds).manifests[0].digest == image.digest


def test_what_cannot_be_read_says_of_which_source(tmp_path: Path) -> None:
    good = layout(tmp_path / "a", "linux/amd64")
    old = write_blob(tmp_path / "b", json.dumps({"schemaVersion": 1}).encode(), "")
    put_entry(tmp_path / "b", old)
    with pytest.raises(AppuioError, match=f"read oci:{tmp_path / 'b'}: the source is an image of the old schema 1"):
        JoinedSource([(good, None), (OciLayout(str(tmp_path / "b"), None), None)]).root()


def test_signatures_of_each_source_are_found(tmp_path: Path) -> None:
    sources = [layout(tmp_path / "a", "linux/amd64"), layout(tmp_path / "b", "linux/arm64")]
    image = make_image(tmp_path / "b", platforms=("linux/arm64",))
    signed = image_manifest(image.configs["linux/arm64"], image.layers["linux/arm64"])
    signature = write_blob(tmp_path / "b", json.dumps(signed).encode(), image.descriptor["mediaType"])
    put_entry(tmp_path / "b", signature, f"{image.digest.replace(':', '-')}.sig")
    referrer = {**signed, "subject": {key: image.descriptor[key] for key in ("mediaType", "digest", "size")}}
    put_entry(
        tmp_path / "b", write_blob(tmp_path / "b", json.dumps(referrer).encode(), image.descriptor["mediaType"]), None
    )
    joined = JoinedSource([(source, None) for source in sources])
    root = joined.root()
    found = find_referrers(joined, root)
    assert found.skipped == ()
    name = image.digest.replace(":", "-")
    assert [one.tag for one in found.tags] == [f"{name}.sig", name]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "sources is empty"),
        (["oci:a", ""], "entry 2 of sources: it is neither"),
        (["oci:a", {"platform": "linux/amd64"}], "entry 2 of sources: it is neither"),
        ([{"source": "oci:a", "platfrom": "linux/amd64"}], "entry 1 of sources: the key platfrom is unknown"),
        ([{"source": "oci:a", "platform": "amd64"}], "entry 1 of sources: platform 'amd64' is not os/architecture"),
        ([{"source": "oci:a", "platform": ["linux/amd64"]}], "entry 1 of sources: platform is no text"),
        (["oci:a", "build/arm64.tar"], "entry 2 of sources: source 'build/arm64.tar' is a path"),
        (["oci:a", 7], "entry 2 of sources: it is neither"),
    ],
)
def test_an_entry_that_cannot_be_meant_is_named(given: Any, words: str) -> None:
    with pytest.raises(InvalidOptionError, match=words):
        parse_entries({"sources": given})


def test_entries_are_texts_and_mappings() -> None:
    first, second = parse_entries({"sources": ["oci:a", {"source": "oci:b", "platform": "linux/aarch64"}]})
    assert (first.written, first.platform) == ("oci:a", None)
    assert (second.written, str(second.platform)) == ("oci:b", "linux/arm64")
    assert [one.written for one in parse_entries({"sources": "oci:a, oci:b"})] == ["oci:a", "oci:b"]


def test_a_password_goes_to_one_registry_only() -> None:
    options = {"sources": ["docker://one.example/app", "docker://two.example/app"], "source_password": "secret"}
    with pytest.raises(InvalidOptionError, match=r"one\.example, two\.example") as caught:
        parse_entries(options)
    assert "source_auth_file" in str(caught.value)
    options["sources"] = ["docker://one.example/app:1", "docker://one.example/app:2", "oci:build"]
    assert len(parse_entries(options)) == len(options["sources"])


def test_name_and_tag_are_those_of_all_sources(tmp_path: Path) -> None:
    same = [OciLayout(str(tmp_path / folder / "app"), "1.4") for folder in ("amd64", "arm64")]
    assert (shared_name(same, None), shared_tag(same, None)) == ("app", "1.4")
    other = OciLayout(str(tmp_path / "arm64"), "1.5")
    for shared, what in ((shared_name, "names: app, arm64"), (shared_tag, "tags: 1.4, 1.5")):
        with pytest.raises(InvalidOptionError, match=f"the sources have different {what}"):
            shared([same[0], other], None)
        shared([same[0], other], "given")
