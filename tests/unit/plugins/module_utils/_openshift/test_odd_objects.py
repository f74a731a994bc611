# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of any shape: what is odd is left aside and told, and never ends in an untyped error."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import AppuioError, ServerError
from ansible_collections.appuio.registry.plugins.module_utils._info.result import (
    InfoPlan,
    RepositoryInfo,
    TagInfo,
    ZoneInfo,
)
from ansible_collections.appuio.registry.plugins.module_utils._openshift import resources
from ansible_collections.appuio.registry.plugins.module_utils._openshift.documents import every_item
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_streams import (
    get_stream,
    list_streams,
    parse_stream,
)
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_usage import Usage, parse_children
from ansible_collections.appuio.registry.plugins.module_utils._openshift.quota import allowances_of, lacking
from ansible_collections.appuio.registry.plugins.module_utils._prune.history import without
from ansible_collections.appuio.registry.plugins.module_utils._prune.options import SPEC, parse_options
from ansible_collections.appuio.registry.plugins.module_utils._prune.plan import decide
from hypothesis import given
from hypothesis import strategies as some

from tests.unit.plugins.module_utils.scripted_api import answer, scripted_api

NOW = datetime(2026, 6, 1, tzinfo=UTC)
A = f"sha256:{'a' * 64}"
ITEM = {"image": A, "created": "2026-01-01T00:00:00Z", "dockerImageReference": f"reg/shop/app@{A}", "generation": 1}
STREAM: dict[str, Any] = {
    "kind": "ImageStream",
    "metadata": {"name": "app", "namespace": "shop", "uid": "u", "resourceVersion": "1", "creationTimestamp": "x"},
    "spec": {
        "lookupPolicy": {"local": False},
        "tags": [
            {"name": "b-1", "from": {"kind": "ImageStreamTag", "name": "app:b-2"}, "importPolicy": {"scheduled": True}},
            {"name": "b-4", "from": {"kind": "DockerImage", "name": "quay.io/a/b"}, "reference": True},
        ],
    },
    "status": {
        "dockerImageRepository": "reg/shop/app",
        "tags": [{"tag": name, "items": [ITEM, ITEM], "conditions": [{"type": "x"}]} for name in ("b-1", "b-2", "b-3")],
    },
}
WORKLOAD: dict[str, Any] = {
    "metadata": {"name": "web", "namespace": "shop", "annotations": {"image.openshift.io/triggers": "[{}]"}},
    "spec": {
        "containers": [{"image": f"app@{A}"}, {"image": "app:b-1"}],
        "volumes": [{"image": {"reference": "app:b-2"}}],
        "triggers": [{"imageChangeParams": {"from": {"kind": "ImageStreamTag", "name": "app:b-1"}}}],
    },
    "status": {"containerStatuses": [{"imageID": f"x@{A}"}]},
}
QUOTA = {"metadata": {"name": "q"}, "status": {"hard": {"secrets": "1k"}, "used": {"secrets": "2"}}}
LAYERS = {"images": {A: {"layers": [], "manifests": [A]}}, "blobs": {}}
ODD = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text() | some.just("9" * 5000)
    | some.sampled_from(["../../x", A, "2026-99-99T00:00:00Z", "app:b-1", "-1", "NaN"]),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(
        some.sampled_from(["image", "name", "tag", "kind", "from", "items", "reference"]), inner, max_size=3
    ),
    max_leaves=6,
)  # fmt: skip


@some.composite
def altered(draw: Any, whole: dict[str, Any]) -> Any:
    """A document in which one to three values, wherever they are, are replaced by anything."""
    document: Any = copy.deepcopy(whole)
    for _change in range(draw(some.integers(1, 3))):
        place: Any = {"": document}
        key: Any = ""
        while isinstance(place[key], (dict, list)) and place[key] and draw(some.integers(0, 9)):
            place = place[key]
            key = draw(some.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        place[key] = draw(ODD)
        if key == "":
            return place[key]
    return document


@given(altered(STREAM), altered(WORKLOAD), altered(LAYERS))
def test_a_prune_is_planned_whatever_the_objects_are(stream: Any, workload: Any, layers: Any) -> None:
    usage = Usage()
    usage.learn(workload, "Pod")
    usage.learn_stream(stream)
    if isinstance(stream, dict):
        found = parse_stream(stream)
        options = parse_options({**{name: rule.get("default") for name, rule in SPEC.options.items()}, "keep": 0})
        children = parse_children(layers if isinstance(layers, dict) else {})
        assert {one.tag for one in decide(found, options, usage, NOW, children)} == set(found.tags)
        assert all("/" not in tag for tag in found.tags)
        events = {name: tag.history for name, tag in found.tags.items()}
        without(stream, events)


@given(altered(STREAM))
def test_images_are_shown_whatever_the_streams_are(stream: Any) -> None:
    if isinstance(stream, dict):
        found = parse_stream(stream)
        repository = RepositoryInfo(found.name, tuple(map(TagInfo.of_stream, found.tags.values())), found.created)
        InfoPlan((ZoneInfo("one", "r", "shop", "api", (repository,)),), several=True).predict()


@given(altered(QUOTA))
def test_a_quota_is_read_whatever_it_says(quota: Any) -> None:
    if isinstance(quota, dict):
        assert all(isinstance(sentence, str) for sentence in lacking(allowances_of(quota), {"secrets": 1001}))


def test_a_name_that_is_a_path_gets_into_no_path() -> None:
    tags = [{"tag": "../../kube-system/imagestreams/x", "items": [ITEM]}, {"tag": "b-1", "items": [ITEM]}]
    odd = {"metadata": {"name": "../../../kube-system"}, "status": {"tags": tags}}
    found = parse_stream({**STREAM, "spec": {"tags": [{"name": 5}]}, "status": {"tags": tags}})
    assert list(found.tags) == ["b-1"]
    assert len(found.skipped) == 2
    assert "'../../kube-system/imagestreams/x'" in " ".join(found.skipped)
    skipped: list[str] = []
    api, _script = scripted_api(("GET", answer(200, {"items": [odd, STREAM]})))
    assert [one.name for one in list_streams(api, "shop", skipped=skipped)] == ["app"]
    assert skipped == ["an ImageStream has the name '../../../kube-system', which is none"]


def test_an_answer_that_is_no_stream_is_not_taken_for_an_empty_one() -> None:
    documents: list[dict[str, Any]] = [{}, {**STREAM, "metadata": {"name": "other"}}, {"items": []}]
    for document in documents:
        api, _script = scripted_api(("GET", answer(200, document)))
        with pytest.raises(ServerError, match="something else than the ImageStream app"):
            get_stream(api, "shop", "app")


def listed(document: dict[str, Any]) -> list[dict[str, Any]]:
    return list(every_item(lambda _token: document, resources.POD, "read the pods"))


NO_LISTS: list[dict[str, Any]] = [
    {},
    {"message": "welcome"},
    {"items": []},
    {"items": {}},
    {"items": "x"},
    {"items": None},
    {"items": [{"metadata": {"name": "p"}}]},
    {"kind": "ImageStreamList", "items": []},
    {"kind": "List", "items": []},
    {"kind": "PodList"},
    {"kind": "PodList", "items": None},
    {"kind": "PodList", "metadata": {"resourceVersion": ""}, "items": None},
    {"kind": "PodList", "items": {"a": 1}},
    {"kind": "PodList", "items": [None]},
    {"kind": "PodList", "items": [{"metadata": {}}, 3]},
    {"kind": "PodList", "items": [{"kind": "Secret", "metadata": {"name": "p"}}]},
    {"kind": "PodList", "items": [{"metadata": {"name": "p"}}, {"kind": 4}]},
]


@pytest.mark.parametrize("document", NO_LISTS)
def test_an_answer_that_is_no_list_is_not_taken_for_an_empty_one(document: dict[str, Any]) -> None:
    with pytest.raises(AppuioError, match="something else than the list of pods"):
        listed(document)


def test_a_list_without_objects_is_empty() -> None:
    assert listed({"kind": "PodList", "items": []}) == []
    assert listed({"kind": "PodList", "metadata": {"resourceVersion": "7"}, "items": None}) == []
    one = {"kind": "Pod", "metadata": {"name": "p"}}
    assert listed({"kind": "PodList", "items": [one, "odd", {"metadata": {"name": "q"}}]})[0] == one
