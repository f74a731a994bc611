# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags move in all zones or in none, whatever the zones answer and whoever moves them at the same time."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import Callable

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    ConnectionFailedError,
    ForbiddenError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._oci.model import OCI_MANIFEST, digest_of
from ansible_collections.appuio.registry.plugins.module_utils._registry.manifest_reader import ManifestResponse
from ansible_collections.appuio.registry.plugins.module_utils._signals import StoppedError, StopSignals
from ansible_collections.appuio.registry.plugins.module_utils._zones import fanout
from ansible_collections.appuio.registry.plugins.module_utils._zones.tags import move_tags
from ansible_collections.appuio.registry.plugins.module_utils._zones.zone_tags import TagState, TagUpdate, ZoneTags


def manifest(text: str) -> ManifestResponse:
    return ManifestResponse(digest_of(text.encode()), OCI_MANIFEST, text.encode())


NEW, OLD, THIRD = manifest("new"), manifest("old"), manifest("third")


class Stopped(BaseException):
    """A signal that became an exception."""


def _nothing() -> None:
    """What happens where nothing happens."""


@dataclass
class Registry:
    """A repository.

    ``on_put`` runs before a tag is put, ``after_put`` when it is stored, ``on_restore`` before it is put back.
    """

    tags: dict[str, ManifestResponse] = field(default_factory=dict)
    on_put: dict[str, Callable[[], None]] = field(default_factory=dict)
    after_put: dict[str, Callable[[], None]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    held: dict[str, ManifestResponse] = field(default_factory=dict)
    dead: bool = False
    on_restore: Callable[[], None] = _nothing

    def __post_init__(self) -> None:
        self.held.update({one.digest: one for one in (*self.tags.values(), NEW)})

    def head_manifest(self, _repository: str, tag: str) -> ManifestResponse | None:
        self._answer(f"HEAD {tag}")
        return self.tags.get(tag)

    def get_manifest(self, _repository: str, reference: str) -> ManifestResponse | None:
        self._answer(f"GET {reference}")
        return self.held.get(reference) or self.tags.get(reference)

    def put_manifest(self, _repository: str, reference: str, content: bytes, _media_type: str) -> str:
        self._answer(f"PUT {reference}")
        if content == NEW.content:
            self.on_put.get(reference, _nothing)()
        else:
            self.on_restore()
        self.tags[reference] = manifest(content.decode())
        if content == NEW.content:
            self.after_put.get(reference, _nothing)()
        return digest_of(content)

    def remove(self, tag: str) -> None:
        self._answer(f"DELETE {tag}")
        self.tags.pop(tag, None)

    def named(self) -> dict[str, str]:
        return {tag: one.content.decode() for tag, one in self.tags.items()}

    def _answer(self, request: str) -> None:
        self.log.append(request)
        if self.dead:
            raise ConnectionFailedError("no answer")


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def updates(registry: Registry, *tags: str, **options: bool) -> list[TagUpdate]:
    digests = {tag: registry.tags[tag].digest if tag in registry.tags else None for tag in tags}
    return [TagUpdate(tag, before, NEW, **options) for tag, before in digests.items()]


def zone(name: str, registry: Registry, *tags: str, address: str = "", **options: bool) -> ZoneTags:
    return ZoneTags(
        name, address or name, registry, "shop/app", updates(registry, *tags, **options), remove_tag=registry.remove
    )


def move(*zones: ZoneTags, atomic: bool = True, sleep: Callable[[float], None] = lambda _seconds: None) -> None:
    move_tags(zones, atomic, sleep)


def outcome(*zones: ZoneTags) -> list[tuple[bool, bool, bool]]:
    return [(one.changed, one.rolled_back, one.error is not None) for one in zones]


def test_all_zones_move() -> None:
    one, two = Registry({"1.0": OLD}), Registry({"1.0": OLD})
    zones = zone("one", one, "1.0", "2.0"), zone("two", two, "1.0", "2.0")
    move(*zones)
    assert one.named() == two.named() == {"1.0": "new", "2.0": "new"}
    assert outcome(*zones) == [(True, False, False)] * 2


@pytest.mark.parametrize("lost", [False, True])
def test_those_that_have_moved_go_back(lost: bool) -> None:
    registries = [Registry({"1.0": OLD}) for _number in range(3)]
    fails = raising(ConnectionFailedError("no answer"))
    (registries[1].after_put if lost else registries[1].on_put)["1.0"] = fails
    zones = [zone(str(number), registry, "1.0") for number, registry in enumerate(registries)]
    move(*zones)
    assert [registry.named() for registry in registries] == [{"1.0": "old"}] * 3
    assert outcome(*zones) == [(False, True, False), (False, lost, True), (False, False, False)]
    assert not any(request.startswith("PUT") for request in registries[2].log)


def test_a_zone_that_refuses_takes_the_others_back_and_a_new_tag_is_removed() -> None:
    one = Registry({"1.0": OLD})
    two = Registry({"1.0": OLD}, on_put={"1.0": raising(AppuioError("refused"))})
    zones = zone("one", one, "1.0", "new"), zone("two", two, "1.0")
    move(*zones)
    assert (one.named(), two.named()) == ({"1.0": "old"}, {"1.0": "old"})
    assert "DELETE new" in one.log
    assert outcome(*zones) == [(False, True, False), (False, False, True)]


def test_alone_each_zone_keeps_what_it_has() -> None:
    one, two = Registry({"1.0": OLD}), Registry({"1.0": OLD}, on_put={"1.0": raising(AppuioError("refused"))})
    zones = zone("one", one, "1.0"), zone("two", two, "1.0")
    move(*zones, atomic=False)
    assert (one.named(), two.named()) == ({"1.0": "new"}, {"1.0": "old"})
    assert outcome(*zones) == [(True, False, False), (False, False, True)]


@pytest.mark.parametrize("before", [{"1.0": OLD}, {}])
def test_a_single_tag_whose_answer_is_lost_is_put_back_and_never_lost(before: dict[str, ManifestResponse]) -> None:
    registry = Registry(dict(before), after_put={"1.0": raising(AppuioError("the connection was cut"))})
    only = zone("one", registry, "1.0")
    move(only)
    assert registry.named() == ({"1.0": "old"} if before else {})
    assert ("DELETE 1.0" in registry.log) is not bool(before)
    assert "the connection was cut" in str(only.error)
    assert not only.changed


def test_a_single_tag_costs_one_question_and_no_memory() -> None:
    registry = Registry({"1.0": OLD})
    move(zone("one", registry, "1.0"))
    assert registry.log == ["HEAD 1.0", "PUT 1.0"]


def test_several_tags_are_remembered_before_the_first_one_moves() -> None:
    """What a tag pointed to may not be readable by its digest any more when it has moved."""
    registry = Registry({"1.0": OLD, "2.0": THIRD}, on_put={"2.0": raising(AppuioError("refused"))})
    registry.held.clear()
    only = zone("one", registry, "1.0", "2.0")
    move(only)
    assert registry.named() == {"1.0": "old", "2.0": "third"}
    assert outcome(only) == [(False, True, True)]


@pytest.mark.parametrize("stored", [False, True])
def test_without_atomic_a_lost_answer_is_looked_at_and_told(stored: bool) -> None:
    fails = {"1.0": raising(ConnectionFailedError("no answer"))}
    registry = Registry({"1.0": OLD}, after_put=fails) if stored else Registry({"1.0": OLD}, on_put=fails)
    only = zone("one", registry, "1.0")
    move(only, atomic=False)
    assert registry.named() == {"1.0": "new" if stored else "old"}
    assert outcome(only) == [(stored, False, True)]


@pytest.mark.parametrize("now", [THIRD, None])
def test_a_tag_that_was_moved_or_removed_meanwhile_stays_and_stops_all(now: ManifestResponse | None) -> None:
    one, two = Registry({"1.0": OLD}), Registry({"1.0": OLD})
    zones = zone("one", one, "1.0"), zone("two", two, "1.0")
    two.tags = {"1.0": now} if now else {}
    move(*zones)
    assert one.named() == {"1.0": "old"}
    assert two.tags == ({"1.0": now} if now else {})
    assert not any(request.startswith(("PUT", "DELETE")) for request in [*one.log, *two.log])
    assert "was moved meanwhile" in str(zones[1].error)


def test_a_new_tag_that_another_made_meanwhile_is_neither_overwritten_nor_removed() -> None:
    """Another run makes the tag in the second zone while the first one moves, where the roll-back then removes ours."""
    one, two = Registry(), Registry()
    zones = zone("one", one, "new"), zone("two", two, "new")
    one.after_put["new"] = lambda: two.tags.update({"new": THIRD})
    move(*zones)
    assert (one.named(), two.named()) == ({}, {"new": "third"})
    assert "moved meanwhile, from nothing to" in str(zones[1].error)


def test_what_another_has_put_over_ours_is_not_rolled_back() -> None:
    one, two = Registry({"1.0": OLD}), Registry({"1.0": OLD}, on_put={"1.0": raising(AppuioError("refused"))})

    def overtake() -> None:
        one.tags["1.0"] = THIRD
        raise AppuioError("refused")

    two.on_put["1.0"] = overtake
    zones = zone("one", one, "1.0"), zone("two", two, "1.0")
    move(*zones)
    assert one.named() == {"1.0": "third"}
    assert outcome(*zones) == [(False, False, False), (False, False, True)]


def test_existing_tags_that_are_to_be_kept_are_kept_also_when_they_are_new() -> None:
    registry = Registry()
    only = zone("one", registry, "1.0", keep_existing=True)
    registry.tags["1.0"] = THIRD
    move(only)
    assert registry.named() == {"1.0": "third"}
    assert only.updates[0].state is TagState.KEPT
    assert (outcome(only), only.updates[0].now) == ([(False, False, False)], THIRD.digest)


def test_a_tag_that_was_removed_meanwhile_does_not_count_as_kept() -> None:
    registry = Registry({"1.0": OLD})
    only = zone("one", registry, "1.0", keep_existing=True)
    registry.tags.clear()
    move(only)
    assert registry.named() == {}
    assert "was moved meanwhile" in str(only.error)


def test_the_same_image_by_another_run_is_fine_and_not_ours_to_put_back() -> None:
    one, two = Registry({"1.0": OLD}), Registry({"1.0": OLD}, on_put={"1.0": raising(AppuioError("refused"))})
    zones = zone("one", one, "1.0"), zone("two", two, "1.0")
    one.tags["1.0"] = NEW
    move(*zones)
    assert one.named() == {"1.0": "new"}
    assert outcome(*zones) == [(False, False, False), (False, False, True)]


def test_zones_are_taken_in_one_order_whatever_the_order_given() -> None:
    order: list[str] = []
    registries = {name: Registry({"1.0": OLD}) for name in "abc"}
    for name, registry in registries.items():
        registry.on_put["1.0"] = lambda name=name: order.append(name)  # type: ignore[misc]
    move(*(zone(f"zone {name}", registries[name], "1.0", address=f"{name}.example") for name in "cab"))
    assert order == ["a", "b", "c"]


def test_what_is_known_to_have_moved_goes_back_before_a_dead_zone_is_asked() -> None:
    good, dies = Registry({"1.0": OLD}), Registry({"1.0": OLD})
    asked_when_good_was: list[str] = []

    def die() -> None:
        dies.dead = True
        raise ConnectionFailedError("the connection broke")

    dies.on_put["1.0"] = die
    ask = dies.head_manifest

    def head(repository: str, tag: str) -> ManifestResponse | None:
        asked_when_good_was.append(good.named()["1.0"])
        return ask(repository, tag)

    dies.head_manifest = head  # type: ignore[assignment, method-assign]
    zones = zone("good", good, "1.0", address="a"), zone("dies", dies, "1.0", address="b")
    move(*zones)
    assert good.named() == {"1.0": "old"}
    assert asked_when_good_was[-1] == "old"
    assert outcome(*zones) == [(False, True, False), (False, False, True)]
    text = str(zones[1].error)
    assert text.index("the connection broke") < text.index("whether the tag 1.0 was moved is not known")


def test_zones_go_back_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=600)
    registries = [Registry({"1.0": OLD}) for _number in range(3)]
    registries[2].on_put["1.0"] = raising(AppuioError("refused"))
    zones = [zone(str(number), registry, "1.0") for number, registry in enumerate(registries)]
    for registry in registries[:2]:
        put = registry.put_manifest

        def waiting(repository: str, tag: str, content: bytes, kind: str, put: Callable[..., str] = put) -> str:
            if content == OLD.content:
                both.wait()
            return put(repository, tag, content, kind)

        registry.put_manifest = waiting  # type: ignore[assignment, method-assign]
    move(*zones)
    assert [registry.named() for registry in registries] == [{"1.0": "old"}] * 3


def test_without_threads_zones_still_go_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(fanout.threading.Thread, "start", none_left)
    registries = [Registry({"1.0": OLD}) for _number in range(3)]
    registries[2].on_put["1.0"] = raising(AppuioError("refused"))
    move(*(zone(str(number), registry, "1.0") for number, registry in enumerate(registries)))
    assert [registry.named() for registry in registries] == [{"1.0": "old"}] * 3


@pytest.mark.parametrize("kind", [ForbiddenError, UnauthorizedError])
def test_a_refusal_is_not_told_as_a_move(kind: type[AppuioError]) -> None:
    registry = Registry({"1.0": OLD})
    only = zone("one", registry, "1.0")

    def refuse() -> None:
        registry.dead = True
        raise kind("does not accept the credential")

    registry.on_put["1.0"] = refuse
    move(only)
    assert (str(only.error), only.changed) == ("zone one: does not accept the credential", False)


def test_what_cannot_be_put_back_is_told_even_if_another_tag_can() -> None:
    one, two = Registry({"1.0": OLD}), Registry({"1.0": OLD}, on_put={"1.0": raising(AppuioError("refused"))})
    zones = zone("one", one, "1.0", "stuck"), zone("two", two, "1.0")
    zones[0].remove_tag = lambda _tag: raising(AppuioError("there is no API"))()
    move(*zones)
    assert one.named() == {"1.0": "old", "stuck": "new"}
    assert (zones[0].changed, zones[0].rolled_back) == (True, True)
    assert "the tag stuck was moved and could not be put back" in str(zones[0].error)
    assert "It pointed to nothing before" in str(zones[0].error)


def test_what_is_gone_from_the_registry_cannot_be_put_back() -> None:
    registry = Registry({"1.0": OLD}, after_put={"1.0": raising(AppuioError("cut"))})
    registry.held.clear()
    only = zone("one", registry, "1.0")
    move(only)
    assert registry.named() == {"1.0": "new"}
    assert OLD.digest in str(only.error)
    assert (str(only.error).startswith("zone one: cut"), only.changed) == (True, True)


def test_a_removal_that_fails_elsewhere_is_undone() -> None:
    one, two = Registry({"1.0": OLD}), Registry({"1.0": OLD})
    zones = [
        ZoneTags(name, name, registry, "shop/app", [TagUpdate("1.0", OLD.digest, remove=True)], registry.remove)
        for name, registry in (("one", one), ("two", two))
    ]
    zones[1].remove_tag = lambda _tag: raising(ForbiddenError("no"))()
    move(*zones)
    assert (one.named(), two.named()) == ({"1.0": "old"}, {"1.0": "old"})
    assert outcome(*zones) == [(False, True, False), (False, False, True)]


def test_a_tag_is_never_removed_for_want_of_a_manifest() -> None:
    with pytest.raises(ValueError, match="either to point to a manifest or to be removed"):
        TagUpdate("1.0", OLD.digest, None)
    with pytest.raises(ValueError, match="either to point to a manifest or to be removed"):
        TagUpdate("1.0", OLD.digest, NEW, remove=True)


@pytest.mark.parametrize("stored", [False, True])
def test_a_signal_in_the_middle_takes_all_back(stored: bool) -> None:
    registries = [Registry({"1.0": OLD}) for _number in range(3)]
    (registries[1].after_put if stored else registries[1].on_put)["1.0"] = raising(Stopped())
    zones = [zone(str(number), registry, "1.0") for number, registry in enumerate(registries)]
    with pytest.raises(Stopped):
        move(*zones)
    assert [registry.named() for registry in registries] == [{"1.0": "old"}] * 3
    assert outcome(*zones) == [(False, True, False), (False, stored, False), (False, False, False)]


def test_a_signal_does_not_cut_the_request_that_moves_a_tag() -> None:
    """The registry would go on with it, and could move the tag when it was looked at already."""
    registries = [Registry({"1.0": OLD}) for _number in range(2)]
    registries[1].on_put["1.0"] = lambda: os.kill(os.getpid(), signal.SIGTERM)
    stored: list[str] = []
    registries[1].after_put["1.0"] = lambda: stored.append("1.0")
    zones = [zone(str(number), registry, "1.0") for number, registry in enumerate(registries)]
    with pytest.raises(StoppedError), StopSignals():
        move(*zones)
    assert stored == ["1.0"]
    assert [registry.named() for registry in registries] == [{"1.0": "old"}] * 2
    assert outcome(*zones) == [(False, True, False)] * 2


def test_a_signal_does_not_end_the_way_back_from_a_failure() -> None:
    registries = [Registry({"1.0": OLD, "2.0": OLD}) for _number in range(2)]
    registries[1].on_put["1.0"] = raising(AppuioError("refused"))
    zones = [zone(str(number), registry, "1.0", "2.0") for number, registry in enumerate(registries)]
    registries[0].on_restore = lambda: os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(StoppedError), StopSignals():
        move(*zones)
    assert [registry.named() for registry in registries] == [{"1.0": "old", "2.0": "old"}] * 2
    assert outcome(*zones) == [(False, True, False), (False, False, True)]


def test_a_signal_waits_for_what_the_other_zones_have_begun() -> None:
    begun, stopped = threading.Event(), threading.Event()
    one, two = Registry({"1.0": OLD}), Registry({"1.0": OLD})

    def stop() -> None:
        begun.wait(60)
        stopped.set()
        raise Stopped

    def take_long() -> None:
        begun.set()
        stopped.wait(60)
        time.sleep(0.1)

    one.on_put["1.0"], two.on_put["1.0"] = stop, take_long
    zones = zone("one", one, "1.0"), zone("two", two, "1.0")
    with pytest.raises(Stopped):
        move(*zones, atomic=False)
    assert (one.named(), two.named()) == ({"1.0": "old"}, {"1.0": "new"})
    assert outcome(*zones) == [(False, False, False), (True, False, False)]


def test_an_error_that_nobody_expected_takes_all_back_and_names_its_zone() -> None:
    one, two = Registry({"1.0": OLD}), Registry({"1.0": OLD}, on_put={"1.0": raising(ValueError("odd header"))})
    zones = zone("one", one, "1.0"), zone("two", two, "1.0")
    move(*zones)
    assert one.named() == {"1.0": "old"}
    assert "unexpected ValueError: odd header" in str(zones[1].error)


def test_what_was_put_again_is_not_put_back() -> None:
    one, two = Registry({"1.0": NEW}), Registry({"1.0": OLD}, on_put={"1.0": raising(AppuioError("refused"))})
    zones = zone("one", one, "1.0"), zone("two", two, "1.0")
    move(*zones)
    assert one.named() == {"1.0": "new"}
    assert not zones[0].rolled_back


def two_zones() -> tuple[Registry, Registry, tuple[ZoneTags, ZoneTags]]:
    one, two = Registry({"1.0": OLD}), Registry({"1.0": OLD})
    return one, two, (zone("one", one, "1.0", address="a"), zone("two", two, "1.0", address="b"))


def test_one_look_is_enough_where_nobody_else_moves() -> None:
    one, _two, zones = two_zones()
    naps: list[float] = []
    move(*zones, sleep=naps.append)
    assert naps == []
    assert one.log == ["GET 1.0", "HEAD 1.0", "PUT 1.0", "HEAD 1.0"]


def test_a_run_that_has_lost_the_first_zone_follows_and_says_so() -> None:
    one, two, zones = two_zones()
    two.after_put["1.0"] = lambda: one.tags.update({"1.0": THIRD})
    move(*zones)
    assert one.named() == two.named() == {"1.0": "third"}
    assert "another run moved the tag 1.0 at the same time" in str(zones[0].error)
    assert [one.changed for one in zones] == [False, False]


def test_a_run_that_has_the_first_zone_overwrites_nothing_and_waits_for_the_other() -> None:
    one, two, zones = two_zones()
    two.after_put["1.0"] = lambda: two.tags.update({"1.0": THIRD})
    move(*zones, sleep=lambda _seconds: two.tags.update({"1.0": NEW}))
    assert one.named() == two.named() == {"1.0": "new"}
    assert outcome(*zones) == [(True, False, False)] * 2
    one, two, zones = two_zones()
    two.after_put["1.0"] = lambda: two.tags.update({"1.0": THIRD})
    move(*zones)
    assert (one.named(), two.named()) == ({"1.0": "new"}, {"1.0": "third"})
    assert "The zones differ" in str(zones[1].error)


def test_what_another_run_has_put_back_is_moved_once_more() -> None:
    one, two, zones = two_zones()
    two.after_put["1.0"] = lambda: one.tags.update({"1.0": OLD})
    move(*zones)
    assert one.named() == two.named() == {"1.0": "new"}
    assert outcome(*zones) == [(True, False, False)] * 2
    assert "put back by another run" in zones[0].warnings[0]


def test_a_later_run_that_has_moved_all_zones_is_only_told() -> None:
    one, two, zones = two_zones()

    def another() -> None:
        for registry in (one, two):
            registry.tags["1.0"] = THIRD

    two.after_put["1.0"] = another
    move(*zones)
    assert one.named() == two.named() == {"1.0": "third"}
    assert outcome(*zones) == [(True, False, False)] * 2
    assert "has been moved to" in zones[0].warnings[0]


def test_a_look_that_fails_is_told_as_not_known() -> None:
    one, two, zones = two_zones()
    two.after_put["1.0"] = lambda: setattr(one, "dead", True)
    move(*zones)
    assert outcome(*zones) == [(True, False, False)] * 2
    assert "is not known" in zones[0].warnings[0]
