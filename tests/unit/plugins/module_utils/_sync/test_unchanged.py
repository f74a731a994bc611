# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a set costs that is there already: one question for each tag and zone, a HEAD at each source, and no layer."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._push.archive_image import ArchiveImage
from ansible_collections.appuio.registry.plugins.module_utils._registry import upload
from ansible_collections.appuio.registry.plugins.module_utils._zones import tags

from tests.image import make_layout
from tests.image.archive import save_archive
from tests.unit.plugins.module_utils._push.fake_zones import Zones, two_zones
from tests.unit.plugins.module_utils._sync.fake_set import FakeSet, upload_to
from tests.unit.plugins.module_utils._sync.source_server import PAGE, SourceServer, source_server

__all__ = ["two_zones"]

ZONES = "abc"
# 2000 tags: versions, their flavours, builds, and what is none of them.
TAGS = [
    *(f"{major}.{minor}.{patch}" for major in (1, 2) for minor in range(20) for patch in range(25)),
    *(f"2.{minor}.{patch}-rc{patch}" for minor in range(20) for patch in range(20)),
    *(f"nightly-{number:04}" for number in range(590)),
    *("latest", "edge", "v", "1", "2.x", "stable.1.2", "01.2.3", "1.2.3.4.5", "sha-0123abc", "2.20.0_broken"),
]


@pytest.fixture
def three_zones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSet:
    monkeypatch.setattr(upload, "Upload", upload_to)
    monkeypatch.setattr(tags, "_OTHER_RUN", 0.0)
    fake_set = FakeSet(tmp_path, ZONES, monkeypatch)
    fake_set.environment = {"HOME": str(tmp_path)}
    return fake_set


@pytest.fixture
def source() -> Iterator[SourceServer]:
    with source_server() as source:
        yield source


def layout(folder: Path, seed: str, *platforms: str) -> Path:
    make_layout(folder / seed, tag="1.0", seed=seed, platforms=platforms or ("linux/amd64",), size=2000)
    return folder / seed


def without_layers(folder: Path) -> None:
    """Remove from a layout what is larger than any manifest or configuration."""
    for blob in (folder / "blobs/sha256").iterdir():
        if blob.stat().st_size > 1900:
            blob.unlink()


def test_a_set_of_all_kinds_of_sources_costs_one_question_for_each_tag_and_zone(
    three_zones: FakeSet, source: SourceServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(TAGS) == len(set(TAGS)) == 2000
    image = layout(tmp_path, "library", "linux/amd64", "linux/arm64")
    source.add("library/app", image, *TAGS)
    source.add("library/one", layout(tmp_path, "one"), "1.0")
    save_archive(tmp_path / "saved.tar", tmp_path / "saved")
    multi = layout(tmp_path, "multi", "linux/amd64", "linux/arm64", "linux/s390x")
    local = layout(tmp_path, "local")
    images = [
        source.entry(
            "library/app", name="selected", select={"semver": ">=1.5 <2.10", "latest_per": "minor", "newest": 5}
        ),
        source.entry("library/one", "1.0", name="copied", tags=["copied-1", "copied-2"]),
        {"source": f"oci:{multi}:1.0", "name": "multi", "tags": ["multi-1"]},
        {"source": f"oci:{local}:1.0", "name": "local", "tags": ["local-1"]},
        {"source": f"docker-archive:{tmp_path / 'saved.tar'}", "name": "saved", "tags": ["saved-1", "saved-2"]},
    ]
    first = three_zones.sync(*images)
    assert first["totals"]["changed"] == 9
    selected = [f"2.{minor}.24" for minor in (9, 8, 7, 6, 5)]
    assert [one["tags"] for one in first["images"] if one["name"] == "selected"] == [[tag] for tag in selected]
    # No layer is read that is not there any more, and no archive is begun with.
    for folder in (multi, local):
        without_layers(folder)
    monkeypatch.setattr(ArchiveImage, "begin", None)
    three_zones.clear()
    source.asked.clear()
    again = three_zones.sync(*images)
    assert not again["changed"]
    assert again["totals"]["tags"] == 11 * len(ZONES)
    every = [*selected, "copied-1", "copied-2", "multi-1", "local-1", "saved-1", "saved-2"]
    for asked in three_zones.asked():
        assert Counter(line.split()[-1] for line in asked) == Counter(every)
        assert not any(line.startswith("PUT") for line in asked)
    pages = [line for line in source.asked if "/tags/list" in line]
    assert len(pages) == len(TAGS) / PAGE
    heads = [f"HEAD /v2/library/app/manifests/{tag}" for tag in selected]
    assert sorted(set(source.asked) - set(pages)) == sorted([*heads, "HEAD /v2/library/one/manifests/1.0"])


def test_a_tag_that_moves_at_the_source_moves_in_the_zones(
    three_zones: FakeSet, source: SourceServer, tmp_path: Path
) -> None:
    source.add("app", layout(tmp_path, "first"), "1.0", "1.1")
    images = [source.entry("app", select={"newest": 2})]
    three_zones.sync(*images)
    source.add("app", layout(tmp_path, "second"), "1.1")
    result = three_zones.sync(*images)
    assert [(one["tags"], one["changed"]) for one in result["images"]] == [(["1.1"], True), (["1.0"], False)]
    assert not three_zones.sync(*images)["changed"]
    assert len({str(registry.of("shop/app").named()) for registry in three_zones.registries.values()}) == 1


def joined(source: SourceServer, tmp_path: Path) -> dict[str, Any]:
    """Return an image of what is in a registry, an image and an index, and of one beside it."""
    source.add("amd64", layout(tmp_path, "amd64", "linux/amd64"), "1.0")
    source.add("others", layout(tmp_path, "others", "linux/arm64", "linux/s390x"), "1.0")
    entries = [source.entry(name, "1.0")["source"] for name in ("amd64", "others")]
    beside = layout(tmp_path, "ppc64le", "linux/ppc64le")
    more = {"name": "app", "tags": ["1.0", "latest"], "source_plain_http": True}
    return {"sources": [*entries, f"oci:{beside}:1.0"], **more}


HEADS = ["HEAD /v2/amd64/manifests/1.0", "HEAD /v2/others/manifests/1.0"]


def test_an_unchanged_index_of_several_sources_costs_a_head_each(
    three_zones: FakeSet, source: SourceServer, tmp_path: Path
) -> None:
    image = joined(source, tmp_path)
    digest = three_zones.sync(image)["images"][0]["digest"]
    without_layers(tmp_path / "ppc64le")
    three_zones.clear()
    source.asked.clear()
    again = three_zones.sync(image)
    assert (again["changed"], again["images"][0]["digest"]) == (False, digest)
    assert sorted(source.asked) == HEADS
    assert [sorted(asked) for asked in three_zones.asked()] == [["HEAD tag 1.0", "HEAD tag latest"]] * 3
    # What one of them points to has moved: the rest is still known.
    source.asked.clear()
    for name in ("others", "ppc64le"):
        shutil.rmtree(tmp_path / name)
    layout(tmp_path, "ppc64le", "linux/ppc64le")
    source.add("others", layout(tmp_path, "others", "linux/arm64"), "1.0")
    changed = three_zones.sync(image, check=True)
    assert changed["changed"]
    assert not any(line.startswith("GET /v2/amd64/manifests/") for line in source.asked)


def test_so_it_does_in_a_push(two_zones: Zones, source: SourceServer, tmp_path: Path) -> None:
    image = joined(source, tmp_path)
    sources = image.pop("sources")
    first = two_zones.push(sources, **image)
    for registry in two_zones.registries.values():
        registry.log.clear()
    source.asked.clear()
    again = two_zones.push(sources, **image)
    assert not again["changed"]
    assert (again["digest"], again["platforms"]) == (first["digest"], first["platforms"])
    assert sorted(source.asked) == HEADS
    assert [sorted(registry.log) for registry in two_zones.registries.values()] == [
        ["HEAD tag 1.0", "HEAD tag latest"]
    ] * 2


@pytest.mark.parametrize(
    "content", ["", "{}", '{"schemaVersion": 2}', None], ids=["empty", "object", "manifest", "cut"]
)
def test_what_is_kept_of_a_source_is_proven_by_its_digest(
    three_zones: FakeSet, source: SourceServer, tmp_path: Path, content: str | None
) -> None:
    image = joined(source, tmp_path)
    digest = three_zones.sync(image)["images"][0]["digest"]
    kept = [path for path in (tmp_path / ".cache/appuio.registry/documents").rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        text = path.read_text()
        path.write_text(text.replace("linux", "plan9") if content is None else content)
    again = three_zones.sync(image)
    assert (again["changed"], again["images"][0]["digest"]) == (False, digest)


def test_nothing_goes_where_the_source_of_a_selection_is_gone(three_zones: FakeSet, source: SourceServer) -> None:
    """Also where it was there before, and answers with a list that has nothing of what was selected."""
    source.tags["app"] = ["edge"]
    error = three_zones.refused(source.entry("app", select={"semver": ">1"}), delete="managed")
    assert isinstance(error.result, dict)
    assert error.result["deleted"] == []
