# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is copied of the ImageStreams of a namespace, and why something is not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._image_set.namespace_plan import (
    LeftBehind,
    NamespaceImages,
    OriginImage,
    plan_namespace,
    why_missing,
)
from ansible_collections.appuio.registry.plugins.module_utils._image_set.select import Selection, parse_selection
from ansible_collections.appuio.registry.plugins.module_utils._openshift.image_streams import (
    ImageStream,
    parse_stream,
)

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
INTERNAL = "image-registry.openshift-image-registry.svc:5000"
SIGNATURE = f"sha256-{'a' * 64}.sig"


def stream(name: str, tags: dict[str, list[str]], spec: list[dict[str, Any]] | None = None) -> ImageStream:
    """Return an ImageStream whose tags have these images, the newest first, pushed unless they say another registry."""
    items = [
        {
            "tag": tag,
            "items": [
                {"image": one.rpartition("@")[2], "dockerImageReference": one if "@" in one else f"{INTERNAL}/x@{one}"}
                for one in images
            ],
        }
        for tag, images in tags.items()
    ]
    return parse_stream(
        {
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"tags": spec or []},
            "status": {"dockerImageRepository": f"{INTERNAL}/shop/{name}", "tags": items},
        }
    )


def planned(*streams: ImageStream, referrers: bool = False, **select: Any) -> NamespaceImages:
    selection: Selection | None = parse_selection(select) if select else None
    return plan_namespace(streams, selection, referrers)


def image_of(tag: str, name: str, kind: str = "DockerImage", **more: Any) -> dict[str, Any]:
    return {"name": tag, "from": {"kind": kind, "name": name}, **more}


def test_each_image_is_copied_once_with_all_its_tags() -> None:
    found = planned(stream("app", {"1.0": [A], "latest": [A], "2.0": [B]}), stream("other", {"1": [C]}))
    assert found.images == [
        OriginImage("app", A, ("1.0", "latest")),
        OriginImage("app", B, ("2.0",)),
        OriginImage("other", C, ("1",)),
    ]
    assert (found.left, found.streams, found.seen) == ([], 2, 4)


def test_the_history_stays_and_is_told_once_for_a_repository() -> None:
    found = planned(stream("app", {"1.0": [A, B, C], "2.0": [B, A]}))
    assert found.images == [OriginImage("app", A, ("1.0",)), OriginImage("app", B, ("2.0",))]
    assert found.left == [LeftBehind("app", None, "the history of its tags, with 3 older images")]


def test_tags_and_repositories_are_selected() -> None:
    streams = [stream(name, {"1.0": [A], "1.1": [B], "pr-7": [C]}) for name in ("shop-app", "shop-cache", "other")]
    found = planned(*streams, repositories="^shop-", exclude_repositories="-cache$", exclude="^pr-", newest=1)
    assert found.images == [OriginImage("shop-app", B, ("1.1",))]
    assert planned(*streams, repositories="^none").images == []


def test_signatures_come_as_tags_unless_they_come_with_their_image_or_a_selection() -> None:
    signed = stream("app", {"1.0": [A], SIGNATURE: [B]})
    assert [image.tags for image in planned(signed).images] == [("1.0",), (SIGNATURE,)]
    assert [image.tags for image in planned(signed, referrers=True).images] == [("1.0",)]
    assert [image.tags for image in planned(signed, match=".").images] == [("1.0",)]


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (
            stream("app", {}, [image_of("bad", "quay.io/a/b:1")]),
            "it points to nothing, and its image is to come from quay.io/a/b:1",
        ),
        (
            stream("app", {"bad": ["docker.io/library/redis@"]}, [image_of("bad", "redis:7", reference=True)]),
            "it stands for redis:7, which the zone does not hold",
        ),
        (
            stream("app", {"bad": [f"docker.io/library/redis@{A}"]}, [image_of("bad", "redis:7")]),
            "it was imported and refers to redis:7, from where pods pull it (reference policy Source)",
        ),
    ],
)
def test_what_the_zone_does_not_hold_is_left_with_the_reason(one: ImageStream, reason: str) -> None:
    found = planned(one)
    assert (found.images, found.left) == ([], [LeftBehind("app", "bad", reason)])


def test_the_reason_of_an_import_that_failed_is_told() -> None:
    conditions = [{"type": "ImportSuccess", "status": "False", "message": "unauthorized"}]
    document = {
        "metadata": {"name": "app"},
        "spec": {"tags": [image_of("1", "quay.io/a/b:1")]},
        "status": {"tags": [{"tag": "1", "items": None, "conditions": conditions}]},
    }
    (left,) = planned(parse_stream(document)).left
    assert left.reason == "it points to nothing, and its image is to come from quay.io/a/b:1: unauthorized"


def test_what_the_zone_passes_on_is_copied_without_what_it_follows() -> None:
    local = {"referencePolicy": {"type": "Local"}, "importPolicy": {"scheduled": True}}
    imported = stream("redis", {"7": [f"docker.io/library/redis@{A}"]}, [image_of("7", "redis:7", **local)])
    followed = stream("app", {"prod": [B]}, [image_of("prod", "app:1.0", "ImageStreamTag")])
    # Pushed over an import: the entry of the specification stays, and counts no more.
    pushed = stream("own", {"1": [C]}, [image_of("1", "redis:7")])
    found = planned(imported, followed, pushed)
    assert [image.digest for image in found.images] == [A, B, C]
    assert found.left == [
        LeftBehind("redis", "7", "that it follows redis:7 by itself"),
        LeftBehind("app", "prod", "that it follows app:1.0 by itself"),
    ]


def test_an_empty_repository_and_what_is_no_tag_are_told() -> None:
    assert planned(stream("app", {})).left == [LeftBehind("app", None, "it has no tags")]
    odd = stream("app", {"1": [A], "no tag": [B]})
    assert planned(odd).left == [LeftBehind("app", None, "a tag of app has the name 'no tag', which is none")]


@pytest.mark.parametrize(
    ("one", "tag", "digest", "reason"),
    [
        (None, "1", None, "there is no ImageStream app"),
        (stream("app", {"1": [A], "2": [B]}), "3", None, "app has no tag 3, only 1, 2"),
        (stream("app", {}), "3", None, "app has no tag 3, and no other one"),
        (stream("app", {}, [image_of("1", "redis:7")]), "1", None, "of the tag app:1, it points to nothing"),
        (stream("app", {"1": [A]}), "1", None, f"app:1 points to {A}, which is not in the registry, or no longer"),
        (stream("app", {"1": [A]}), None, A, f"the image {A} of app is not in the registry, or no longer"),
    ],
)
def test_an_image_that_is_missing_is_explained_by_its_stream(
    one: ImageStream | None, tag: str | None, digest: str | None, reason: str
) -> None:
    assert why_missing(one, "app", tag, digest).startswith(reason)


def test_only_the_first_tags_of_many_are_named() -> None:
    many = stream("app", {f"{number:02}": [A] for number in range(12)})
    assert why_missing(many, "app", "x", None).endswith("08, 09, ...")
