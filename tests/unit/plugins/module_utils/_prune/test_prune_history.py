# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes from the history of the tags that stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._errors import InvalidOptionError, ServerError
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_streams import ImageStream, parse_stream
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_usage import Usage
from ansible_collections.appuio.registry.plugins.module_utils._prune.history import (
    HistoryTrim,
    history_trims,
    trim_history,
    without,
)
from ansible_collections.appuio.registry.plugins.module_utils._prune.options import SPEC, PruneOptions, parse_options
from ansible_collections.appuio.registry.plugins.module_utils._prune.plan import decide

from tests.unit.plugins.module_utils.scripted_api import ScriptedApi, answer, refusal

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DEFAULTS = {name: rule.get("default") for name, rule in SPEC.options.items()}


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def document(version: str = "1", **tags: list[int]) -> dict[str, Any]:
    """A stream whose tags have named these images, newest first, each as many days ago as its number."""
    status = [
        {
            "tag": name,
            "items": [
                {"image": digest(number), "created": f"{NOW - timedelta(days=number):%Y-%m-%dT%H:%M:%SZ}"}
                for number in numbers
            ],
        }
        for name, numbers in tags.items()
    ]
    metadata = {"name": "app", "namespace": "shop", "resourceVersion": version}
    return {"kind": "ImageStream", "metadata": metadata, "spec": {}, "status": {"tags": status}}


def wanted(**options: Any) -> PruneOptions:
    return parse_options({**DEFAULTS, **options})


def found(stream: ImageStream, wanted: PruneOptions, usage: Usage | None = None) -> list[HistoryTrim]:
    known = usage or Usage()
    return history_trims([stream], decide(stream, wanted, known, NOW), wanted, known, NOW)


def told(them: list[HistoryTrim]) -> dict[str, list[int]]:
    return {one.tag: [int(event.digest[7:], 16) for event in one.events] for one in them}


def test_the_newest_images_of_each_tag_stay() -> None:
    stream = parse_stream(document(a=[1, 2, 3, 4], b=[5, 6], c=[7, 8, 9]))
    assert told(found(stream, wanted(revisions=2))) == {"a": [3, 4], "c": [9]}
    assert found(stream, wanted(revisions=2))[0].kept == 2
    assert found(stream, wanted(keep=9)) == []


def test_with_revisions_alone_every_tag_stays() -> None:
    stream = parse_stream(document(v1=[1, 2], b1=[40]))
    decisions = decide(stream, wanted(revisions=1), Usage(), NOW)
    assert {(one.goes, one.reason) for one in decisions} == {(False, "neither keep nor older_than is given")}


def test_images_in_use_and_young_ones_stay() -> None:
    stream = parse_stream(document(a=[1, 2, 3, 4, 50]))
    used = Usage(digests={digest(3): "Pod shop/web"})
    assert told(found(stream, wanted(revisions=1), used)) == {"a": [2, 4, 50]}
    assert told(found(stream, wanted(revisions=1, older_than="30d"), used)) == {"a": [50]}


def test_tags_that_go_or_are_none_of_its_business_are_left_alone() -> None:
    stream = parse_stream(document(a=[1, 2, 3], b=[40, 41], v1=[5, 6], v2=[7, 8]))
    assert told(found(stream, wanted(revisions=1, keep=1, protect="^v1", match="a|b|v1"))) == {"a": [2, 3]}


def test_what_a_tag_names_now_is_never_taken() -> None:
    whole = document(a=[1, 2, 1])
    events = parse_stream(whole).tags["a"].history
    assert without(whole, {"a": events})["status"]["tags"][0]["items"] == whole["status"]["tags"][0]["items"][:1]
    assert without(whole, {"b": events}) == whole
    assert without({"metadata": {}}, {}) == {"metadata": {}}


READ = "GET /apis/image.openshift.io/v1/namespaces/shop/imagestreams/app"
WRITE = "PUT /apis/image.openshift.io/v1/namespaces/shop/imagestreams/app/status"
CONFLICT = refusal(409, "the object has been modified")


def test_what_is_pushed_meanwhile_is_kept() -> None:
    """Somebody writes each time before we do, twice."""
    read = [(READ, answer(200, document(str(version), a=[*range(version), 20, 30]))) for version in (1, 2, 3)]
    http = ScriptedApi(read[0], (WRITE, CONFLICT), read[1], (WRITE, CONFLICT), read[2], (WRITE, answer(200, {})))
    events = parse_stream(document(a=[0, 20, 30])).tags["a"].history[1:]
    trim_history(http.api, "shop", "app", {"a": events})
    assert http.lines == []
    sent = http.document(5)
    assert sent["metadata"]["resourceVersion"] == "3"
    assert [item["image"] for item in sent["status"]["tags"][0]["items"]] == [digest(0), digest(1), digest(2)]


def test_it_gives_up_at_last() -> None:
    http = ScriptedApi(*[(READ, answer(200, document(a=[0, 20]))), (WRITE, CONFLICT)] * 99)
    events = parse_stream(document(a=[0, 20])).tags["a"].history
    with pytest.raises(ServerError, match="409"):
        trim_history(http.api, "shop", "app", {"a": events})


def test_a_tag_keeps_at_least_what_it_names() -> None:
    with pytest.raises(InvalidOptionError, match="a tag keeps what it points to"):
        wanted(revisions=0)
