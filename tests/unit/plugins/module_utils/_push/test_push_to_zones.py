# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole push to zones in memory: what moves when, what stays, and what is told, whatever goes wrong on the way."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    ForbiddenError,
    ServerError,
    UnauthorizedError,
)
from ansible_collections.appuio.registry.plugins.module_utils._push import quota, zone_uploads
from ansible_collections.appuio.registry.plugins.module_utils._push.moves import zone_tags
from ansible_collections.appuio.registry.plugins.module_utils._push.plan import PlannedTag, ZonePlan
from ansible_collections.appuio.registry.plugins.module_utils._signals import StoppedError
from ansible_collections.appuio.registry.plugins.module_utils._zones import fanout
from ansible_collections.appuio.registry.plugins.module_utils._zones.tags import move_tags

from tests.image import make_layout
from tests.unit.plugins.module_utils._push.fake_zones import THIRD, Zones, in_turn, raising, two_zones, waiting_for

__all__ = ["two_zones"]


@pytest.fixture
def source(tmp_path: Path) -> str:
    """An image for two platforms."""
    make_layout(tmp_path / "app", seed="new", size=5000)
    return f"oci:{tmp_path / 'app'}"


@pytest.fixture
def old(tmp_path: Path, two_zones: Zones) -> str:
    """The digest of what the tag 1.0 points to in both zones."""
    make_layout(tmp_path / "old", seed="old", platforms=("linux/amd64",))
    digest: str = two_zones.push(f"oci:{tmp_path / 'old'}")["digest"]
    for registry in two_zones.registries.values():
        registry.log.clear()
    return digest


def named(zones: Zones) -> list[dict[str, str]]:
    return [registry.named() for registry in zones.registries.values()]


def test_an_index_comes_with_its_images_and_the_tag_last(two_zones: Zones, source: str) -> None:
    result = two_zones.push(source)
    digest = result["digest"]
    assert named(two_zones) == [{"1.0": digest}] * 2
    for name in "ab":
        manifests = [line.split()[-1] for line in two_zones[name].writes() if "blob" not in line]
        assert len(manifests) == 4
        assert manifests[-2:] == [digest, "1.0"]
        assert all(zone["changed"] for zone in result["zones"])
    address = f"image-registry.openshift-image-registry.svc:5000/shop/app@{digest}"
    assert [zone["pull_reference"] for zone in result["zones"]] == [address] * 2


def test_no_tag_moves_where_a_zone_failed_before_and_the_others_stop(two_zones: Zones, source: str, old: str) -> None:
    """Zone a is in the middle of its first blob when zone b refuses its own; it sends no second one."""
    begun, failed = threading.Event(), threading.Event()

    def refuse() -> None:
        waiting_for(begun)()
        raise ForbiddenError("no right to push")

    two_zones["a"].before["PUT blob"] = in_turn(begun.set, waiting_for(failed))
    two_zones["b"].before["PUT blob"] = refuse
    task = two_zones.task(source, jobs=1)
    plan = task.plan()
    uploads = task.uploads(plan)
    cancel = uploads["a"].cancel

    def cancelled(reason: str, abort: bool = False) -> None:
        cancel(reason, abort)
        failed.set()

    uploads["a"].cancel = cancelled  # type: ignore[method-assign]
    with pytest.raises(AppuioError) as caught:
        task.apply(plan)
    task.close()
    assert str(caught.value) == "zone b: no right to push"
    assert named(two_zones) == [{"1.0": old}] * 2
    assert [line.split()[1] for line in two_zones["a"].writes()] == ["blob"]
    assert [line.split()[1] for line in two_zones["b"].writes()] == ["blob"]
    zones = caught.value.result["zones"]
    assert [zone["failed"] for zone in zones] == [True, True]
    assert "left as it was, as another zone failed" in zones[0]["error"]


def test_the_first_cause_is_kept(two_zones: Zones, source: str) -> None:
    first = threading.Event()
    number = iter(range(100))
    task = two_zones.task(source, jobs=2)
    plan = task.plan()

    def fail() -> None:
        if next(number) == 0:
            raise ForbiddenError("the first cause")
        while task.uploads(plan)["b"].result.error is None:
            first.wait(0.01)
        raise ServerError("a later one")

    both = threading.Barrier(2, timeout=600)
    two_zones["b"].before["PUT blob"] = in_turn(both.wait, fail)
    with pytest.raises(AppuioError, match="the first cause"):
        task.apply(plan)
    task.close()


def test_without_atomic_a_zone_does_not_wait_for_the_slowest(two_zones: Zones, source: str) -> None:
    """Zone b gets its first blob when zone a has its tag, and its duration is known."""
    task = two_zones.task(source, atomic=False)
    plan = task.plan()
    ended = threading.Event()
    uploads = task.uploads(plan)
    end = uploads["a"].end

    def ending(seconds: float) -> None:
        end(seconds)
        assert two_zones["a"].named()
        ended.set()

    uploads["a"].end = ending  # type: ignore[method-assign]
    two_zones["b"].before["PUT blob"] = waiting_for(ended)
    result = task.apply(plan)
    task.close()
    assert named(two_zones) == [{"1.0": result["digest"]}] * 2


def test_without_atomic_a_zone_that_fails_stops_no_other(two_zones: Zones, source: str, old: str) -> None:
    two_zones["a"].before["PUT tag"] = raising(ForbiddenError("no right to push"))
    error = two_zones.refused(source, atomic=False)
    assert named(two_zones) == [{"1.0": old}, {"1.0": error.result["digest"]}]
    assert [(zone["failed"], zone["changed"]) for zone in error.result["zones"]] == [(True, False), (False, True)]


def test_with_atomic_no_tag_moves_before_the_slowest_zone_has_all(two_zones: Zones, source: str) -> None:
    seen: list[dict[str, str]] = []
    two_zones["b"].before["PUT manifest"] = lambda: seen.append(two_zones["a"].named())
    two_zones.push(source)
    assert seen == [{}] * 3


def test_a_blob_is_let_go_when_the_slowest_zone_has_it(two_zones: Zones, source: str) -> None:
    task = two_zones.task(source, jobs=1)
    plan = task.plan()
    released: list[str] = []
    release = task.image.release
    task.image.release = lambda blob: (released.append(blob.descriptor().digest), release(blob))[1]  # type: ignore
    early: list[str] = []
    there = threading.Event()
    two_zones["a"].before["PUT manifest"] = there.set
    two_zones["b"].before["PUT blob"] = in_turn(waiting_for(there), lambda: early.extend(released))
    task.apply(plan)
    task.close()
    sent = [line.split()[-1] for line in two_zones["b"].log if line.startswith("PUT blob")]
    assert sorted(released) == sorted(sent)
    assert not set(early) & set(sent[-1:])
    assert early[:1] in ([], sent[:1])


def test_a_blob_that_the_registry_lost_is_brought_again(two_zones: Zones, source: str) -> None:
    zone = two_zones["b"]
    lost: list[str] = []

    def lose() -> None:
        if not lost:
            lost.append(next(iter(zone.blobs)))
            del zone.blobs[lost[0]]

    zone.before["PUT manifest"] = lose
    result = two_zones.push(source)
    assert named(two_zones) == [{"1.0": result["digest"]}] * 2
    assert zone.log.count(f"PUT blob {lost[0]}") == 2


def test_without_threads_every_zone_is_pushed_to(
    two_zones: Zones, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(fanout.threading.Thread, "start", none_left)
    result = two_zones.push(source)
    assert named(two_zones) == [{"1.0": result["digest"]}] * 2


def test_a_tag_that_somebody_made_meanwhile_is_not_overwritten(two_zones: Zones, source: str) -> None:
    two_zones["b"].before["PUT manifest"] = lambda: two_zones["b"].tagged.update({"1.0": THIRD})
    error = two_zones.refused(source)
    assert "the tag 1.0 was moved meanwhile, from nothing to" in str(error)
    assert named(two_zones) == [{}, {"1.0": THIRD.digest}]
    assert "DELETE" not in str(two_zones["b"].log)


def test_a_tag_that_somebody_made_meanwhile_is_kept_where_tags_are(two_zones: Zones, source: str) -> None:
    two_zones["b"].before["PUT manifest"] = lambda: two_zones["b"].tagged.update({"1.0": THIRD})
    result = two_zones.push(source, existing_tags="keep")
    assert named(two_zones) == [{"1.0": result["digest"]}, {"1.0": THIRD.digest}]
    kept = result["zones"][1]
    assert (kept["changed"], kept["digest"]) == (False, THIRD.digest)
    assert kept["reference_digest"] == f"b.example/shop/app@{THIRD.digest}"
    assert "is kept" in str(result["warnings"])


def test_a_kept_tag_has_the_digest_that_can_be_pulled(two_zones: Zones, source: str, old: str) -> None:
    result = two_zones.push(source, existing_tags="keep")
    assert not result["changed"]
    assert [zone["digest"] for zone in result["zones"]] == [old] * 2
    assert [zone["reference_digest"] for zone in result["zones"]] == [f"{name}.example/shop/app@{old}" for name in "ab"]


def test_an_image_without_a_tag_is_unchanged_the_second_time(two_zones: Zones, source: str) -> None:
    assert two_zones.push(source, tags=())["changed"]
    assert not two_zones.push(source, tags=(), check=True)["changed"]
    again = two_zones.push(source, tags=())
    assert not again["changed"]
    assert [zone["changed"] for zone in again["zones"]] == [False, False]
    # Nobody can read whether the manifest is still there, so it is put once more.
    assert two_zones["a"].writes()[-1] == f"PUT manifest {again['digest']}"
    assert two_zones.push(source, tags=(), force=True, check=True)["changed"]
    two_zones["b"].blobs.clear()
    changed = two_zones.push(source, tags=())
    assert [zone["changed"] for zone in changed["zones"]] == [False, True]


def test_what_refers_to_the_image_moves_before_the_image(two_zones: Zones, source: str) -> None:
    task = two_zones.task(source)
    upload = task.uploads(task.plan())["a"]
    contents = task.image.contents()
    referrer = PlannedTag("sha256-abc.sig", None, False, True, "", contents.manifests[0])
    image = PlannedTag("1.0", None, False, True, "")
    upload.plan = ZonePlan("a", "a.example", "shop/app", (image, referrer))
    session: Any = task.sessions["a"]
    updates = zone_tags(session, upload, task.options, task.image).updates
    assert [update.tag for update in updates] == ["sha256-abc.sig", "1.0"]
    task.close()


def test_a_signal_stops_the_uploads_at_once(two_zones: Zones, source: str, old: str) -> None:
    """It comes to the main thread, which uploads to zone a; zone b is in the middle of a blob."""
    stopped = threading.Event()
    two_zones["a"].before["PUT blob"] = raising(StoppedError("SIGTERM"))
    two_zones["b"].before["PUT blob"] = waiting_for(stopped)
    two_zones["b"].http.abort = stopped.set  # type: ignore[method-assign]
    error = two_zones.refused(source, jobs=1)
    assert "stopped by SIGTERM; its tags are as they were" in str(error)
    assert named(two_zones) == [{"1.0": old}] * 2
    assert not any("manifest" in line for line in two_zones["b"].writes())
    assert [zone["failed"] for zone in error.result["zones"]] == [True, True]
    assert two_zones["a"].http.aborted


def test_a_signal_among_the_tags_puts_them_back(two_zones: Zones, source: str, old: str) -> None:
    two_zones["b"].before["PUT tag"] = raising(StoppedError("SIGINT"))
    error = two_zones.refused(source)
    assert named(two_zones) == [{"1.0": old}] * 2
    zones = error.result["zones"]
    assert [(zone["changed"], zone["rolled_back"]) for zone in zones] == [(False, True), (False, False)]
    assert "stopped by SIGINT; its tags were put back" in zones[0]["error"]
    assert "stopped by SIGINT; its tags are as they were" in zones[1]["error"]


def test_a_signal_after_the_last_tag_is_too_late(
    two_zones: Zones, source: str, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def move_and_stop(*zones: Any) -> None:
        move_tags(*zones)
        raise StoppedError("SIGTERM")

    monkeypatch.setattr(zone_uploads, "move_tags", move_and_stop)
    result = two_zones.push(source)
    assert named(two_zones) == [{"1.0": result["digest"]}] * 2
    assert [(zone["changed"], zone["failed"]) for zone in result["zones"]] == [(True, False)] * 2


def test_a_request_that_moves_a_tag_is_not_cut(two_zones: Zones, source: str) -> None:
    task = two_zones.task(source)
    uploads = task.uploads(task.plan())
    uploads["a"].moving = True
    for name in ("a", "b"):
        uploads[name].cancel("stopped", abort=True)
    assert (two_zones["a"].http.aborted, two_zones["b"].http.aborted) == (False, True)
    task.close()


def test_a_refused_credential_at_the_tag_is_not_told_as_a_move(two_zones: Zones, source: str, old: str) -> None:
    two_zones["b"].before["PUT tag"] = raising(UnauthorizedError("the token was revoked"))
    error = two_zones.refused(source)
    assert "could not be put back" not in str(error)
    assert named(two_zones) == [{"1.0": old}] * 2
    assert not error.result["changed"]


def test_a_source_that_fails_comes_with_all_zones(two_zones: Zones, tmp_path: Path) -> None:
    error = two_zones.refused(f"oci:{tmp_path / 'missing'}")
    assert "does not exist" in str(error)
    assert not str(error).startswith("zone")
    assert [(zone["zone"], zone["failed"]) for zone in error.result["zones"]] == [("a", True), ("b", True)]


@pytest.mark.parametrize("atomic", [True, False])
def test_an_altered_layer_of_the_source_moves_no_tag(
    two_zones: Zones, source: str, old: str, tmp_path: Path, atomic: bool
) -> None:
    layer = max((tmp_path / "app/blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    layer.write_bytes(b"x" + layer.read_bytes()[1:])
    with pytest.raises(AppuioError) as caught:
        two_zones.push(source, atomic=atomic)
    words = f"the blob sha256:{layer.name} of {source} is altered"
    errors = [zone["error"] for zone in caught.value.result["zones"]]
    assert any(words in error for error in errors) if atomic else all(words in error for error in errors)
    assert named(two_zones) == [{"1.0": old}] * 2
    assert [sum(layer.name in line for line in two_zones[name].writes()) for name in "ab"] in ([1, 1], [0, 1], [1, 0])


def test_another_digest_than_expected_is_not_pushed(two_zones: Zones, source: str) -> None:
    error = two_zones.refused(source, expected_digest="sha256:" + "0" * 64)
    assert "not sha256:000" in str(error)
    assert two_zones["a"].log == two_zones["b"].log == []


class Api:
    """An API: its objects by plural, and whether tags may be removed."""

    def __init__(self, may_remove: bool = True, **objects: Any) -> None:
        self.objects, self.may_remove = objects, may_remove

    def items(self, resource: Any, _namespace: str, **_how: Any) -> Any:
        return iter(self.objects.get(resource.plural, ()))

    def create(self, _resource: Any, _namespace: str, _body: Any, **_how: Any) -> Any:
        return {"status": {"allowed": self.may_remove}}


def test_a_right_that_a_rollback_needs_is_told_before_the_push(two_zones: Zones, source: str) -> None:
    two_zones.sessions["a"].answers = Api(may_remove=False)
    two_zones.sessions["b"].answers = Api()
    result = two_zones.push(source, check=True)
    assert len(result["warnings"]) == 1
    assert "zone a: the credential may not remove tags" in result["warnings"][0]
    assert "warnings" not in two_zones.push(source, check=True, atomic=False)
    assert two_zones["a"].writes() == []


def test_without_the_library_the_quota_is_left_out_with_a_sentence(
    two_zones: Zones, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "missing_library", lambda: "kubernetes")
    for session in two_zones.sessions.sessions:
        session.api_unavailable = "the Python package kubernetes is not installed where this runs"
    result = two_zones.push(source)
    assert "zone a: the quota was not checked: the Python package kubernetes" in result["warnings"][0]
    assert named(two_zones) == [{"1.0": result["digest"]}] * 2
    assert "warnings" not in two_zones.push(source, tags=["2.0"], check_quota="ignore")


def test_a_limit_that_refused_a_tag_is_named(two_zones: Zones, source: str) -> None:
    limit = {
        "metadata": {"name": "images"},
        "spec": {"limits": [{"type": "openshift.io/Image", "max": {"storage": "1Ki"}}, {"type": "Pod"}]},
    }
    two_zones.sessions["b"].answers = Api(limitranges=[limit])
    two_zones["b"].before["PUT tag"] = raising(ForbiddenError("b.example refuses this", hint="one of many causes"))
    error = two_zones.refused(source)
    assert "the LimitRange images allows images of 1Ki (1024 bytes), and this one has" in str(error)
    assert "one of many causes" not in str(error)
