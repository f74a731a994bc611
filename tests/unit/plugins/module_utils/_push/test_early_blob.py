# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last layer that is compressed is sent meanwhile: to every zone, unless it is known what it becomes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import ServerError
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import digest_of, parse_manifest
from ansible_collections.appuio.registry.plugins.module_utils._push import early_blob
from ansible_collections.appuio.registry.plugins.module_utils._push.layer_queue import LayerQueue
from ansible_collections.appuio.registry.plugins.module_utils._push.progress import Progress
from ansible_collections.appuio.registry.plugins.module_utils._user_cache import Cache

from tests.image.archive import save_archive
from tests.unit.plugins.module_utils._push.fake_zones import FakeEarlyUpload, Zones, two_zones, waiting_for
from tests.unit.plugins.module_utils._push.halfway import HalfWay, halfway

__all__ = ["halfway", "two_zones"]


@pytest.fixture(autouse=True)
def fake_early_uploads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_blob, "EarlyUpload", FakeEarlyUpload)


@pytest.fixture
def source(tmp_path: Path) -> str:
    """An archive with an image of two layers that are not compressed, of three blocks each."""
    save_archive(tmp_path / "app.tar", tmp_path, names=("shop/app:1.0",), size=700_000)
    return f"docker-archive:{tmp_path / 'app.tar'}"


def counted(zones: Zones, line: str) -> list[int]:
    return [sum(one.startswith(line) for one in registry.log) for registry in zones.registries.values()]


def when_all_have_begun(zones: Zones, halfway: HalfWay, hooked: str = "PATCH upload") -> None:
    """Go on when every zone was sent a part."""
    missing = set(zones.registries)

    def came(name: str) -> Any:
        def note() -> None:
            missing.discard(name)
            if not missing:
                halfway.go_on.set()

        return note

    for name, registry in zones.registries.items():
        registry.before[hooked] = came(name)


def test_the_last_layer_is_sent_while_it_is_compressed(two_zones: Zones, source: str, halfway: HalfWay) -> None:
    """It is not compressed to its end before both zones have a part of it."""
    when_all_have_begun(two_zones, halfway)
    result = two_zones.push(source)
    assert all(count >= 1 for count in counted(two_zones, "PATCH upload"))
    assert counted(two_zones, "DELETE upload") == [0, 0]
    assert [zone["blobs"]["uploaded"] for zone in result["zones"]] == [3, 3]
    for registry in two_zones.registries.values():
        manifest = parse_manifest(registry.tagged["1.0"].content)
        assert all(digest_of(registry.blobs[blob.digest]) == blob.digest for blob in manifest.blobs)
    assert len(halfway.lasts) == 1


def test_a_layer_that_a_zone_has_is_not_kept_twice(two_zones: Zones, source: str, halfway: HalfWay) -> None:
    """Zone b got it from another machine: what was sent of it is taken back, and nobody counts it."""
    halfway.go_on.set()
    two_zones.push(source)
    halfway.go_on.clear()
    for registry in two_zones.registries.values():
        registry.tagged.clear()
        registry.manifests.clear()
        registry.log.clear()
    two_zones["a"].blobs.clear()
    two_zones.cache = Cache(None)
    when_all_have_begun(two_zones, halfway)
    result = two_zones.push(source)
    assert [zone["blobs"] for zone in result["zones"]] == [
        {"uploaded": 3, "mounted": 0, "existing": 0},
        {"uploaded": 0, "mounted": 0, "existing": 3},
    ]
    assert counted(two_zones, "DELETE upload") == [0, 1]


def test_a_layer_that_was_compressed_before_is_asked_for_first(two_zones: Zones, source: str, halfway: HalfWay) -> None:
    halfway.go_on.set()
    two_zones.push(source)
    for registry in two_zones.registries.values():
        registry.tagged.clear()
        registry.manifests.clear()
        registry.blobs.clear()
        registry.log.clear()
    two_zones.push(source)
    assert counted(two_zones, "PATCH upload") == [0, 0]
    assert counted(two_zones, "PUT blob") == [3, 3]


def test_a_source_that_fails_leaves_nothing_in_the_zones(two_zones: Zones, source: str, halfway: HalfWay) -> None:
    halfway.fails = ServerError("the archive cannot be read any more")
    when_all_have_begun(two_zones, halfway)
    assert "cannot be read any more" in str(two_zones.refused(source))
    assert counted(two_zones, "DELETE upload") == [1, 1]
    assert [registry.named() for registry in two_zones.registries.values()] == [{}, {}]


def test_an_altered_layer_is_not_kept(two_zones: Zones, source: str, halfway: HalfWay) -> None:
    """It shows at its end, when all of it is in the zones."""
    halfway.altered = "sha256:" + "0" * 64
    when_all_have_begun(two_zones, halfway)
    assert "0000" in str(two_zones.refused(source))
    assert counted(two_zones, "DELETE upload") == [1, 1]
    assert counted(two_zones, "PUT manifest") == [0, 0]


def test_what_is_counted_is_what_was_sent(
    two_zones: Zones, source: str, halfway: HalfWay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Progress counts each byte once, also those that were sent early, and none that was taken back."""
    sent: dict[str, int] = {}

    def advance(_progress: Progress, zone: str, count: int) -> None:
        sent[zone] = sent.get(zone, 0) + count

    monkeypatch.setattr(Progress, "advance", advance)
    when_all_have_begun(two_zones, halfway)
    two_zones.push(source)
    assert [sent[name] for name in "ab"] == [
        sum(map(len, registry.blobs.values())) for registry in two_zones.registries.values()
    ]


class Compressing:
    """A layer that is compressed when ``there`` is set."""

    def __init__(self, size: int, noted: bool = False) -> None:
        self.size = size
        self.noted = noted
        self.there = threading.Event()
        self.ended = False

    def descriptor(self) -> None:
        waiting_for(self.there)()

    def growing(self) -> Any:
        return self

    def end(self) -> None:
        self.ended = True


def test_only_the_last_layer_is_sent_early(monkeypatch: pytest.MonkeyPatch) -> None:
    first: Any = Compressing(3)
    second: Any = Compressing(2)
    noted: Any = Compressing(1, noted=True)
    queue = LayerQueue([first, second, noted])
    queue.start()
    assert queue.growing(noted) is None
    noted.there.set()
    wait = queue._ended.wait_for

    def wait_for(predicate: Callable[[], bool]) -> bool:
        """The second layer goes on when somebody waits for the first one."""
        assert not predicate()
        second.there.set()
        return wait(predicate)

    with monkeypatch.context() as patched:
        patched.setattr(queue._ended, "wait_for", wait_for)
        sent: Any = queue.growing(first)
    assert sent is first
    assert second.ended
    assert queue.growing(second) is None
    first.there.set()
    queue.join()
    assert queue.growing(first) is None
    assert (first.ended, second.ended) == (True, True)


def test_without_threads_nobody_waits_for_a_layer() -> None:
    layers: Any = [Compressing(2), Compressing(1)]
    assert LayerQueue(layers).growing(layers[0]) is None
