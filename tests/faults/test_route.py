# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A push through a route that gives up on slow answers, and closes idle connections."""

from __future__ import annotations

from typing import Any

import pytest

from .operations import push
from .scene import Scene

pytestmark = pytest.mark.thorough  # in this process, without ansible-core
BLOBS = 2  # a layer and a configuration


def pushed(scene: Scene) -> list[dict[str, Any]]:
    """Push a new image; return the requests of the registry's side."""
    options = push(scene)
    run = scene.run("appuio_image_push", options)
    assert not run.failed, run.result["msg"]
    assert scene.zones[0].tags(scene.project, "app") == {"1.0": run.result["digest"]}
    return [one for one in scene.zones[0].requests() if one["side"] == "registry"]


def test_a_blob_that_is_stored_when_the_route_gives_up_is_not_sent_again(scene: Scene) -> None:
    scene.zones[0].configure(answer_seconds=3600)
    scene.zones[0].faults.add(
        "delay", side="registry", method="PUT", path="/blobs/uploads/", seconds=3601, count=1
    )  # which the zone does not wait for either
    sent = [one for one in pushed(scene) if one["method"] == "PUT" and "/blobs/uploads/" in one["path"]]
    assert sorted(one["status"] for one in sent) == [201, 504]


def test_an_idle_connection_that_is_closed_is_opened_again(scene: Scene) -> None:
    scene.zones[0].configure(idle_seconds=0)
    asked = pushed(scene)
    assert len({one["connection"] for one in asked}) == len(asked)
    assert sum(one["method"] == "PUT" and "/blobs/uploads/" in one["path"] for one in asked) == BLOBS
