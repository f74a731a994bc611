# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests, platforms, and what has to travel."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError, SourceError
from ansible_collections.appuio.registry.plugins.module_utils._oci.contents import gather
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import (
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    digest_of,
    parse_manifest,
)
from ansible_collections.appuio.registry.plugins.module_utils._oci.platforms import parse_platform
from ansible_collections.appuio.registry.plugins.module_utils._oci.referrers import (
    fallback_index,
    subject_of,
    taken_by_openshift,
)
from ansible_collections.appuio.registry.plugins.module_utils._oci.walk import select
from hypothesis import given
from hypothesis import strategies as st


class Store:
    """Contents by their digest."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def add(self, content: Any, media_type: str = "application/octet-stream", **more: Any) -> dict[str, Any]:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.contents[digest_of(data)] = data
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **more}

    def image(self, platform: str, **more: Any) -> dict[str, Any]:
        os, architecture, *variant = platform.split("/")
        named = {"os": os, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
        layers = [self.add(platform.encode()), self.add(b"shared")]
        manifest = {"schemaVersion": 2, "config": self.add(named), "layers": layers}
        return self.add(manifest, OCI_MANIFEST, **{"platform": named, **more})

    def index(self, *entries: dict[str, Any]) -> dict[str, Any]:
        return self.add({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries)}, OCI_INDEX)

    def manifest(self, entry: dict[str, Any]) -> Manifest:
        return parse_manifest(self.contents[entry["digest"]], entry["mediaType"])

    def fetch(self, descriptor: Descriptor) -> Manifest:
        return parse_manifest(self.contents[descriptor.digest], descriptor.media_type)

    def read(self, descriptor: Descriptor) -> bytes:
        return self.contents[descriptor.digest]


@pytest.fixture
def store() -> Store:
    return Store()


def test_children_come_before_their_index_and_shared_layers_once(store: Store) -> None:
    root = store.manifest(store.index(store.image("linux/amd64"), store.image("linux/arm64")))
    image = gather(root, store.fetch, store.read)
    assert [manifest.is_index for manifest in image.manifests] == [False, False, True]
    assert len(image.blobs) == 5
    assert image.platforms == ("linux/amd64", "linux/arm64")


def test_an_index_that_only_wraps_another_is_taken_off(store: Store) -> None:
    inner = store.index(store.image("linux/amd64"), store.image("linux/arm64"))
    assert select(store.manifest(store.index(inner)), store.fetch, (), store.read).digest == inner["digest"]


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        ("linux/amd64", "linux/x86_64"),
        ("linux/arm64", "linux/arm64/v8"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm/v7", "linux/arm"),
        ("linux/arm/v6", "linux/arm/v6"),
    ],
)
def test_platforms_that_are_the_same(store: Store, there: str, wanted: str) -> None:
    entry = store.image(there)
    root = store.manifest(store.index(store.image("linux/s390x"), entry))
    assert select(root, store.fetch, [parse_platform(wanted)], store.read).digest == entry["digest"]
    assert select(store.manifest(entry), store.fetch, [parse_platform(wanted)], store.read).digest == entry["digest"]


def test_a_platform_that_is_not_there_is_told_with_those_that_are(store: Store) -> None:
    root = store.manifest(store.index(store.image("linux/amd64"), store.image("linux/arm/v6")))
    with pytest.raises(SourceError, match=r"no image for linux/arm/v7.*linux/amd64, linux/arm/v6"):
        select(root, store.fetch, [parse_platform("linux/arm/v7")], store.read)


def test_several_platforms_keep_their_attestations(store: Store) -> None:
    entries = [store.image(platform) for platform in ("linux/amd64", "linux/arm64", "linux/s390x")]
    about = {"vnd.docker.reference.type": "attestation-manifest"}
    said = [
        store.image("unknown/unknown", annotations={**about, "vnd.docker.reference.digest": entry["digest"]})
        for entry in entries
    ]
    root = store.manifest(store.index(*entries, *said))
    wanted = [parse_platform("linux/amd64"), parse_platform("linux/arm64")]
    found = select(root, store.fetch, wanted, store.read)
    assert [entry.digest for entry in found.entries] == [one["digest"] for one in (*entries[:2], *said[:2])]
    everything = [*wanted, parse_platform("linux/s390x")]
    assert select(root, store.fetch, everything, store.read).digest == root.digest


@pytest.mark.parametrize("platform", [None, {}, {"os": "linux"}, {"os": "linux", "architecture": ""}])
def test_entries_that_openshift_refuses(store: Store, platform: Any) -> None:
    entry = store.image("linux/amd64")
    entry["platform"] = platform
    with pytest.raises(SourceError, match="entry 0 of the index"):
        gather(store.manifest(store.index(entry)), store.fetch, store.read)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"schemaVersion": 1}', b'{"layers": [], "config": {}}', b'{"manifests": [{}]}']
)
def test_what_is_no_manifest(content: bytes) -> None:
    with pytest.raises(SourceError):
        parse_manifest(content)


SHAPES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2**70)
    | st.text(max_size=4)
    | st.sampled_from([OCI_INDEX, OCI_MANIFEST]),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(["digest", "size", "platform", "os", "annotations", "config", "urls"]), children
        )
    ),
    max_leaves=8,
)
DESCRIPTOR = st.fixed_dictionaries(
    {"digest": st.just("sha256:" + "0" * 64), "size": st.integers(0, 9)},
    optional=dict.fromkeys(("mediaType", "platform", "annotations", "urls"), SHAPES),
)
DOCUMENT = st.fixed_dictionaries(
    {},
    optional={
        "mediaType": SHAPES,
        "schemaVersion": SHAPES,
        "subject": SHAPES,
        "config": SHAPES | DESCRIPTOR,
        "layers": SHAPES | st.lists(DESCRIPTOR, max_size=3),
        "manifests": SHAPES | st.lists(DESCRIPTOR, max_size=3),
        "annotations": SHAPES,
    },
)


@given(SHAPES | DOCUMENT, SHAPES)
def test_any_shape_is_a_manifest_or_refused(document: Any, config: Any) -> None:
    raw = json.dumps(config).encode()
    with suppress(SourceError):
        manifest = parse_manifest(json.dumps(document).encode())
        subject_of(manifest)
        fallback_index(None, [manifest])
        fallback_index(manifest, [manifest])
        taken_by_openshift(manifest, raw)
        select(
            manifest,
            lambda _entry: manifest,
            [parse_platform("linux/amd64")],
            lambda _blob: raw,
        )
        gather(manifest, lambda _entry: manifest, lambda _blob: raw)


@given(st.binary())
def test_any_bytes_are_a_manifest_or_refused(content: bytes) -> None:
    with suppress(SourceError):
        parse_manifest(content)


@pytest.mark.parametrize("text", ["linux", "linux/", "a/b/c/d", ""])
def test_what_is_no_platform(text: str) -> None:
    with pytest.raises(InvalidOptionError):
        parse_platform(text)
