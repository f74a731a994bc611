# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ImageStreams as the API writes them: tags, histories, what they follow; lists in chunks; removal of a tag."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import ForbiddenError, ServerError
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_streams import (
    NEVER,
    delete_tag,
    get_stream,
    list_streams,
    moment,
    parse_stream,
)

from tests.unit.plugins.module_utils.scripted_api import ScriptedApi, answer, refusal

STREAMS = "/apis/image.openshift.io/v1/namespaces/shop/imagestreams"
TAGS = "/apis/image.openshift.io/v1/namespaces/shop/imagestreamtags"
OLD, NEW = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
INTERNAL = "image-registry.openshift-image-registry.svc:5000/shop/app"


def item(digest: str, created: str = "2026-11-23T08:10:28Z", generation: int = 1) -> dict[str, Any]:
    return {
        "created": created,
        "dockerImageReference": f"{INTERNAL}@{digest}",
        "generation": generation,
        "image": digest,
    }


def stream(name: str = "app", tags: Any = None, spec: Any = None) -> dict[str, Any]:
    return {
        "metadata": {
            "creationTimestamp": "2026-11-23T08:10:28Z",
            "name": name,
            "namespace": "shop",
            "resourceVersion": "2430",
        },
        "spec": {"lookupPolicy": {"local": False}, **({"tags": spec} if spec else {})},
        "status": {
            "dockerImageRepository": INTERNAL,
            "publicDockerImageRepository": "registry.example.com/shop/app",
            **({"tags": tags} if tags else {}),
        },
    }


def page(*names: str, more: str = "") -> Any:
    return answer(200, {"metadata": {"continue": more} if more else {}, "items": [stream(name) for name in names]})


def test_a_tag_tells_what_it_names_and_named() -> None:
    items = [item(NEW, "2026-11-23T08:10:30Z", 2), item(OLD)]
    found = parse_stream(stream(tags=[{"tag": "prod", "items": items}]))

    prod = found.tags["prod"]
    assert [event.digest for event in prod.history] == [NEW, OLD]
    assert prod.digest == NEW
    assert prod.current is prod.history[0]
    assert prod.current is not None
    assert prod.current.created == datetime(2026, 11, 23, 8, 10, 30, tzinfo=UTC)
    assert prod.current.reference == f"{INTERNAL}@{NEW}"
    assert prod.current.generation == 2
    assert (prod.spec, prod.follows, prod.conditions) == (None, None, ())
    assert (found.name, found.namespace, found.resource_version) == ("app", "shop", "2430")
    assert found.public_repository == "registry.example.com/shop/app"


def test_a_stream_without_tags_has_none() -> None:
    for document in (stream(), {"metadata": {"name": "app"}, "spec": {"tags": None}, "status": {"tags": None}}):
        assert parse_stream(document).tags == {}


def test_a_tag_that_was_never_imported_names_nothing() -> None:
    failed = {"type": "ImportSuccess", "status": "False", "message": "not found"}
    spec = [{"name": "ext", "from": {"kind": "DockerImage", "name": "quay.example.com/a/b:1"}}, {"name": "ref"}]
    found = parse_stream(stream(tags=[{"tag": "ext", "items": None, "conditions": [failed]}], spec=spec))

    assert found.tags["ext"].digest is None
    assert found.tags["ext"].current is None
    assert found.tags["ext"].conditions == (failed,)
    assert found.tags["ref"].history == ()
    assert list(found.tags) == ["ext", "ref"]


@pytest.mark.parametrize(
    ("source", "scheduled", "follows"),
    [
        ({"kind": "DockerImage", "name": "quay.example.com/a/b:1"}, True, "quay.example.com/a/b:1"),
        ({"kind": "DockerImage", "name": "quay.example.com/a/b:1"}, False, None),
        ({"kind": "ImageStreamTag", "name": "app:next"}, False, "app:next"),
        ({"kind": "ImageStreamImage", "name": f"app@{OLD}"}, True, None),
        (None, False, None),
    ],
)
def test_what_a_tag_follows(source: Any, scheduled: bool, follows: str | None) -> None:
    spec = {"name": "1", "from": source, "importPolicy": {"scheduled": scheduled}}
    found = parse_stream(stream(tags=[{"tag": "1", "items": [item(OLD)]}], spec=[spec]))
    assert found.tags["1"].follows == follows
    named = source and source["kind"] != "ImageStreamImage"
    assert found.tags["1"].named_source == (source["name"] if named else None)


@pytest.mark.parametrize(
    ("text", "year"),
    [("2026-11-23T08:10:28Z", 2026), ("2025-01-01T00:00:00.123456789Z", 2025), (None, None), ("yesterday", None)],
)
def test_times(text: Any, year: int | None) -> None:
    found = moment(text)
    assert (found.year if found != NEVER else None) == year


def test_a_long_list_is_read_in_pages() -> None:
    http = ScriptedApi(
        (f"GET {STREAMS}?limit=2", page("b", "c", more="next/1")),
        (f"GET {STREAMS}?limit=2&continue=next/1", page("a")),
    )
    assert [one.name for one in list_streams(http.api, "shop", 2)] == ["b", "c", "a"]
    assert http.lines == []


def test_a_list_that_expires_is_begun_again_once() -> None:
    gone = refusal(410, "The provided continue parameter is too old")
    begun = (f"GET {STREAMS}?limit=2", page("a", "b", more="x"))
    expired = (f"GET {STREAMS}?limit=2&continue=x", gone)
    http = ScriptedApi(begun, expired, begun, (f"GET {STREAMS}?limit=2&continue=x", page("c")))
    assert [one.name for one in list_streams(http.api, "shop", 2)] == ["a", "b", "c"]

    with pytest.raises(ServerError):
        list(list_streams(ScriptedApi(begun, expired, begun, expired).api, "shop", 2))


def test_what_is_not_there_is_none() -> None:
    http = ScriptedApi((f"GET {STREAMS}/app", refusal(404, "not found")))
    assert get_stream(http.api, "shop", "app") is None


def test_one_stream_is_read_and_a_refusal_is_told() -> None:
    assert get_stream(ScriptedApi((f"GET {STREAMS}/app", answer(200, stream()))).api, "shop", "app")
    with pytest.raises(ForbiddenError):
        get_stream(ScriptedApi((f"GET {STREAMS}/app", refusal(403, "no"))).api, "shop", "app")


@pytest.mark.parametrize(("response", "there"), [(answer(200, {}), True), (refusal(404, "not found"), False)])
def test_a_tag_is_removed(response: Any, there: bool) -> None:
    line = (f"DELETE {TAGS}/app%3A1.0_x", response)
    assert delete_tag(ScriptedApi(line).api, "shop", "app", "1.0_x") is there
