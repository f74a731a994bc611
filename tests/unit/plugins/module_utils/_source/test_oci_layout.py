# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""OCI layouts: an image is found by every name that its writer gave; what is unclear is listed with what to write."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import SourceError
from ansible_collections.appuio.registry.plugins.module_utils._oci.contents import ImageContents, gather
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import OCI_INDEX, OCI_MANIFEST
from ansible_collections.appuio.registry.plugins.module_utils._oci.platforms import parse_platform
from ansible_collections.appuio.registry.plugins.module_utils._oci.referrers import check_pushable
from ansible_collections.appuio.registry.plugins.module_utils._oci.walk import select
from ansible_collections.appuio.registry.plugins.module_utils._source.base import is_archive
from ansible_collections.appuio.registry.plugins.module_utils._source.file_source import DirectoryImage
from ansible_collections.appuio.registry.plugins.module_utils._source.layout_names import CONTAINERD_NAME, REF_NAME
from ansible_collections.appuio.registry.plugins.module_utils._source.location import SourceContext, parse_location
from ansible_collections.appuio.registry.plugins.module_utils._source.oci_layout import OciLayout
from hypothesis import given
from hypothesis import strategies as st

from tests.image import blob_path, image_index, image_manifest, make_image, write_blob

Entry = dict[str, Any]
ODD = "application/vnd.example.odd"


def write_index(folder: Path, *entries: Entry) -> None:
    (folder / "index.json").write_text(json.dumps(image_index(entries)))


def named(entry: Entry, ref: str | None = None, containerd: str | None = None) -> Entry:
    names = {REF_NAME: ref, CONTAINERD_NAME: containerd}
    bare = {key: value for key, value in entry.items() if key != "annotations"}
    return {**bare, "annotations": {key: value for key, value in names.items() if value}}


def images(folder: Path, count: int = 2) -> list[Entry]:
    """Write images of one platform, and return their entries without names."""
    made = [make_image(folder, platforms=["linux/amd64"], seed=number, tag=None) for number in range(count)]
    return [{key: one.descriptor[key] for key in ("mediaType", "digest", "size")} for one in made]


def root_of(folder: Path, wanted: str | None = None) -> str:
    return OciLayout(str(folder), wanted).root().digest


def walked(source: OciLayout | DirectoryImage, *platforms: str) -> ImageContents:
    """Return what a push would bring of a source."""
    wanted = [parse_platform(one) for one in platforms]
    root = select(source.root(), source.manifest, wanted, source.read)
    image = gather(root, source.manifest, source.read, source.holds)
    check_pushable(image, source.read)
    return image


@pytest.mark.parametrize(
    ("ref", "containerd", "wanted"),
    [
        ("1.0", None, "1.0"),
        ("docker.io/library/alpine:3.20", None, "docker.io/library/alpine:3.20"),
        ("docker.io/library/alpine:3.20", None, "alpine:3.20"),
        ("docker.io/library/alpine:3.20", None, "3.20"),
        ("rancher/local-path-provisioner:v0.0.20", None, "rancher/local-path-provisioner:v0.0.20"),
        ("rancher/local-path-provisioner:v0.0.20", None, "docker.io/rancher/local-path-provisioner:v0.0.20"),
        ("3.20", "docker.io/library/alpine:3.20", "docker.io/library/alpine:3.20"),
        ("3.20", "docker.io/library/alpine:3.20", "alpine:3.20"),
        ("3.20", "docker.io/library/alpine:3.20", "3.20"),
        (None, "ghcr.io/me/app:1", "ghcr.io/me/app:1"),
        ("any text of a writer", None, "any text of a writer"),
        ("localhost:5000/app", None, "localhost:5000/app:latest"),
    ],
)
def test_each_name_finds_its_image(tmp_path: Path, ref: str | None, containerd: str | None, wanted: str) -> None:
    first, second, third = images(tmp_path, 3)
    write_index(tmp_path, named(first, "other:9.9"), named(second, ref, containerd), third)
    assert root_of(tmp_path, wanted) == second["digest"]


def test_a_name_is_that_of_its_own_registry_and_repository(tmp_path: Path) -> None:
    (only,) = images(tmp_path, 1)
    write_index(tmp_path, named(only, "3.20", "docker.io/library/alpine:3.20"))
    for wanted in ("ghcr.io/library/alpine:3.20", "docker.io/library/busybox:3.20", "alpine:3.21", "alpine"):
        with pytest.raises(SourceError, match=r"does not exist.*@0 \(docker\.io/library/alpine:3\.20\)"):
            root_of(tmp_path, wanted)


def test_a_tag_of_two_images_is_not_guessed(tmp_path: Path) -> None:
    first, second, third = images(tmp_path, 3)
    write_index(
        tmp_path,
        named(first, "1.0", "docker.io/shop/a:1.0"),
        named(second, "1.0", "docker.io/shop/b:1.0"),
        named(third, "2.0", "docker.io/shop/a:2.0"),
    )
    with pytest.raises(SourceError, match=r"2 entries.*@0 \(docker\.io/shop/a:1\.0\), @1 \(docker\.io/shop/b:1\.0\):"):
        root_of(tmp_path, "1.0")
    assert root_of(tmp_path, "shop/b:1.0") == second["digest"]
    assert root_of(tmp_path, "@0") == first["digest"]
    assert root_of(tmp_path, second["digest"]) == second["digest"]
    assert root_of(tmp_path, "2.0") == third["digest"]


def test_an_exact_name_wins_over_a_tag_that_fits(tmp_path: Path) -> None:
    first, second = images(tmp_path)
    write_index(tmp_path, named(first, "shop/app:1.0"), named(second, "1.0"))
    assert root_of(tmp_path, "1.0") == second["digest"]
    assert root_of(tmp_path, "shop/app:1.0") == first["digest"]


def test_without_names_one_candidate_is_taken_and_several_are_listed(tmp_path: Path) -> None:
    first, second = images(tmp_path)
    write_index(tmp_path, first)
    assert root_of(tmp_path) == first["digest"]
    write_index(tmp_path, first, first)
    assert root_of(tmp_path) == first["digest"]
    write_index(tmp_path, first, second)
    with pytest.raises(SourceError, match=r"holds 2 images.*@0 \(no name\), @1 \(no name\): write one"):
        root_of(tmp_path)
    assert root_of(tmp_path, "@1") == second["digest"]
    for wanted in ("@2", "@99999999999", "sha256:" + "0" * 64):
        with pytest.raises(SourceError, match=r"does not exist.*@0 \(no name\), @1"):
            root_of(tmp_path, wanted)


def test_an_image_below_an_index_has_a_digest(tmp_path: Path) -> None:
    image = make_image(tmp_path)
    child = image.manifests["linux/arm64"]["digest"]
    assert root_of(tmp_path, child) == child


def test_what_cosign_saved(tmp_path: Path) -> None:
    image, signature, attestation = images(tmp_path, 3)
    kinds = ("image", "sigs", "atts")
    write_index(
        tmp_path,
        *(
            {**entry, "annotations": {"kind": f"dev.cosignproject.cosign/{kind}"}}
            for entry, kind in zip((image, signature, attestation), kinds, strict=True)
        ),
    )
    layout = OciLayout(str(tmp_path), None)
    assert layout.root().digest == image["digest"]
    stem = image["digest"].replace(":", "-")
    assert sorted(layout.tags()) == [f"{stem}.att", f"{stem}.sig"]
    found = layout.tagged(f"{stem}.sig")
    assert found is not None
    assert found.digest == signature["digest"]


def test_an_index_without_platforms(tmp_path: Path) -> None:
    several = make_image(tmp_path / "several", entry_platforms=False)
    source = OciLayout(str(tmp_path / "several"), None)
    with pytest.raises(SourceError, match=r"no platform.*platforms: \[linux/amd64, linux/arm64\]"):
        walked(source)
    assert walked(source, "linux/arm64").digest == several.manifests["linux/arm64"]["digest"]
    both = walked(source, "linux/amd64", "linux/arm64")
    assert both.platforms == ("linux/amd64", "linux/arm64")
    assert both.digest != several.digest, "platforms were written into it"
    single = make_image(tmp_path / "one", platforms=["linux/amd64"], index=True, entry_platforms=False)
    image = walked(OciLayout(str(tmp_path / "one"), None))
    assert image.digest == single.manifests["linux/amd64"]["digest"]


@pytest.mark.parametrize("missing", ["manifest", "config", "layer"])
def test_a_part_of_an_image(tmp_path: Path, missing: str) -> None:
    image = make_image(tmp_path, platforms=["linux/amd64", "linux/arm64", "linux/s390x"])
    for platform in ("linux/arm64", "linux/s390x"):
        blobs = {"manifest": image.manifests, "config": image.configs}.get(missing)
        digest = blobs[platform]["digest"] if blobs else image.layers[platform][0]["digest"]
        blob_path(tmp_path, digest).unlink()
    source = OciLayout(str(tmp_path), None)
    with pytest.raises(SourceError, match=r"linux/arm64, linux/s390x is not there.*platforms: \[linux/amd64\]"):
        walked(source)
    assert walked(source, "linux/amd64").digest == image.manifests["linux/amd64"]["digest"]


def test_foreign_layers_travel_where_they_are(tmp_path: Path) -> None:
    foreign = {"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "urls": ["https://x/y"]}
    base = {**write_blob(tmp_path, b"a base layer of Windows"), **foreign}
    image = make_image(tmp_path, platforms=["windows/amd64"])
    manifest = image_manifest(image.configs["windows/amd64"], [base])
    write_index(tmp_path, write_blob(tmp_path, json.dumps(manifest).encode(), OCI_MANIFEST))
    walk = walked(OciLayout(str(tmp_path), None))
    assert base["digest"] in {blob.digest for blob in walk.blobs}
    assert walk.foreign == ()
    blob_path(tmp_path, base["digest"]).unlink()
    walk = walked(OciLayout(str(tmp_path), None))
    assert [blob.digest for blob in walk.foreign] == [base["digest"]]
    assert base["digest"] not in {blob.digest for blob in walk.blobs}


@pytest.mark.parametrize(
    "config", [b"", b"[]", b'"text"', b'{"config": "x"}', b'{"created": "yesterday"}', b"{" * 9999]
)
@pytest.mark.parametrize("in_index", [True, False])
def test_a_configuration_that_is_none_is_refused(tmp_path: Path, config: bytes, in_index: bool) -> None:
    described = write_blob(tmp_path, config, "application/vnd.aquasec.trivy.config.v1+json")
    layer = write_blob(tmp_path, b"a database", ODD)
    entry = write_blob(tmp_path, json.dumps(image_manifest(described, [layer])).encode(), OCI_MANIFEST)
    if in_index:
        platform = {"platform": {"os": "linux", "architecture": "amd64"}}
        entry = write_blob(tmp_path, json.dumps(image_index([{**entry, **platform}])).encode(), OCI_INDEX)
    write_index(tmp_path, entry)
    with pytest.raises(SourceError, match=r"is no image: its configuration \(application/vnd\.aquasec"):
        walked(OciLayout(str(tmp_path), None))


@pytest.mark.parametrize("config", [b"{}", b"null", b'{"unknown": 1}'])
def test_a_configuration_that_does_no_harm_is_taken(tmp_path: Path, config: bytes) -> None:
    described = write_blob(tmp_path, config, ODD)
    entry = write_blob(tmp_path, json.dumps(image_manifest(described, [])).encode(), OCI_MANIFEST)
    write_index(tmp_path, entry)
    assert walked(OciLayout(str(tmp_path), None)).digest == entry["digest"]


@pytest.mark.parametrize("where", ["child", "layer", "config"])
def test_other_digests_than_sha256_are_refused(tmp_path: Path, where: str) -> None:
    def sha512(descriptor: Entry) -> Entry:
        content = blob_path(tmp_path, descriptor["digest"]).read_bytes()
        digest = f"sha512:{hashlib.sha512(content).hexdigest()}"
        path = blob_path(tmp_path, digest)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return {**descriptor, "digest": digest}

    image = make_image(tmp_path, platforms=["linux/amd64"])
    config, layers = image.configs["linux/amd64"], image.layers["linux/amd64"]
    config = sha512(config) if where == "config" else config
    layers = [sha512(one) for one in layers] if where == "layer" else layers
    entry = write_blob(tmp_path, json.dumps(image_manifest(config, layers)).encode(), OCI_MANIFEST)
    if where == "child":
        child = {**sha512(entry), "platform": {"os": "linux", "architecture": "amd64"}}
        entry = write_blob(tmp_path, json.dumps(image_index([child])).encode(), OCI_INDEX)
    write_index(tmp_path, entry)
    with pytest.raises(SourceError, match="OpenShift keeps content by sha256 only"):
        walked(OciLayout(str(tmp_path), None))


def test_referrers_have_two_homes(tmp_path: Path) -> None:
    image = make_image(tmp_path, platforms=["linux/amd64"], tag=None).descriptor
    subject = {key: image[key] for key in ("mediaType", "digest", "size")}
    config = write_blob(tmp_path, b"{}", "application/vnd.oci.empty.v1+json")

    def referring(kind: str) -> Entry:
        manifest = {**image_manifest(config, []), "subject": subject, "artifactType": kind}
        return write_blob(tmp_path, json.dumps(manifest).encode(), OCI_MANIFEST)

    first, second, lost = (referring(kind) for kind in ("in the index", "under the tag", "lost"))
    blob_path(tmp_path, lost["digest"]).unlink()
    tag = image["digest"].replace(":", "-")
    fallback = write_blob(tmp_path, json.dumps(image_index([second, first])).encode(), OCI_INDEX)
    write_index(tmp_path, image, first, lost, named(fallback, tag))
    layout = OciLayout(str(tmp_path), None)
    assert layout.root().digest == image["digest"]
    found = layout.referrers(image["digest"])
    assert {entry.digest for entry in found.entries} == {first["digest"], second["digest"]}
    assert [one.partition(" ")[0] for one in found.skipped] == [f"{lost['digest']}:"]
    blob_path(tmp_path, fallback["digest"]).write_bytes(b"{}")
    found = layout.referrers(image["digest"])
    assert [entry.digest for entry in found.entries] == [first["digest"]]
    assert any(one.startswith(f"{tag}: ") for one in found.skipped)
    assert layout.referrers("sha256:" + "0" * 64).entries == ()


def test_a_layout_in_an_archive(tmp_path: Path) -> None:
    image = make_image(tmp_path / "app", tag="1.0")
    with tarfile.open(tmp_path / "app.tar", "w") as archive:
        archive.add(tmp_path / "app", ".")
    source = OciLayout(str(tmp_path / "app.tar"), "1.0", True, str(tmp_path))
    assert (walked(source).digest, source.name, source.tag) == (image.digest, "app", "1.0")


@pytest.mark.parametrize(
    ("wanted", "name", "tag"),
    [
        (None, "app", None),
        ("1.0", "app", "1.0"),
        ("@0", "app", None),
        ("sha256:" + "0" * 64, "app", None),
        ("docker.io/rancher/local-path-provisioner:v0.0.20", "local-path-provisioner", "v0.0.20"),
    ],
)
def test_what_it_is_called_in_a_zone(tmp_path: Path, wanted: str | None, name: str, tag: str | None) -> None:
    source = OciLayout(str(tmp_path / "app"), wanted)
    assert (source.name, source.tag) == (name, tag)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "index.json of .* is not JSON"),
        (b"[" * 9999, "nested"),
        (b"[]", "is not a JSON object"),
        (b"{}", "has no manifests"),
        (b'{"manifests": {}}', "has no manifests"),
        (b'{"manifests": [1]}', "lacks a descriptor"),
        (b'{"manifests": [{"digest": "sha256:x"}]}', "no digest of a known kind"),
        (b'{"manifests": [{"digest": "sha256:%s", "size": true}]}' % (b"0" * 64), "has no size"),
        (b'{"manifests": [{"digest": "sha256:%s", "size": -1}]}' % (b"0" * 64), "has no size"),
        (b'{"manifests": [{"digest": "sha256:%s", "size": 1e3}]}' % (b"0" * 64), "has no size"),
        (b'{"manifests": [{"digest": "sha256:%s", "size": 99999999999999999999}]}' % (b"0" * 64), "has no size"),
        (b'{"manifests": []}', "holds no images"),
    ],
)
def test_what_is_no_layout_says_where(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "index.json").write_bytes(content)
    with pytest.raises(SourceError, match=words):
        OciLayout(str(tmp_path), None).root()


@pytest.mark.parametrize("kind", ["oci", "oci-archive", "docker-archive", "dir"])
def test_what_is_not_there_is_told_with_where_it_was_looked_for(tmp_path: Path, kind: str) -> None:
    for path, place in ((str(tmp_path / "none"), "where the task runs:"), ("none", f"runs, in {os.getcwd()}:")):
        location = parse_location(f"{kind}:{path}")
        source: Any = location.open(SourceContext({}, {}, lambda _secret: None, str(tmp_path)))
        with pytest.raises(SourceError, match=rf"^{kind}:{path} does not exist: .*{place}"):
            source.summary() if is_archive(source) else source.root()


def test_a_layout_as_a_plain_directory(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"has no manifest\.json"):
        DirectoryImage(str(tmp_path)).root()
    (tmp_path / "index.json").touch()
    with pytest.raises(SourceError, match=r"Write oci: instead"):
        DirectoryImage(str(tmp_path)).root()


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"has no index\.json"):
        OciLayout(str(tmp_path), None).root()
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(SourceError, match="Write dir: instead"):
        OciLayout(str(tmp_path), None).root()
    (tmp_path / "index.json").mkdir()
    with pytest.raises(SourceError, match="is a directory"):
        OciLayout(str(tmp_path), None).root()
    (tmp_path / "index.json").rmdir()
    os.mkfifo(tmp_path / "index.json")
    with pytest.raises(SourceError, match="not a regular file"):
        OciLayout(str(tmp_path), None).root()


SHAPES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2**70)
    | st.text(max_size=5)
    | st.sampled_from(["sha256:" + "0" * 64, OCI_INDEX, OCI_MANIFEST]),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "manifests",
                    "digest",
                    "size",
                    "mediaType",
                    "annotations",
                    REF_NAME,
                    "platform",
                    "os",
                    "urls",
                    "config",
                    "layers",
                    "subject",
                    "kind",
                ]
            ),
            children,
            max_size=6,
        )
    ),
    max_leaves=12,
)
ENTRY = st.fixed_dictionaries(
    {"digest": st.just("sha256:" + "0" * 64), "size": st.integers(0, 9)},
    optional={"mediaType": SHAPES, "annotations": SHAPES, "platform": SHAPES, "urls": SHAPES},
)


@given(
    SHAPES | st.fixed_dictionaries({"manifests": st.lists(ENTRY | SHAPES, max_size=3)}),
    SHAPES,
    st.sampled_from([None, "1.0", "@0", "a/b:c"]),
)
def test_any_shape_is_a_layout_or_refused(
    tmp_path_factory: pytest.TempPathFactory, index: Any, manifest: Any, wanted: str | None
) -> None:
    folder = tmp_path_factory.mktemp("layout")
    raw = json.dumps(manifest).encode()
    blob = write_blob(folder, raw)
    text = json.dumps(index).replace("sha256:" + "0" * 64, blob["digest"])
    (folder / "index.json").write_text(text)
    (folder / "manifest.json").write_bytes(raw)
    layout = OciLayout(str(folder), wanted)
    with suppress(SourceError):
        walked(layout)
    with suppress(SourceError):
        (layout.tags(), layout.referrers(blob["digest"]), layout.tagged("1.0"))
    with suppress(SourceError):
        walked(DirectoryImage(str(folder)))
