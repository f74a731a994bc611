# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An index of the images of several sources: what it is made of, in which order, and what is refused."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import SourceError
from ansible_collections.appuio.registry.plugins.module_utils._oci.joined_index import (
    Contribution,
    contribution,
    joined_index,
)
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import DOCKER_MANIFEST, OCI_INDEX, Platform

from tests.unit.plugins.module_utils._oci.test_images import Store

UNKNOWN = {"os": "unknown", "architecture": "unknown"}


@pytest.fixture
def store() -> Store:
    return Store()


def given_by(store: Store, entry: dict[str, Any], source: str = "oci:a", platform: str | None = None) -> Contribution:
    wanted = Platform(*platform.split("/")) if platform else None
    return contribution(store.manifest(entry), store.fetch, store.read, wanted, source)


def attested(store: Store, image: dict[str, Any]) -> dict[str, Any]:
    about = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"]}
    return {**store.image("unknown/unknown", extra="x"), "platform": UNKNOWN, "annotations": about}


def test_images_stand_in_it_by_platform_whatever_the_order(store: Store) -> None:
    images = [store.image(platform) for platform in ("linux/arm/v6", "linux/amd64", "linux/arm64", "linux/arm/v7")]
    parts = [given_by(store, image, f"oci:{number}") for number, image in enumerate(images)]
    (content,) = {joined_index(order).content for order in permutations(parts)}
    index = json.loads(content)
    assert (index["schemaVersion"], index["mediaType"]) == (2, OCI_INDEX)
    assert index["manifests"] == [images[1], images[0], images[3], images[2]]
    assert set(index) == {"schemaVersion", "mediaType", "manifests"}


def test_an_image_of_docker_stays_one(store: Store) -> None:
    image = store.image("linux/amd64")
    manifest = {**json.loads(store.contents[image["digest"]]), "mediaType": DOCKER_MANIFEST}
    entry = store.add(manifest, DOCKER_MANIFEST)
    index = joined_index([given_by(store, entry)])
    assert index.media_type == OCI_INDEX
    assert [(one.media_type, one.digest) for one in index.entries] == [(DOCKER_MANIFEST, entry["digest"])]


def test_an_index_gives_all_that_is_in_it(store: Store) -> None:
    amd64 = {**store.image("linux/amd64"), "annotations": {"com.example": "kept"}}
    windows = store.image("windows/amd64")
    windows["platform"]["os.version"] = "10.0.20348"
    older = {**store.image("windows/amd64", more=1), "platform": {**windows["platform"], "os.version": "10.0.17763"}}
    proof = attested(store, amd64)
    wrapped = store.index(store.index(proof, windows, older, amd64))
    index = joined_index([given_by(store, wrapped), given_by(store, store.image("linux/arm64"), "oci:b")])
    found = json.loads(index.content)["manifests"]
    assert found == [amd64, store.image("linux/arm64"), older, windows, proof]


def test_of_an_index_the_platform_that_is_given_with_its_attestation(store: Store) -> None:
    images = [store.image("linux/amd64"), store.image("linux/arm64")]
    proofs = [attested(store, image) for image in images]
    part = given_by(store, store.index(*images, *proofs), platform="linux/arm64")
    assert list(part.entries) == [images[1], proofs[1]]
    with pytest.raises(SourceError, match="no image for linux/s390x"):
        given_by(store, store.index(*images), platform="linux/s390x")


@pytest.mark.parametrize(("one", "other"), [("linux/amd64", "linux/amd64"), ("linux/arm64", "linux/arm64/v8")])
def test_two_sources_for_a_platform_are_named(store: Store, one: str, other: str) -> None:
    parts = [given_by(store, store.image(one), "oci:a"), given_by(store, store.image(other), "oci:b")]
    with pytest.raises(SourceError, match=f"^oci:a and oci:b both have an image for {other}") as caught:
        joined_index(parts)
    assert "Leave one of them out" in str(caught.value)


def test_the_same_image_twice_is_refused_too(store: Store) -> None:
    image = store.image("linux/amd64")
    with pytest.raises(SourceError, match="oci:a and oci:b both"):
        joined_index([given_by(store, image, "oci:a"), given_by(store, image, "oci:b")])


def without_platform(store: Store, **platform: str) -> dict[str, Any]:
    config = store.add(platform)
    return store.add({"schemaVersion": 2, "config": config, "layers": []}, store.image("linux/amd64")["mediaType"])


@pytest.mark.parametrize("indexed", [False, True])
def test_a_platform_that_nobody_says_is_missed(store: Store, indexed: bool) -> None:
    entry = without_platform(store)
    entry = store.index(entry) if indexed else entry
    with pytest.raises(SourceError, match="the configuration of oci:a names no platform") as caught:
        given_by(store, entry)
    assert "platform: linux/amd64" in str(caught.value)
    (found,) = given_by(store, entry, platform="linux/riscv64").entries
    assert found["platform"] == {"os": "linux", "architecture": "riscv64"}


def test_the_entry_of_an_index_has_the_platform_of_its_image(store: Store) -> None:
    image = store.image("linux/arm64")
    bare = {key: value for key, value in image.items() if key != "platform"}
    (found,) = given_by(store, store.index(bare)).entries
    assert found == image


@pytest.mark.parametrize(
    ("there", "given", "wanted"),
    [
        ("linux/arm", "linux/arm/v6", "linux/arm/v6"),
        ("linux/arm64", "linux/arm64", "linux/arm64"),
        ("linux/arm64/v8", "linux/aarch64", "linux/arm64/v8"),
    ],
)
def test_what_is_given_says_more_than_the_configuration(store: Store, there: str, given: str, wanted: str) -> None:
    part = given_by(store, store.image(there), platform=given)
    assert part.platforms == (wanted,)


@pytest.mark.parametrize(("there", "given"), [("linux/amd64", "linux/arm64"), ("linux/arm/v7", "linux/arm/v6")])
def test_what_contradicts_the_configuration_is_refused(store: Store, there: str, given: str) -> None:
    with pytest.raises(SourceError, match=f"oci:a is an image for {there}, not for {given} as platform says"):
        given_by(store, store.image(there), platform=given)


def test_an_index_without_an_image_is_refused(store: Store) -> None:
    with pytest.raises(SourceError, match="oci:a is an index without an image"):
        given_by(store, store.index(attested(store, store.image("linux/amd64"))))
