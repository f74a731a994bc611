# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection cut at any point of any request, in any zone: the push succeeds, or every tag is as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError

from tests.image import make_layout
from tests.integration.push import Pusher

pytestmark = pytest.mark.thorough

SIZE = 20_000
CUTS: list[dict[str, Any]] = [
    *({"action": "reset_request", "after_bytes": count} for count in (0, 777, SIZE - 1)),
    *({"action": "reset_response", "after_bytes": count} for count in (0, 1)),
    {"action": "lose_answer"},
]


class Images:
    """A new image for each push, so that all of it has to be uploaded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0

    def source(self) -> tuple[str, str]:
        """Return a source and its digest."""
        self._made += 1
        place = self._folder / f"image-{self._made}"
        digest = make_layout(place, seed=f"cut {self._made}", platforms=("linux/amd64",), layers=1, size=SIZE)
        return f"oci:{place}", digest


@pytest.fixture
def images(tmp_path: Path) -> Images:
    return Images(tmp_path)


def requests_of_a_push(pusher: Pusher, images: Images) -> int:
    """Return how many requests a zone's registry gets when everything has to be uploaded."""
    pusher.push(images.source()[0])
    pusher.clear()
    pusher.push(images.source()[0])
    return len(pusher.asked()[0])


@pytest.fixture
def cuts(pusher: Pusher, images: Images) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each request of a push with each cut, and the number of the zone that it hits."""
    asked = requests_of_a_push(pusher, images)
    assert asked > 7
    return ((number, {**cut, "skip": number // len(CUTS)}) for number, cut in enumerate(CUTS * asked))


def pushed(pusher: Pusher, source: str) -> str | None:
    """Return why a push failed, None where it did not."""
    try:
        pusher.push(source, retries=1, retry_delay=0.01)
    except AppuioError as error:
        return str(error)
    return None


def test_one_cut_is_survived(pusher: Pusher, images: Images, cuts: Iterator[tuple[int, dict[str, Any]]]) -> None:
    hit = 0
    for number, cut in cuts:
        zone = pusher.zones[number % 3]
        source, digest = images.source()
        fault = zone.faults.add(**cut, side="registry", count=1)
        pushed = pusher.push(source, retries=3, retry_delay=0.01)
        hit += zone.faults.hits(fault)
        zone.faults.clear()
        assert pushed["digest"] == digest, cut
        assert pusher.tags() == [{"1.0": digest}] * 3, cut
    assert hit > 40


def test_a_zone_that_cuts_again_and_again_changes_nothing_anywhere(pusher: Pusher, images: Images) -> None:
    failed = 0
    for skip in range(requests_of_a_push(pusher, images)):
        for action in ("reset_request", "lose_answer"):
            zone = pusher.zones[skip % 3]
            before = pusher.tags()
            source, digest = images.source()
            zone.faults.add(action, side="registry", skip=skip, count=4)
            told = pushed(pusher, source)
            assert told is None or zone.registry in told
            failed += told is not None
            expected = [{"1.0": digest}] * 3 if told is None else before
            zone.faults.clear()
            assert pusher.tags() == expected, (skip, action)
    assert failed > 5


def test_the_only_tag_of_the_only_zone_is_never_lost(pusher: Pusher, images: Images) -> None:
    """The registry moves the tag and its answer is lost each time: it points to what it pointed to before."""
    zone = pusher.zones[0]
    source, before = images.source()
    pusher.push(source, zones=pusher.entries(zone))
    # With one connection: once on it, as the last request left it open, and two attempts.
    fault = zone.faults.add("lose_answer", side="registry", method="PUT", path="manifests/1.0", count=3)
    with pytest.raises(AppuioError, match=r"put the tag 1\.0") as caught:
        pusher.push(images.source()[0], zones=pusher.entries(zone), jobs=1, retries=1, retry_delay=0.01)
    assert zone.faults.hits(fault) == 3
    zone.faults.clear()
    assert pusher.tags()[0] == {"1.0": before}
    assert [one["rolled_back"] for one in caught.value.result["zones"]] == [True]
