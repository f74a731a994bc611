# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""appuio_image_stream on local zones: made beforehand, changed, imported, kept while in use, removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.images import Images
from tests.integration.playbook import run_task
from tests.zone import LocalZones, Zone


@pytest.fixture(scope="module")
def zones() -> Iterator[list[Zone]]:
    with LocalZones(2) as running:
        yield running.zones


def test_a_repository_from_its_first_day_to_its_last(zones: list[Zone], tmp_path: Path) -> None:
    tokens = {zone.name: zone.create_user("ada", projects={"streams": "admin"}) for zone in zones}
    entries = [
        {"zone": zone.name, "host": zone.host, "registry": zone.registry, "ca_cert": str(zone.ca_file),
         "token": tokens[zone.name]}
        for zone in zones
    ]  # fmt: skip
    given: dict[str, Any] = {"zones": entries, "namespace": "streams", "name": "app", "retries": 0}

    def run(check: bool = False, **options: Any) -> Any:
        for zone in zones:
            zone.clear_requests()
        return run_task("appuio.registry.appuio_image_stream", {**given, **options}, tmp_path, check=check)

    def streams() -> list[Any]:
        return [zone.image_stream("streams", "app") for zone in zones]

    wanted = {"local_lookup": True, "labels": {"team": "web"}, "import_from": ["quay.io/a/b:1.0"], "scheduled": True}
    assert run(check=True, **wanted).succeeded().changed
    assert streams() == [None, None]
    assert run(**wanted).succeeded().changed
    for stream in streams():
        assert stream["metadata"]["labels"]["team"] == "web"
        assert stream["spec"]["lookupPolicy"] == {"local": True}
        (entry,) = stream["spec"]["tags"]
        assert (entry["name"], entry["from"]["name"]) == ("1.0", "quay.io/a/b:1.0")
        assert entry["importPolicy"]["scheduled"]
    assert not run(**wanted).succeeded().changed
    assert [zone.writes() for zone in zones] == [[], []]
    assert run(local_lookup=False).succeeded().changed
    assert [one["metadata"]["labels"]["team"] for one in streams()] == ["web", "web"]

    # What a workload of one zone uses stays there, and the other zone goes its own way.
    digest = Images(zones, "streams", tmp_path).push("a", "2.0")
    zones[0].put_object(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "streams"},
            "spec": {"template": {"spec": {"containers": [{"name": "web", "image": f"x/app@{digest}"}]}}},
        }
    )
    used = run(state="absent")
    assert used.rc
    assert f"zone {zones[0].name}: find images in use: the ImageStream app stays" in used.stdout
    assert "Deployment streams/web, which runs an image of the tag 2.0" in used.stdout
    assert [one is None for one in streams()] == [False, True]
    assert run(state="absent", protect_in_use=False).succeeded().changed
    assert streams() == [None, None]
    assert not run(state="absent").succeeded().changed
