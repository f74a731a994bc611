# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ImageStreams as the API gives them, page by page."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import NotFound
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_streams import (
    delete_tag,
    get_stream,
    list_streams,
    parse_stream,
)
from ansible_collections.appuio.registry.plugins.module_utils._openshift.json_api import JsonApi

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
STREAM: dict[str, Any] = {
    "metadata": {"name": "app", "namespace": "shop", "creationTimestamp": "2026-01-02T03:04:05Z"},
    "spec": {
        "tags": [
            {"name": "prod", "from": {"kind": "ImageStreamTag", "name": "app:1.0"}},
            {"name": "old", "from": {"kind": "ImageStreamImage", "name": f"app@{A}"}},
            {"name": "base", "from": {"kind": "DockerImage", "name": "x.io/x"}, "importPolicy": {"scheduled": True}},
        ]
    },
    "status": {
        "publicDockerImageRepository": "registry.example/shop/app",
        "tags": [
            {
                "tag": "1.0",
                "items": [
                    {"created": "2026-01-03T00:00:00Z", "image": B, "dockerImageReference": "in/app", "generation": 2},
                    {"created": "2026-01-02T00:00:00Z", "image": A, "generation": 1},
                ],
            }
        ],
    },
}


class Api(JsonApi):
    """Answers in their order, and what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), []  # type: ignore[var-annotated]

    def get(self, path: str, step: str) -> dict[str, Any]:
        return self._next("GET", path)

    def delete(self, path: str, step: str) -> dict[str, Any]:
        return self._next("DELETE", path)

    def _next(self, method: str, path: str) -> dict[str, Any]:
        self.asked.append(f"{method} {path}")
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


def test_tags_with_their_history_and_what_they_follow() -> None:
    stream = parse_stream(STREAM)
    assert (stream.name, stream.namespace, stream.public_repository) == ("app", "shop", "registry.example/shop/app")
    assert list(stream.tags) == ["1.0", "base", "old", "prod"]
    pushed = stream.tags["1.0"]
    assert [event.digest for event in pushed.history] == [B, A]
    assert (pushed.digest, pushed.history[0].created.day, pushed.history[0].generation) == (B, 3, 2)
    assert pushed.follows is None
    assert (stream.tags["prod"].follows, stream.tags["prod"].digest) == ("app:1.0", None)
    assert stream.tags["old"].follows is None
    assert stream.tags["base"].follows == "x.io/x"


@pytest.mark.parametrize("document", [{}, {"status": {"tags": None}}, {"spec": {"tags": None}, "metadata": None}])
def test_what_is_missing_is_empty(document: dict[str, Any]) -> None:
    assert parse_stream(document).tags == {}


def test_a_long_list_comes_page_by_page() -> None:
    first = {"items": [STREAM], "metadata": {"continue": "a/b="}}
    api = Api(first, {"items": [STREAM]})
    assert [stream.name for stream in list_streams(api, "shop")] == ["app", "app"]
    path = "GET /apis/image.openshift.io/v1/namespaces/shop/imagestreams?limit=100"
    assert api.asked == [path, f"{path}&continue=a/b%3D"]


def test_one_stream_or_none() -> None:
    found = get_stream(Api(STREAM), "shop", "app")
    assert found is not None
    assert found.name == "app"
    assert get_stream(Api(NotFound("no")), "shop", "app") is None


def test_a_tag_is_removed_once() -> None:
    api = Api({}, NotFound("no"))
    assert delete_tag(api, "shop", "app", "1.0") is True
    assert delete_tag(api, "shop", "app", "1.0") is False
    assert api.asked[0] == "DELETE /apis/image.openshift.io/v1/namespaces/shop/imagestreamtags/app%3A1.0"
