# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs of a set in zones in memory: what is asked, what moves, what is noted, and what goes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, ServerError
from ansible_collections.appuio.registry.plugins.module_utils._signals import StoppedError

from tests.image.archive import save_archive
from tests.unit.plugins.module_utils._sync.fake_set import FakeSet, fake_set

__all__ = ["fake_set"]


def test_what_is_no_longer_declared_goes_and_nothing_else(fake_set: FakeSet) -> None:
    fake_set.sync(fake_set.image("x", "app", "1", "2"), fake_set.image("y", "gone", "1"), delete="managed")
    assert fake_set.noted("app") == [{"1": "x", "2": "x"}] * 2
    for registry in fake_set.registries.values():
        registry.put("app", "theirs", "theirs")
    result = fake_set.sync(fake_set.image("x", "app", "1"), delete="managed")
    assert {(one["name"], one["tag"]) for one in result["deleted"]} == {("app", "2"), ("gone", "1")}
    assert fake_set.named("app") == [{"1": "x", "theirs": "another"}] * 2
    assert fake_set.noted("app") == [{"1": "x"}] * 2
    assert [one["name"] for one in result["deleted_repositories"]] == ["gone"] * 2
    assert not fake_set.sync(fake_set.image("x", "app", "1"), delete="managed")["changed"]


def test_a_tag_goes_also_where_a_declared_one_points_to_the_same_image(fake_set: FakeSet) -> None:
    fake_set.sync(fake_set.image("x", "app", "1", "latest"), delete="managed")
    fake_set.sync(fake_set.image("x", "app", "1"), delete="managed")
    assert fake_set.named("app") == [{"1": "x"}] * 2


ONCE_MORE = "What is no longer declared goes at the end of this run, and makes room: run it once more"
WITHOUT_NEW = "run it once without the new entries, and then with them"


@pytest.mark.parametrize(
    ("options", "hint"),
    [({}, ONCE_MORE), ({"keep_going": False}, WITHOUT_NEW), ({"atomic": "set"}, WITHOUT_NEW)],
    ids=["as it is", "keep_going", "set"],
)
def test_what_goes_makes_room_in_the_quota_for_the_next_run(
    fake_set: FakeSet, options: dict[str, Any], hint: str
) -> None:
    stays, new = fake_set.image("x", "stays", "1"), fake_set.image("z", "new", "1")
    managing = {"delete": "managed", "check_quota": "fail", **options}
    fake_set.sync(stays, fake_set.image("y", "gone", "1"), **managing)
    fake_set.apis["b"].quota = {"openshift.io/imagestreams": 2}
    warned = fake_set.sync(stays, new, check=True, **{**managing, "check_quota": "warn"})["warnings"]
    assert len(warned) == 1
    assert warned[0].startswith(
        "zone b: for all images of the set in shop, the quota images leaves 0 of 2 imagestreams"
    )
    # With a warning alone, the registry decides, and what else there is to do is done.
    assert warned[0].endswith(WITHOUT_NEW if options == {"keep_going": False} else ONCE_MORE)
    error = fake_set.refused(stays, new, **managing)
    assert hint in str(error)
    deleted = [(one["zone"], one["name"]) for one in error.result["deleted"]]
    assert deleted == ([("a", "gone"), ("b", "gone")] if hint == ONCE_MORE else [])
    assert fake_set.named("new") == [{}, {}]
    if hint == WITHOUT_NEW:
        assert len(fake_set.sync(stays, **managing)["deleted"]) == 2
    assert fake_set.sync(stays, new, **managing)["changed"]
    assert fake_set.named("new") == [{"1": "z"}] * 2


def test_where_the_quota_would_not_be_enough_either_nobody_promises_it(fake_set: FakeSet) -> None:
    stays = fake_set.image("x", "stays", "1")
    fake_set.sync(stays, fake_set.image("y", "gone", "1"), delete="managed")
    fake_set.apis["b"].quota = {"openshift.io/imagestreams": 2}
    more = [fake_set.image("z", name, "1") for name in ("new", "other")]
    error = fake_set.refused(stays, *more, delete="managed", check_quota="fail")
    assert "leaves 0 of 2 imagestreams, and 2 are needed" in str(error)
    assert "Remove tags that nobody needs, or ask for a larger quota" in str(error)
    # What an image that fails has in its own repository stays, and makes no room.
    fake_set.sync(stays, fake_set.image("y", "new", "old"), delete="managed")
    fake_set.apis["b"].quota = {"openshift.io/imagestreams": 2, "openshift.io/imagestreamtags": 2}
    error = fake_set.refused(stays, fake_set.image("z", "new", "1"), delete="managed", check_quota="fail")
    assert "Remove tags that nobody needs" in str(error)
    assert error.result["deleted"] == []


def raising(*_any: Any) -> None:
    raise ServerError("refused", status=500)


@pytest.mark.parametrize("archive", [False, True], ids=["known digest", "archive"])
def test_tags_of_a_whole_set_are_noted_when_they_have_moved(fake_set: FakeSet, archive: bool) -> None:
    """The digest of an archive is only known when its layers are compressed."""
    image = fake_set.image("x", "app", "1")
    if archive:
        save_archive(fake_set.folder / "x.tar", fake_set.folder / "saved")
        image["source"] = f"docker-archive:{fake_set.folder / 'x.tar'}"
    digest = fake_set.sync(image, atomic="set", delete="managed")["images"][0]["digest"]
    assert [api.noted("app") for api in fake_set.apis.values()] == [{"1": digest}] * 2


@pytest.mark.parametrize("atomic", ["image", "set"])
def test_what_did_not_move_is_noted_as_before(fake_set: FakeSet, atomic: str) -> None:
    managing = {"atomic": atomic, "delete": "managed"}
    fake_set.sync(fake_set.image("x", "app", "1"), **managing)
    images = [fake_set.image("y", "app", "1", "2"), fake_set.image("z", "web", "1")]
    fake_set.registries["b"].before["PUT tag 2"] = raising
    error = fake_set.refused(*images, **managing)
    assert [image["changed"] for image in error.result["images"]] == [False, atomic == "image"]
    assert fake_set.named("app") == [{"1": "x"}] * 2
    assert fake_set.noted("app") == [{"1": "x"}] * 2
    assert fake_set.noted("web") == [{"1": "z"} if atomic == "image" else {}] * 2
    fake_set.registries["b"].before.clear()
    fake_set.sync(*images, **managing)
    assert fake_set.noted("app") == [{"1": "y", "2": "y"}] * 2
    assert not fake_set.sync(*images, **managing)["changed"]


def test_a_signal_while_a_set_moves_takes_tags_and_notes_back(fake_set: FakeSet) -> None:
    managing = {"atomic": "set", "delete": "managed"}
    rest = fake_set.image("r", "rest", "1")
    fake_set.sync(rest, fake_set.image("x", "app", "1"), **managing)
    tags_put = []

    def stop() -> None:
        tags_put.append("b")
        fake_set.registries["b"].before.clear()
        raise StoppedError("SIGTERM")

    fake_set.registries["b"].before["PUT tag 1"] = stop
    error = fake_set.refused(rest, fake_set.image("y", "app", "1"), **managing)
    assert tags_put
    assert "stopped by SIGTERM; its tags were put back" in str(error)
    assert fake_set.named("app") == fake_set.noted("app") == [{"1": "x"}] * 2
    # Its own tag is still known as its own.
    assert len(fake_set.sync(rest, **managing)["deleted"]) == 2


def test_a_note_that_cannot_be_written_is_no_reason_to_hide_what_has_moved(fake_set: FakeSet) -> None:
    save_archive(fake_set.folder / "x.tar", fake_set.folder / "saved")
    image = {"source": f"docker-archive:{fake_set.folder / 'x.tar'}", "name": "app", "tags": ["1"]}
    fake_set.apis["a"].before["MERGE"] = raising
    error = fake_set.refused(image, delete="managed")
    assert error.result["images"][0]["changed"]
    assert error.result["images"][0]["failed"]
    assert "refused" in str(error)


@pytest.mark.parametrize("number", [0, 1])
def test_of_two_runs_that_note_the_same_tag_the_one_that_moves_it_keeps_its_note(
    fake_set: FakeSet, number: int
) -> None:
    """The other one notes and moves the tag before or after the note of this one, which stops at the tag then."""
    managing = {"atomic": "set", "delete": "managed"}
    fake_set.sync(fake_set.image("x", "app", "1"), **managing)
    task = fake_set.task(fake_set.image("y", "app", "1"), **managing)
    plan = task.plan()
    other = fake_set.image("z", "app", "1")
    api = fake_set.apis["b"]

    def first() -> None:
        hooks.clear()
        fake_set.sync(other, **managing)

    hooks = api.before if number == 0 else fake_set.registries["b"].before
    hooks["GET ImageStream app" if number == 0 else "PUT blob"] = first
    with pytest.raises(AppuioError, match="was moved meanwhile"):
        task.apply(plan)
    task.close()
    assert fake_set.named("app") == fake_set.noted("app") == [{"1": "z"}] * 2
    assert fake_set.sync(other, **managing)["deleted"] == []


def test_what_another_run_has_moved_while_this_one_did_is_told_image_by_image(fake_set: FakeSet) -> None:
    """The first image is overtaken in its first zone after it has moved; the second one has moved all the same."""
    images = [fake_set.image("x", "app", "1"), fake_set.image("y", "web", "2")]
    theirs = fake_set.image("z", "app", "1")
    fake_set.sync(theirs, fake_set.image("old", "web", "2"))
    fake_set.sync(fake_set.image("old", "app", "1"))

    def overtake() -> None:
        fake_set.registries["b"].before.clear()
        own = fake_set.registries["a"].of("shop/app")
        own.tagged["1"] = own.manifests[fake_set.digests["z"]]

    fake_set.registries["b"].before["PUT tag 2"] = overtake
    error = fake_set.refused(*images, atomic="set")
    assert fake_set.named("app") == [{"1": "z"}] * 2
    assert fake_set.named("web") == [{"2": "y"}] * 2
    assert [image["failed"] for image in error.result["images"]] == [True, False]
    assert [image["changed"] for image in error.result["images"]] == [False, True]
    assert "another run moved the tag 1 at the same time" in str(error)


def test_no_tag_of_a_set_moves_where_one_image_does_not_arrive(fake_set: FakeSet) -> None:
    images = [fake_set.image("x", "app", "1"), fake_set.image("y", "web", "1")]
    fake_set.registries["b"].before[f"PUT manifest {fake_set.digests['y']}"] = raising
    error = fake_set.refused(*images, atomic="set")
    assert [image["changed"] for image in error.result["images"]] == [False, False]
    assert "left as it was, as another image of the set failed" in str(error.result["images"][0]["error"])
    assert [fake_set.named("app"), fake_set.named("web")] == [[{}, {}]] * 2


def test_nothing_goes_from_a_repository_whose_image_did_not_arrive(fake_set: FakeSet) -> None:
    fake_set.sync(fake_set.image("x", "app", "1", "latest"), fake_set.image("z", "gone", "1"), delete="managed")
    images = [fake_set.image("y", "app", "1"), fake_set.image("w", "web", "1")]
    fake_set.registries["b"].before["PUT tag 1"] = raising
    error = fake_set.refused(*images, delete="managed", keep_going=False)
    assert error.result["deleted"] == []
    error = fake_set.refused(*images, delete="managed")
    assert {one["name"] for one in error.result["deleted"]} == {"gone"}
    assert fake_set.named("app") == [{"1": "x", "latest": "x"}] * 2
    fake_set.registries["b"].before.clear()
    assert {one["tag"] for one in fake_set.sync(*images, delete="managed")["deleted"]} == {"latest"}


def test_a_repository_of_ours_stays_with_what_others_have_pushed_into_it(fake_set: FakeSet) -> None:
    rest = fake_set.image("r", "rest", "1")
    fake_set.sync(rest, fake_set.image("x", "app", "1"), delete="managed")
    fake_set.registries["a"].put("app", "theirs", "theirs")
    for check in (True, False):
        result = fake_set.sync(rest, check=check, delete="managed")
        assert [(one["zone"], one["name"]) for one in result["deleted_repositories"]] == [("b", "app")]
    assert fake_set.named("app") == [{"theirs": "another"}, {}]


@pytest.mark.parametrize(("count", "jobs", "share"), [(1, 4, 4), (2, 4, 2), (5, 4, 1), (5, 1, 4), (5, 16, 1)])
def test_images_that_are_pushed_at_once_share_the_uploads_of_one(
    fake_set: FakeSet, count: int, jobs: int, share: int
) -> None:
    task = fake_set.task(*(fake_set.image(f"i{number}", f"app-{number}", "1") for number in range(count)), jobs=jobs)
    task.apply(task.plan())
    task.close()
    assert {image.push.options.jobs for image in task.images} == {share}
