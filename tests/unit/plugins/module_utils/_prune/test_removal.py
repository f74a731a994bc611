# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A removal looks again at each tag, several at a time, and nothing that changed meanwhile goes."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.message import Message
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import (
    AppuioError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    ServerError,
)
from ansible_collections.appuio.registry.plugins.module_utils._http.message import Response
from ansible_collections.appuio.registry.plugins.module_utils._openshift import resources
from ansible_collections.appuio.registry.plugins.module_utils._openshift.documents import named
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_streams import parse_stream
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_usage import Usage
from ansible_collections.appuio.registry.plugins.module_utils._prune.options import SPEC, parse_options
from ansible_collections.appuio.registry.plugins.module_utils._prune.plan import RepositoryDecision, decide
from ansible_collections.appuio.registry.plugins.module_utils._prune.removal import AT_ONCE, Removal
from ansible_collections.appuio.registry.plugins.module_utils._prune.report import PrunePlan, ZonePrune
from ansible_collections.appuio.registry.plugins.module_utils._prune.restoration import states_since
from ansible_collections.appuio.registry.plugins.module_utils._prune.task import PruneTask
from ansible_collections.appuio.registry.plugins.module_utils._signals import StoppedError
from ansible_collections.appuio.registry.plugins.module_utils._zones.fanout import ZoneOutcome

from tests.unit.plugins.module_utils.scripted_api import scripted_api

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DEFAULTS = {name: rule.get("default") for name, rule in SPEC.options.items()}


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def item(number: int) -> dict[str, Any]:
    return {"image": digest(number), "created": f"2026-01-01T00:00:{number % 60:02}Z"}


class FakeApi:
    """The ImageStreams of a namespace; ``strict`` where a removal has to name the version, which a cluster may skip."""

    def __init__(self, strict: bool = True, **streams: dict[str, list[int]]) -> None:
        self.lock = threading.RLock()
        self.strict = strict
        self.version = 1
        self.deleted: list[str] = []
        self.before_delete: Callable[[str], None] = lambda _name: None
        self.past: list[tuple[int, Any]] = []
        self.refuses: Callable[[str], None] = lambda _step: None
        self.streams: dict[str, Any] = {}
        for name, tags in streams.items():
            self.streams[name] = {
                "metadata": {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": "1"},
                "status": {"tags": [{"tag": tag, "items": list(map(item, some))} for tag, some in tags.items()]},
            }

    def change(self, name: str, tag: str, numbers: list[int]) -> None:
        with self.lock:
            self.version += 1
            stream = self.streams[name]
            stream["metadata"]["resourceVersion"] = str(self.version)
            others = [one for one in stream["status"]["tags"] if one["tag"] != tag]
            mine = [{"tag": tag, "items": list(map(item, numbers))}] if numbers else []
            stream["status"]["tags"] = [*others, *mine]
            self.past.append((self.version, copy.deepcopy(stream)))

    def answer(
        self, method: str, path: str, step: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> bytes:
        """The changes since a version, as a watch tells them."""
        self.refuses(step)
        given = query or {}
        assert (method, given["watch"], given["timeoutSeconds"]) == ("get", "true", "1")
        name = given["fieldSelector"].partition("=")[2]
        later = [one for at, one in self.past if at > int(given["resourceVersion"]) and one["metadata"]["name"] == name]
        return b"".join(json.dumps({"type": "MODIFIED", "object": one}).encode() + b"\n" for one in later)

    def create(self, resource: Any, namespace: str, body: Any, *, step: str) -> dict[str, Any]:
        self.refuses(step)
        assert resource is resources.IMAGE_STREAM_MAPPING
        self.change(body["metadata"]["name"], body["tag"], [int(body["image"]["metadata"]["name"][7:], 16)])
        return {}

    def tags(self, name: str) -> set[str]:
        return {one["tag"] for one in self.streams[name]["status"]["tags"]}

    def get(self, resource: Any, namespace: str, name: str, *, step: str, subresource: str = "") -> dict[str, Any]:
        with self.lock:
            if name not in self.streams:
                raise NotFoundError("no such stream")
            return named(copy.deepcopy(self.streams[name]), resource, name, step)

    def delete(
        self, resource: Any, namespace: str, name: str, *, step: str, uid: str = "", resource_version: str = ""
    ) -> None:
        self.before_delete(name)
        stream, _colon, tag = name.partition(":")
        with self.lock:
            metadata = self.streams[stream]["metadata"]
            assert uid == metadata["uid"]
            if self.strict and resource_version != metadata["resourceVersion"]:
                raise ConflictError("it has been modified", status=409)
            self.deleted.append(name)
            if resource is resources.IMAGE_STREAM:
                del self.streams[stream]
            else:
                self.change(stream, tag, [])


def removal(api: FakeApi, usage: Usage | None = None, **options: Any) -> ZonePrune:
    """Plan on what there is now, and return the zone; ``run`` carries it out."""
    zone = ZonePrune("lpg", "shop", usage=usage or Usage())
    wanted = parse_options({**DEFAULTS, "keep": 1, "match": ".", "max_delete": 1000, **options})
    streams = [parse_stream(document) for document in api.streams.values()]
    zone.decisions = tuple(one for each in streams for one in decide(each, wanted, zone.usage, NOW))
    return zone


def run(api: FakeApi, zone: ZonePrune) -> dict[str, Any]:
    Removal(zone).run(api)
    return zone.result()


def kept(result: dict[str, Any]) -> dict[str, str]:
    return {one["tag"]: one["reason"] for one in result["kept"]}


@pytest.mark.parametrize("strict", [True, False])
def test_what_is_to_go_goes(strict: bool) -> None:
    api = FakeApi(strict, app={f"b-{number}": [number] for number in range(50)}, web={"b-1": [1], "b-2": [2]})
    result = run(api, removal(api))
    assert (api.tags("app"), api.tags("web")) == ({"b-49"}, {"b-2"})
    assert (len(result["deleted"]), result["changed"], result["error"]) == (50, True, None)


def test_several_are_removed_at_a_time() -> None:
    """Eight removals meet; with fewer at a time they would wait for each other until the barrier breaks."""
    api = FakeApi(False, **{f"app{number}": {"b-1": [1], "b-2": [2]} for number in range(AT_ONCE)})
    barrier = threading.Barrier(AT_ONCE)

    def meet(_name: str) -> None:
        barrier.wait(600)

    api.before_delete = meet
    assert len(run(api, removal(api))["deleted"]) == AT_ONCE


def test_what_was_pushed_since_the_plan_stays() -> None:
    api = FakeApi(app={"b-1": [1], "b-2": [2], "b-3": [3], "b-4": [4]})
    zone = removal(api)
    api.change("app", "b-1", [9, 1])
    api.change("app", "b-2", [])
    result = run(api, zone)
    assert api.deleted == ["app:b-3"]
    assert kept(result) == {
        "b-1": "it was pushed while this ran",
        "b-2": "somebody else has removed it",
        "b-4": "it is one of the 1 newest tags that are no versions",
    }


def test_the_same_image_pushed_again_stays_too() -> None:
    api = FakeApi(app={"b-1": [1], "b-2": [2]})
    zone = removal(api)
    api.streams["app"]["status"]["tags"][0]["items"][0]["created"] = "2026-05-31T00:00:00Z"
    assert kept(run(api, zone))["b-1"] == "it was pushed while this ran"


def test_what_is_pushed_between_the_look_and_the_removal_stays() -> None:
    api = FakeApi(app={"b-1": [1], "b-2": [2]})
    zone = removal(api)

    def push(_name: str) -> None:
        api.before_delete = lambda _name: None
        api.change("app", "b-1", [9, 1])

    api.before_delete = push
    assert kept(run(api, zone))["b-1"] == "it was pushed while this ran"
    assert api.deleted == []


def lossy(push: int = 9) -> FakeApi:
    """An API that looks at no version, with a push to b-1 between the look and the removal."""
    api = FakeApi(False, app={"b-1": [1], "b-2": [2], "b-3": [3]}, other={"b-1": [1], "b-2": [2]})

    def push_first(name: str) -> None:
        if name == "app:b-1":
            api.before_delete = lambda _name: None
            api.change("app", "b-1", [push, 1])

    api.before_delete = push_first
    return api


def test_a_push_that_was_removed_is_put_back() -> None:
    api = lossy()
    result = run(api, removal(api))
    assert (api.tags("app"), api.tags("other")) == ({"b-1", "b-3"}, {"b-2"})
    assert next(one for one in api.streams["app"]["status"]["tags"] if one["tag"] == "b-1")["items"] == [item(9)]
    assert kept(result)["b-1"] == f"{digest(9)} was pushed while it was removed, and was put back"
    assert {(one["name"], one["tag"]) for one in result["deleted"]} == {("app", "b-2"), ("other", "b-1")}
    assert result["error"] is None


def test_a_push_after_the_removal_is_left_as_it_is() -> None:
    api = lossy()
    api.refuses = lambda step: api.change("app", "b-1", [10]) if "meanwhile" in step else None
    run(api, removal(api))
    assert next(one for one in api.streams["app"]["status"]["tags"] if one["tag"] == "b-1")["items"] == [item(10)]


def test_a_push_that_cannot_be_put_back_is_a_failure_and_one_that_cannot_be_seen_a_warning() -> None:
    def refuse(word: str) -> Callable[[str], None]:
        def refused(step: str) -> None:
            if word in step:
                raise ForbiddenError("the API refuses this", step=step)

        return refused

    api = lossy()
    api.refuses = refuse("put back")
    result = run(api, removal(api))
    assert "put back app:b-1: the API refuses this" in result["error"]
    assert f"{digest(9)} was pushed while the tag was removed, and is lost: push it again" in result["error"]
    api = lossy()
    api.refuses = refuse("meanwhile")
    zone = removal(api)
    assert run(api, zone)["error"] is None
    assert "nobody can tell whether a push to app was lost meanwhile" in " ".join(zone.warnings)


def test_changes_that_are_no_longer_told_are_a_typed_error() -> None:
    gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410}}
    for content in (json.dumps(gone).encode(), b"welcome", b"[]"):
        api, script = scripted_api(("GET", Response(200, Message(), content)))
        with pytest.raises(ServerError, match="no longer has the changes"):
            states_since(api, "shop", "app", "7")
        asked = "watch=true&fieldSelector=metadata.name=app&resourceVersion=7&timeoutSeconds=1"
        assert script.requests == [f"GET /apis/image.openshift.io/v1/namespaces/shop/imagestreams?{asked}"]


def test_a_stream_that_keeps_changing_is_left_alone() -> None:
    api = FakeApi(app={"b-1": [1], "b-2": [2]})
    api.before_delete = lambda _name: api.change("app", "b-2", [2])
    result = run(api, removal(api))
    assert kept(result)["b-1"] == "others kept changing its image stream while this ran"
    assert (api.deleted, result["failed"]) == ([], False)


def test_a_tag_stays_that_holds_what_another_tag_no_longer_does() -> None:
    api = FakeApi(app={"b-1": [1, 7], "b-2": [2], "b-3": [3, 7]})
    zone = removal(api, Usage(digests={digest(7): "Pod"}))
    assert [one.tag for one in zone.going] == ["b-1", "b-2"]
    api.change("app", "b-3", [3])
    assert kept(run(api, zone))["b-1"] == "it holds an image in use that another tag held until now"
    assert api.deleted == ["app:b-2"]


def test_a_tag_that_follows_another_meanwhile_stays() -> None:
    api = FakeApi(app={"b-1": [1], "b-2": [2]})
    zone = removal(api)
    api.streams["app"]["spec"] = {"tags": [{"name": "b-1", "from": {"kind": "ImageStreamTag", "name": "app:b-2"}}]}
    assert kept(run(api, zone))["b-1"] == "it follows another image now"


def test_the_first_failure_ends_it_and_is_told() -> None:
    api = FakeApi(False, app={f"b-{number}": [number] for number in range(30)})
    done: list[str] = []

    def refuse(name: str) -> None:
        with api.lock:
            done.append(name)
            if len(done) > 3:
                raise ForbiddenError("the API refuses this")

    api.before_delete = refuse
    result = run(api, removal(api))
    assert (result["failed"], result["error"]) == (True, "zone lpg: the API refuses this")
    assert len(result["deleted"]) == len(api.deleted) == 3
    assert len(done) < 3 + AT_ONCE + 1
    assert set(kept(result).values()) <= {
        "it could not be removed",
        "it was to go, but the prune failed before",
        "it is one of the 1 newest tags that are no versions",
    }


def test_empty_repositories_go_only_if_nobody_has_pushed() -> None:
    api = FakeApi(empty={}, pushed={}, raced={}, gone={})
    zone = ZonePrune("lpg", "shop", repositories=tuple(RepositoryDecision(name, True, "x") for name in api.streams))
    api.change("pushed", "1", [1])
    del api.streams["gone"]

    def push(name: str) -> None:
        if name == "raced":
            api.change("raced", "1", [1])

    api.before_delete = push
    result = run(api, zone)
    assert api.deleted == ["empty"]
    assert [one["name"] for one in result["deleted_repositories"]] == ["empty"]
    assert {one["name"]: one["reason"] for one in result["kept_repositories"]} == {
        "pushed": "it has a tag now",
        "raced": "it was changed while this ran",
        "gone": "somebody else has removed it",
    }


def test_an_answer_that_is_no_stream_removes_nothing() -> None:
    api = FakeApi(app={"b-1": [1], "b-2": [2]})
    zone = removal(api)
    api.streams["app"] = {"welcome": "page"}
    result = run(api, zone)
    assert isinstance(zone.error, ServerError)
    assert (result["deleted"], api.deleted) == ([], [])


def test_a_signal_ends_it_and_the_result_says_what_is_gone() -> None:
    api = FakeApi(False, app={f"b-{number}": [number] for number in range(100)}, empty={})
    zone = removal(api)
    zone.repositories = (RepositoryDecision("empty", True, "it has no tags"),)
    session = SimpleNamespace(name="lpg", api=lambda: api)
    sessions = SimpleNamespace(each=lambda work: [ZoneOutcome("lpg", work(session))], sessions=[session])

    def stop(_name: str) -> None:
        with api.lock:
            if len(api.deleted) >= 5:
                raise StoppedError("SIGTERM")

    api.before_delete = stop
    task = PruneTask(parse_options({**DEFAULTS, "keep": 1}), sessions)
    with pytest.raises(AppuioError, match="zone lpg: stopped by SIGTERM") as caught:
        task.apply(PrunePlan([zone]))
    (result,) = caught.value.result["zones"]
    assert {f"app:{one['tag']}" for one in result["deleted"]} == set(api.deleted)
    assert len(api.deleted) < 5 + AT_ONCE
    assert len(api.tags("app")) == 100 - len(api.deleted)
    assert result["deleted_repositories"] == []


def test_one_sentence_names_every_zone_that_failed() -> None:
    zones = [ZonePrune(name, "shop", error=AppuioError("down", zone=name)) for name in ("one", "two")]
    with pytest.raises(AppuioError, match=r"2 of 3 zones failed: zone one: down \| zone two: down") as caught:
        PrunePlan([*zones, ZonePrune("three", "shop")]).result()
    assert [zone["failed"] for zone in caught.value.result["zones"]] == [True, True, False]
