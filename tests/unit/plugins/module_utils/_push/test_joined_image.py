# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An index of several sources in zones: known beforehand where they have manifests, recognised where they have none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import DOCKER_MANIFEST, OCI_INDEX
from ansible_collections.appuio.registry.plugins.module_utils._push.archive_image import ArchiveImage
from ansible_collections.appuio.registry.plugins.module_utils._push.image import ManifestImage
from ansible_collections.appuio.registry.plugins.module_utils._user_cache import Cache

from tests.image import make_layout
from tests.image.archive import save_archive
from tests.unit.plugins.module_utils._push.fake_zones import Zones, compressed, two_zones

__all__ = ["compressed", "two_zones"]


@pytest.fixture
def layouts(tmp_path: Path) -> list[str]:
    """Two layouts of one image each, with the same layer in both."""
    for folder, platform in (("arm64", "linux/arm64"), ("s390x", "linux/s390x")):
        make_layout(tmp_path / folder, platforms=(platform,), shared_layers=1)
    return [f"oci:{tmp_path / folder}" for folder in ("s390x", "arm64")]


@pytest.fixture
def archive(tmp_path: Path) -> str:
    """An archive with an image for linux/amd64, whose two layers are not compressed."""
    save_archive(tmp_path / "amd64.tar", tmp_path / "saved", size=20_000)
    return f"docker-archive:{tmp_path / 'amd64.tar'}"


def index_of(zones: Zones, zone: str = "a", tag: str = "1.0") -> dict[str, Any]:
    index: dict[str, Any] = json.loads(zones[zone].tagged[tag].content)
    return index


def forget_log(zones: Zones) -> None:
    for registry in zones.registries.values():
        registry.log.clear()


def test_images_with_manifests_are_one_index_that_is_known_beforehand(two_zones: Zones, layouts: list[str]) -> None:
    predicted = two_zones.push(layouts, check=True)
    assert two_zones["a"].writes() == []
    pushed = two_zones.push(layouts)
    assert pushed["digest"] == predicted["digest"]
    assert two_zones["a"].named() == two_zones["b"].named() == {"1.0": pushed["digest"]}
    assert (pushed["media_type"], pushed["platforms"]) == (OCI_INDEX, ["linux/arm64", "linux/s390x"])
    assert pushed["source"] == ", ".join(layouts)
    assert [entry["digest"] in two_zones["b"].manifests for entry in index_of(two_zones)["manifests"]] == [True, True]


def test_the_second_push_is_one_question_per_tag_and_zone(two_zones: Zones, layouts: list[str]) -> None:
    two_zones.push(layouts)
    forget_log(two_zones)
    again = two_zones.push(layouts[::-1])
    assert not again["changed"]
    assert two_zones["a"].log == two_zones["b"].log == ["HEAD tag 1.0"]


def test_another_index_than_expected_is_not_pushed(two_zones: Zones, layouts: list[str]) -> None:
    digest = two_zones.push(layouts, check=True)["digest"]
    assert "as expected_digest says" in str(two_zones.refused(layouts, expected_digest="sha256:" + "0" * 64))
    assert two_zones.push(layouts, expected_digest=digest)["digest"] == digest


def test_an_index_without_a_tag(two_zones: Zones, layouts: list[str]) -> None:
    pushed = two_zones.push(layouts, tags=[])
    assert pushed["changed"]
    assert pushed["digest"] in two_zones["b"].manifests
    assert not two_zones.push(layouts, tags=[])["changed"]


def test_two_sources_for_one_platform_write_nothing(two_zones: Zones, layouts: list[str], tmp_path: Path) -> None:
    make_layout(tmp_path / "other", platforms=("linux/arm64",), seed="other")
    error = two_zones.refused([*layouts, f"oci:{tmp_path / 'other'}"])
    assert f"{layouts[1]} and oci:{tmp_path / 'other'} both have an image for linux/arm64" in str(error)
    assert two_zones["a"].log == []


def test_an_archive_among_them(two_zones: Zones, layouts: list[str], archive: str, compressed: list[str]) -> None:
    check = two_zones.push([archive, *layouts], check=True)
    assert (check["changed"], check["digest"], compressed) == (True, None, [])
    assert check["platforms"] == ["linux/amd64", "linux/arm64", "linux/s390x"]
    pushed = two_zones.push([archive, *layouts])
    assert two_zones["a"].named() == two_zones["b"].named() == {"1.0": pushed["digest"]}
    entries = index_of(two_zones)["manifests"]
    assert [entry["platform"]["architecture"] for entry in entries] == ["amd64", "arm64", "s390x"]
    assert entries[0]["mediaType"] == DOCKER_MANIFEST
    assert set(two_zones["a"].manifests) == {pushed["digest"], *(entry["digest"] for entry in entries)}
    assert len(compressed) == len(set(compressed)) == 2
    assert list(two_zones.spool.iterdir()) == []


def test_each_blob_is_let_go_when_every_zone_has_it(
    two_zones: Zones, layouts: list[str], archive: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    released: list[object] = []
    for kind in (ArchiveImage, ManifestImage):
        monkeypatch.setattr(kind, "release", lambda _image, blob: released.append(blob))
    pushed = two_zones.push([archive, *layouts])
    assert len(released) == len(set(released)) == pushed["zones"][0]["blobs"]["uploaded"] == 8


@pytest.mark.parametrize("cached", [True, False])
def test_an_archive_among_them_is_recognised(
    two_zones: Zones, layouts: list[str], archive: str, compressed: list[str], cached: bool
) -> None:
    first = two_zones.push([archive, *layouts], level=1)
    compressed.clear()
    forget_log(two_zones)
    if not cached:
        two_zones.cache = Cache(None)
    again = two_zones.push([*layouts, archive], level=9)
    assert (again["changed"], again["digest"], compressed) == (False, first["digest"], [])
    assert two_zones["b"].writes() == []
    assert not [line for line in two_zones["b"].log if "blob" in line]


def test_a_new_image_beside_an_archive_keeps_what_was_made_of_the_archive(
    two_zones: Zones, layouts: list[str], archive: str, compressed: list[str], tmp_path: Path
) -> None:
    two_zones.push([archive, *layouts], level=1)
    before = index_of(two_zones)["manifests"]
    make_layout(tmp_path / "arm64", platforms=("linux/arm64",), seed="new")
    compressed.clear()
    two_zones.cache = Cache(None)
    predicted = two_zones.push([archive, *layouts], level=9, check=True)
    pushed = two_zones.push([archive, *layouts], level=9)
    assert pushed["changed"]
    assert (pushed["digest"], compressed) == (predicted["digest"], [])
    after = index_of(two_zones, "b")["manifests"]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, True]


def test_another_tag_gets_the_same_index(
    two_zones: Zones, layouts: list[str], archive: str, compressed: list[str]
) -> None:
    first = two_zones.push([archive, *layouts], level=1)
    compressed.clear()
    second = two_zones.push([archive, *layouts], level=9, tags=["1.0", "latest"])
    assert (second["changed"], second["digest"], compressed) == (True, first["digest"], [])
    assert two_zones["b"].named() == {"1.0": first["digest"], "latest": first["digest"]}


def test_another_archive_is_another_index(two_zones: Zones, layouts: list[str], archive: str, tmp_path: Path) -> None:
    first = two_zones.push([archive, *layouts])
    save_archive(tmp_path / "amd64.tar", tmp_path / "other", size=30_000)
    second = two_zones.push([archive, *layouts])
    assert second["changed"]
    assert second["digest"] != first["digest"]
    assert two_zones.push([archive, *layouts])["digest"] == second["digest"]


def test_an_archive_among_them_without_a_tag(two_zones: Zones, layouts: list[str], archive: str) -> None:
    pushed = two_zones.push([archive, *layouts], tags=[])
    assert pushed["changed"]
    assert not two_zones.push([archive, *layouts], tags=[], check=True)["changed"]
    again = two_zones.push([archive, *layouts], tags=[])
    assert (again["changed"], again["digest"]) == (False, pushed["digest"])


def test_an_archive_alone_and_its_platform(two_zones: Zones, archive: str, layouts: list[str]) -> None:
    pushed = two_zones.push([{"source": archive, "platform": "linux/amd64"}])
    assert (pushed["media_type"], pushed["platforms"]) == (OCI_INDEX, ["linux/amd64"])
    error = two_zones.refused([{"source": archive, "platform": "linux/arm64"}, *layouts])
    assert f"{archive} is an image for linux/amd64, not for linux/arm64 as platform says" in str(error)
    both = two_zones.refused([archive, archive])
    assert f"{archive} and {archive} both have an image for linux/amd64" in str(both)


def test_a_digest_is_not_expected_of_what_has_none_yet(two_zones: Zones, archive: str, layouts: list[str]) -> None:
    with pytest.raises(AppuioError, match="expected_digest cannot be compared: docker-archive:") as caught:
        two_zones.task([archive, *layouts], expected_digest="sha256:" + "0" * 64)
    assert "oci-archive:" in str(caught.value)


def test_a_zone_that_fails_leaves_the_others_as_they_were(two_zones: Zones, archive: str, layouts: list[str]) -> None:
    def fail() -> None:
        raise AppuioError("no more")

    two_zones["b"].before["PUT manifest"] = fail
    error = two_zones.refused([archive, *layouts])
    assert "no more" in str(error)
    assert two_zones["a"].named() == two_zones["b"].named() == {}
    assert list(two_zones.spool.iterdir()) == []


def test_a_layer_that_a_zone_loses_is_brought_again(two_zones: Zones, archive: str, layouts: list[str]) -> None:
    zone = two_zones["b"]

    def lose() -> None:
        zone.before.clear()
        zone.blobs.clear()

    zone.before["PUT manifest"] = lose
    pushed = two_zones.push([archive, *layouts])
    assert zone.named() == {"1.0": pushed["digest"]}
    for content in (found.content for found in zone.manifests.values()):
        layers = json.loads(content).get("layers", [])
        assert [layer["digest"] in zone.blobs for layer in layers] == [True] * len(layers)
