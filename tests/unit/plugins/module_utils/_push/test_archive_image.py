# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of archives: the same bytes in every zone and under every tag, whatever compressed them or is noted."""

from __future__ import annotations

import threading
import zlib
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._compression.compressors import choose_compressor
from ansible_collections.appuio.registry.plugins.module_utils._errors import SourceError
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import digest_of, parse_manifest
from ansible_collections.appuio.registry.plugins.module_utils._push import archive_layer
from ansible_collections.appuio.registry.plugins.module_utils._source.spool import SpooledBlob
from ansible_collections.appuio.registry.plugins.module_utils._user_cache import Cache

from tests.image.archive import save_archive
from tests.unit.plugins.module_utils._push.fake_zones import Zones, compressed, two_zones

__all__ = ["compressed", "two_zones"]
LAYERS = 2


@pytest.fixture
def source(tmp_path: Path) -> str:
    """An archive with an image of two layers that are not compressed."""
    save_archive(tmp_path / "app.tar", tmp_path, names=("shop/app:1.0",), size=20_000)
    return f"docker-archive:{tmp_path / 'app.tar'}"


def digests(zones: Zones) -> set[str]:
    return {digest for registry in zones.registries.values() for digest in registry.named().values()}


def test_a_second_tag_gets_the_image_that_is_there(two_zones: Zones, source: str, compressed: list[str]) -> None:
    """Another level gives other bytes, and must not give another image under the second tag."""
    first = two_zones.push(source, level=1)
    assert len(compressed) == LAYERS
    second = two_zones.push(source, level=9, tags=("1.0", "1.1"))
    assert len(compressed) == LAYERS
    assert second["digest"] == first["digest"]
    assert digests(two_zones) == {first["digest"]}


def test_an_image_that_is_compressed_otherwise_now_is_unchanged(
    two_zones: Zones, source: str, compressed: list[str]
) -> None:
    first = two_zones.push(source, level=1)
    two_zones.cache = Cache(None)
    second = two_zones.push(source, level=9)
    assert (first["changed"], second["changed"]) == (True, False)
    assert second["digest"] == first["digest"]
    assert len(compressed) == LAYERS


def test_a_tag_alone_gets_the_image_that_an_earlier_run_left(
    two_zones: Zones, source: str, compressed: list[str]
) -> None:
    first = two_zones.push(source, level=1)
    second = two_zones.push(source, level=9, tags=("1.1",))
    assert len(compressed) == LAYERS
    assert second["digest"] == first["digest"]


def test_another_zone_gets_the_bytes_of_the_zone_that_has_the_image(
    two_zones: Zones, source: str, compressed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = two_zones.push(source, level=1)
    monkeypatch.setattr(SpooledBlob, "open", None)  # a single zone takes no file
    lost = two_zones["b"]
    lost.tagged.clear()
    lost.manifests.clear()
    lost.blobs.clear()
    two_zones.cache = Cache(None)
    second = two_zones.push(source, level=9)
    assert len(compressed) == LAYERS
    assert (second["digest"], digests(two_zones)) == (first["digest"], {first["digest"]})
    assert lost.blobs == two_zones["a"].blobs
    assert [zone["blobs"]["uploaded"] for zone in second["zones"]] == [0, 3]


def test_an_image_whose_blobs_a_zone_has_lost_is_compressed_again(
    two_zones: Zones, source: str, compressed: list[str]
) -> None:
    two_zones.push(source)
    for registry in two_zones.registries.values():
        registry.blobs.clear()
    result = two_zones.push(source, tags=("1.0", "1.1"))
    assert len(compressed) == 2 * LAYERS
    assert two_zones["b"].named()["1.1"] == result["digest"]
    assert len(two_zones["b"].blobs) == 3


def test_a_tag_with_another_image_id_is_another_image(two_zones: Zones, source: str, tmp_path: Path) -> None:
    two_zones.push(source)
    (tmp_path / "other").mkdir()
    save_archive(tmp_path / "other.tar", tmp_path / "other", size=30_000)
    plan = two_zones.task(f"docker-archive:{tmp_path / 'other.tar'}").plan()
    assert [tag.same for zone in plan.zones for tag in zone.tags] == [False, False]


def test_an_archive_that_is_built_anew_meanwhile_is_not_pushed(two_zones: Zones, source: str, tmp_path: Path) -> None:
    task = two_zones.task(source)
    plan = task.plan()
    config = task.image._source.config()  # type: ignore[attr-defined]
    changed = type(config)(config.content + b" ", config.diff_ids, config.platform)
    task.image._source.config = lambda: changed  # type: ignore[attr-defined]
    with pytest.raises(Exception, match="Somebody has built it anew meanwhile") as caught:
        task.apply(plan)
    task.close()
    assert digests(two_zones) == set()
    assert [zone["failed"] for zone in caught.value.result["zones"]] == [True, True]  # type: ignore[attr-defined]


def forget_tags(zones: Zones) -> None:
    """Leave the layers alone, so that only what is noted of them can save work."""
    for registry in zones.registries.values():
        registry.tagged.clear()
        registry.manifests.clear()


def test_a_noted_layer_that_every_zone_has_is_not_compressed_again(
    two_zones: Zones, source: str, compressed: list[str]
) -> None:
    first = two_zones.push(source)
    forget_tags(two_zones)
    second = two_zones.push(source)
    assert len(compressed) == LAYERS
    assert second["digest"] == first["digest"]
    assert [zone["blobs"]["existing"] for zone in second["zones"]] == [3, 3]


def test_a_noted_layer_that_one_zone_lacks_is_compressed_again(
    two_zones: Zones, source: str, compressed: list[str]
) -> None:
    result = two_zones.push(source)
    forget_tags(two_zones)
    layer = parse_manifest(two_zones_manifest(two_zones, source), None).layers[0].digest
    del two_zones["b"].blobs[layer]
    compressed.clear()
    forget_tags(two_zones)
    assert two_zones.push(source)["digest"] == result["digest"]
    assert len(compressed) == 1
    assert layer in two_zones["b"].blobs


def compress_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the same compressor give other bytes, as another version of its library does."""
    make = archive_layer.make_layer

    def otherwise(part: Any, diff_id: str, _compressor: Any, *more: Any) -> Any:
        return make(part, diff_id, choose_compressor("zstd"), *more)

    monkeypatch.setattr(archive_layer, "make_layer", otherwise)


def test_a_noted_layer_that_one_zone_lacks_is_pushed_as_it_is_compressed_now(
    two_zones: Zones, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = parse_manifest(two_zones_manifest(two_zones, source)).layers[0].digest
    forget_tags(two_zones)
    del two_zones["b"].blobs[layer]
    compress_otherwise(monkeypatch)
    result = two_zones.push(source)
    assert digests(two_zones) == {result["digest"]}
    pushed = parse_manifest(two_zones["a"].tagged["1.0"].content)
    assert layer not in [one.digest for one in pushed.layers]
    assert pushed.layers[0].digest in two_zones["b"].blobs


def two_zones_manifest(zones: Zones, source: str) -> bytes:
    zones.push(source)
    return zones["a"].tagged["1.0"].content


@pytest.mark.parametrize("lie", ["another blob", "another size"])
def test_a_note_that_lies_is_found_out(two_zones: Zones, source: str, compressed: list[str], lie: str) -> None:
    """Each layer is noted as another blob that every zone has, or with a size that none has."""
    two_zones.push(source)
    manifest = parse_manifest(two_zones["a"].tagged["1.0"].content)
    get = two_zones.cache.get
    first, second = manifest.layers

    def lying(kind: str, key: str) -> Any:
        value = get(kind, key)
        if kind != "layers" or value is None:
            return value
        if lie == "another size":
            return [value[0], value[1], value[2] + 1]
        other = second if value[1] == first.digest else first
        return [other.media_type, other.digest, other.size]

    two_zones.cache.get = lying  # type: ignore[method-assign]
    forget_tags(two_zones)
    compressed.clear()
    result = two_zones.push(source)
    assert len(compressed) == LAYERS
    pushed = parse_manifest(two_zones["b"].tagged["1.0"].content)
    assert [layer.digest for layer in pushed.layers] == [first.digest, second.digest]
    assert result["digest"] == manifest.digest


def test_a_layer_that_was_compressed_otherwise_is_not_sent_under_the_old_digest(
    two_zones: Zones, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zone loses a noted layer right before its manifest is put; what compresses it now gives other bytes."""
    two_zones.push(source)
    forget_tags(two_zones)
    layer = parse_manifest(two_zones_manifest(two_zones, source)).layers[0].digest
    forget_tags(two_zones)
    compress_otherwise(monkeypatch)

    def lose() -> None:
        two_zones["b"].blobs.pop(layer, None)

    two_zones["b"].before["PUT manifest"] = lose
    error = two_zones.refused(source)
    assert "was compressed differently before" in str(error)
    assert layer not in two_zones["b"].blobs
    assert digests(two_zones) == set()


def test_a_layer_is_read_while_another_one_is_compressed(
    two_zones: Zones, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One layer is not ready before a zone has all of the other one, which once waited for it."""
    make = archive_layer.make_layer
    there = threading.Event()
    slow: list[str] = []
    lock = threading.Lock()

    def make_one(part: Any, diff_id: str, *more: Any) -> Any:
        with lock:
            waits = not slow
            slow.append(diff_id)
        if waits and not there.wait(600):
            raise SourceError("the other layer does not come")
        return make(part, diff_id, *more)

    monkeypatch.setattr(archive_layer, "make_layer", make_one)
    config_and_layer = iter(range(100))
    for registry in two_zones.registries.values():
        registry.before["PUT blob"] = lambda: there.set() if next(config_and_layer) >= LAYERS + 1 else None
    result = two_zones.push(source)
    assert digests(two_zones) == {result["digest"]}


def test_an_image_without_a_tag_is_unchanged_the_second_time(two_zones: Zones, source: str) -> None:
    assert two_zones.push(source, tags=(), check=True)["changed"]
    assert two_zones.push(source, tags=())["changed"]
    assert not two_zones.push(source, tags=(), check=True)["changed"]
    again = two_zones.push(source, tags=())
    assert not again["changed"]
    assert again["digest"]


def test_an_image_without_a_tag_that_has_lost_a_layer_is_changed(two_zones: Zones, source: str) -> None:
    two_zones.push(source, tags=())
    lost = two_zones["b"]
    del lost.blobs[max(lost.blobs, key=lambda digest: len(lost.blobs[digest]))]
    assert [zone["changed"] for zone in two_zones.push(source, tags=(), check=True)["zones"]] == [False, True]
    result = two_zones.push(source, tags=())
    assert [zone["changed"] for zone in result["zones"]] == [False, True]


def test_a_layer_that_is_lost_after_the_plan_is_told_as_a_change(two_zones: Zones, source: str) -> None:
    two_zones.push(source, tags=())
    task = two_zones.task(source, tags=())
    plan = task.plan()
    two_zones["b"].blobs.clear()
    result = task.apply(plan)
    task.close()
    assert [zone["changed"] for zone in result["zones"]] == [False, True]


def test_layers_are_what_they_were(two_zones: Zones, source: str) -> None:
    two_zones.push(source)
    manifest = parse_manifest(two_zones["a"].tagged["1.0"].content)
    config = two_zones["a"].blobs[manifest.config.digest].decode() if manifest.config else ""
    for layer in manifest.layers:
        assert digest_of(zlib.decompress(two_zones["a"].blobs[layer.digest], 31)) in config


def test_another_image_id_than_expected_is_not_pushed(two_zones: Zones, source: str) -> None:
    error = two_zones.refused(source, expected_digest="sha256:" + "0" * 64)
    assert "as expected_digest says" in str(error)
    assert two_zones["a"].log == []
