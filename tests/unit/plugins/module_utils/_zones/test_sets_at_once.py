# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs that move the tags of the same images at once, and somebody else, in any order of their requests."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import ServerError
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import OCI_MANIFEST, digest_of
from ansible_collections.appuio.registry.plugins.module_utils._registry.manifest_reader import ManifestResponse
from ansible_collections.appuio.registry.plugins.module_utils._zones import tags
from ansible_collections.appuio.registry.plugins.module_utils._zones.tags import move_tags
from ansible_collections.appuio.registry.plugins.module_utils._zones.zone_tags import TagState, TagUpdate, ZoneTags

IMAGES = ("api", "app", "web")
_LONGEST = 3
Key = tuple[str, str, str]


class Turns:
    """One request at a time, of the run whose turn it is by ``chance``; who sleeps wakes when the others are idle.

    A PUT that waits comes after ``_LONGEST`` others at the latest: one that is under way for as long as another run
    takes to its end is beyond what a registry can tell.
    """

    def __init__(self, runs: Sequence[str], chance: random.Random) -> None:
        self._changed = threading.Condition()
        self._live = set(runs)
        self._waiting: set[str] = set()
        self._asleep: set[str] = set()
        self._turn: str | None = None
        self.chance = chance
        self._putting: dict[str, int] = {}

    def step(self, run: str, puts: bool = False) -> None:
        with self._changed:
            self._waiting.add(run)
            if puts:
                self._putting[run] = 0
            self._choose()
            assert self._changed.wait_for(lambda: self._turn == run, 600)
            self._waiting.remove(run)
            self._turn = None

    def sleep(self, run: str) -> None:
        with self._changed:
            self._asleep.add(run)
            self._choose()
            assert self._changed.wait_for(lambda: run not in self._asleep, 600)

    def end(self, run: str) -> None:
        with self._changed:
            self._live.discard(run)
            self._choose()

    def _choose(self) -> None:
        if self._live and self._live == self._asleep:
            self._asleep.clear()
            self._changed.notify_all()
        elif self._turn is None and self._waiting and self._live - self._asleep <= self._waiting:
            late = [run for run, others in self._putting.items() if others >= _LONGEST]
            self._turn = self.chance.choice(late or sorted(self._waiting))
            self._putting = {run: others + 1 for run, others in self._putting.items() if run != self._turn}
            self._changed.notify_all()


class Zones:
    """The tags of two zones, by zone, repository and tag; ``requests`` says who did what, in its order."""

    def __init__(self, names: str, turns: Turns) -> None:
        self.names, self.turns = names, turns
        self.there: dict[Key, ManifestResponse] = {}
        self.requests: list[tuple[str, str, Key]] = []
        self.refused: dict[str, Key] = {}

    def run(self, run: str, before: str, atomic_pairs: bool = False) -> list[list[ZoneTags]]:
        """Return the tags of each image, which a run moves to an image of its own."""
        return [[self._zone(run, zone, image, before, atomic_pairs) for zone in self.names] for image in IMAGES]

    def _zone(self, run: str, zone: str, image: str, before: str, atomic_pairs: bool) -> ZoneTags:
        registry = Registry(self, run, zone, atomic_pairs)
        updates = [TagUpdate("1", manifest(image, before).digest, manifest(image, run))]
        return ZoneTags(zone, zone, registry, image, updates, remove_tag=registry.remove)

    def named(self) -> dict[Key, str]:
        return {key: found.content.decode().partition(" ")[2] for key, found in sorted(self.there.items())}


class Registry:
    """A zone as one run sees it. With ``atomic_pairs``, nothing comes between a question and the PUT after it."""

    def __init__(self, zones: Zones, run: str, zone: str, atomic_pairs: bool) -> None:
        self._zones, self._run, self._zone, self._atomic_pairs = zones, run, zone, atomic_pairs

    def head_manifest(self, repository: str, tag: str) -> ManifestResponse | None:
        return self._ask("HEAD", (self._zone, repository, tag))

    def get_manifest(self, repository: str, reference: str) -> ManifestResponse | None:
        if ":" in reference:
            return next(one for one in (manifest(repository, run) for run in "oABC") if one.digest == reference)
        return self._ask("GET", (self._zone, repository, reference))

    def put_manifest(self, repository: str, reference: str, content: bytes, media_type: str) -> str:
        key = (self._zone, repository, reference)
        if not self._atomic_pairs:
            self._zones.turns.step(self._run, puts=True)
        self._zones.requests.append((self._run, "PUT", key))
        if self._zones.refused.get(self._run) == key:
            raise ServerError("refused", status=500)
        self._zones.there[key] = ManifestResponse(digest_of(content), media_type, content)
        return digest_of(content)

    def remove(self, tag: str) -> None:
        raise AssertionError(f"{tag} was there before")

    def _ask(self, method: str, key: Key) -> ManifestResponse | None:
        self._zones.turns.step(self._run)
        self._zones.requests.append((self._run, method, key))
        return self._zones.there.get(key)


def manifest(image: str, run: str) -> ManifestResponse:
    content = f"{image} {run}".encode()
    return ManifestResponse(digest_of(content), OCI_MANIFEST, content)


@pytest.fixture(autouse=True)
def one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run asks its zones in their order, so that the seed alone decides."""

    def in_order(work: Callable[[Any], None], items: Sequence[Any], on_stop: Callable[[], None] | None = None) -> None:
        for item in items:
            work(item)

    monkeypatch.setattr(tags, "at_once", in_order)


def at_once(zones: Zones, works: dict[str, Callable[[], None]]) -> None:
    """Let all of them run until they have ended; raises what one of them raised."""
    raised: list[BaseException] = []

    def run(name: str) -> None:
        try:
            works[name]()
        except BaseException as error:
            raised.append(error)
        finally:
            zones.turns.end(name)

    threads = [threading.Thread(target=run, args=(name,), daemon=True) for name in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
    if raised:
        raise raised[0]


def moving(zones: Zones, run: str, images: list[list[ZoneTags]]) -> Callable[[], None]:
    every = [zone for image in images for zone in image]
    return lambda: move_tags(every, True, lambda _seconds: zones.turns.sleep(run), images)


def scenes(count: int, names: str, *runs: str) -> Iterator[tuple[int, Zones]]:
    for seed in range(count):
        zones = Zones(names, Turns(runs, random.Random(seed)))
        for zone in names:
            for image in IMAGES:
                zones.there[(zone, image, "1")] = manifest(image, "o")
        yield seed, zones


@pytest.mark.parametrize("names", ["a", "ab"])
def test_after_two_runs_of_a_set_every_tag_points_to_one_of_the_two_images(names: str) -> None:
    outcomes = set()
    for seed, zones in scenes(400, names, "A", "B"):
        sets = {run: zones.run(run, "o") for run in "AB"}
        at_once(zones, {run: moving(zones, run, images) for run, images in sets.items()})
        there = zones.named()
        failed = {run: [zone for image in images for zone in image if zone.error] for run, images in sets.items()}
        for number, image in enumerate(IMAGES):
            pointed = {there[(zone, image, "1")] for zone in names}
            assert len(pointed) == 1, (seed, there, zones.requests)
            (winner,) = pointed
            if winner == "o":
                assert all(failed.values()), (seed, there, zones.requests)
            for run, images in sets.items():
                lost = winner != run and not any(zone.error or zone.warnings for zone in images[number])
                # Of the others of a set that went back, the caller says so.
                assert not lost or failed[run], (seed, run, there, zones.requests)
        outcomes.add("".join(sorted(set(there.values()))))
    # Either of them wins somewhere: the orders are not all alike.
    assert {"A", "B"} <= outcomes


@pytest.mark.parametrize(
    ("theirs", "refused"),
    [(("b", "app", "1"), None), (("a", "api", "1"), None), (("a", "api", "1"), ("b", "web", "1"))],
    ids=["in the middle", "the first one", "before a failure"],
)
def test_what_somebody_else_moves_meanwhile_is_never_moved_back(theirs: Key, refused: Key | None) -> None:
    """Where nothing comes between a look and what follows on it; a registry has no condition on a PUT."""
    rolled_back = 0
    for seed, zones in scenes(200, "ab", "A", "C"):
        images = zones.run("A", "o", atomic_pairs=True)
        if refused:
            zones.refused["A"] = refused
        single, found = Registry(zones, "C", theirs[0], atomic_pairs=True), manifest(theirs[1], "C")

        def push(zones: Zones = zones, single: Registry = single, found: ManifestResponse = found) -> None:
            for _look in range(zones.turns.chance.randrange(12)):
                single.head_manifest("other", "1")
            single.head_manifest(*theirs[1:])
            single.put_manifest(*theirs[1:], found.content, found.media_type)

        at_once(zones, {"A": moving(zones, "A", images), "C": push})
        there = zones.named()
        after = zones.requests[zones.requests.index(("C", "PUT", theirs)) :]
        assert there.pop(theirs) == "C", (seed, there, zones.requests)
        assert ("A", "PUT", theirs) not in after, (seed, zones.requests)
        every = [zone for image in images for zone in image]
        rolled_back += any(update.state is TagState.RESTORED for zone in every for update in zone.updates)
        failed = [zone for zone in every if zone.error]
        if any(one == ("A", "HEAD", theirs) for one in after):
            assert failed or any(zone.warnings for zone in every), (seed, there, zones.requests)
        if refused or any("was moved meanwhile" in str(zone.error) for zone in failed):
            assert set(there.values()) == {"o"}, (seed, there, zones.requests)
    assert bool(rolled_back) is bool(refused or theirs[0] == "b")
