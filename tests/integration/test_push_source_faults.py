# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of a source's registry: what passes is waited for, what stays moves no tag and is told as the source's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.image import blob_path, make_image
from tests.integration.push import Pusher

pytestmark = pytest.mark.thorough  # in this process, without ansible-core
SIZE = 900_000
BLOBS = {"method": "GET", "path": "/blobs/sha256:"}
LAYER = {"method": "GET", "path": "the layer, whose digest is known later"}
MANIFESTS = {"method": "GET", "path": "/manifests/"}


class Copy:
    """An image in the first zone, which is pushed from there to so many others."""

    def __init__(self, pusher: Pusher, layout: Path, targets: int) -> None:
        image = make_image(layout, platforms=("linux/amd64",), size=SIZE, layers=1)
        (layer,) = image.layers["linux/amd64"]
        self.pusher = pusher
        self.digest = image.digest
        self.layer = str(layer["digest"])
        self.content = blob_path(layout, self.layer).read_bytes()
        self.zone = pusher.zones[0]
        self.targets = pusher.zones[1 : 1 + targets]
        self.source = f"docker://{self.zone.registry}/{pusher.project}/app:1.0"
        pusher.push(f"oci:{layout}", zones=pusher.entries(self.zone))
        pusher.clear()

    def options(self, **more: Any) -> dict[str, Any]:
        credential = {"source_username": "any", "source_password": self.pusher.tokens[self.zone.name]}
        zones = self.pusher.entries(*self.targets)
        return {**credential, "source_ca_cert": str(self.zone.ca_file), "zones": zones, "retries": 2, **more}

    def arrived(self) -> list[dict[str, str]]:
        """Return the tags of all zones when the image has come to those that it was to come to."""
        return [{"1.0": self.digest} if zone in (self.zone, *self.targets) else {} for zone in self.pusher.zones]

    def fault(self, action: str, **options: Any) -> int:
        return self.zone.faults.add(action, side="registry", **options)


@pytest.fixture(params=[1, 2], ids=["to one zone", "to two"])
def copy(pusher: Pusher, tmp_path: Path, request: pytest.FixtureRequest) -> Copy:
    return Copy(pusher, tmp_path / "app", request.param)


@pytest.mark.parametrize(
    ("action", "options"),
    [
        ("status", {**BLOBS, "status": 429, "retry_after": "0"}),
        ("status", {**LAYER, "status": 429, "retry_after": "0"}),
        ("status", {**LAYER, "status": 500}),
        ("status", {**LAYER, "status": 503}),
        ("status", {**MANIFESTS, "status": 503}),
        ("reset_response", {**LAYER, "after_bytes": 2 * SIZE // 3}),
        ("truncate_response", {**LAYER, "after_bytes": 2 * SIZE // 3}),
        ("reset_response", {**LAYER, "after_bytes": 0}),
        ("lose_answer", {**MANIFESTS}),
    ],
)
def test_what_passes_is_waited_for(pusher: Pusher, copy: Copy, action: str, options: dict[str, Any]) -> None:
    options = {**options, "path": copy.layer if options["path"] == LAYER["path"] else options["path"]}
    fault = copy.fault(action, count=1, **options)
    assert pusher.push(copy.source, **copy.options())["digest"] == copy.digest
    assert copy.zone.faults.hits(fault) == 1
    assert pusher.tags() == copy.arrived()


def test_a_server_that_ignores_range_is_read_on_from(pusher: Pusher, copy: Copy) -> None:
    layer = {**LAYER, "path": copy.layer}
    copy.fault("truncate_response", count=1, after_bytes=2 * SIZE // 3, **layer)
    whole = copy.fault("status", count=1, skip=1, status=200, body=copy.content, **layer)
    assert pusher.push(copy.source, **copy.options())["digest"] == copy.digest
    assert copy.zone.faults.hits(whole) == 1
    assert pusher.tags() == copy.arrived()


@pytest.mark.parametrize(
    ("action", "options", "words"),
    [
        ("status", {**BLOBS, "status": 429, "retry_after": "0"}, "status 429.*Its limit is reached"),
        ("status", {**BLOBS, "status": 500}, "status 500.*trouble of the source's registry"),
        ("status", {**BLOBS, "status": 404}, "does not exist"),
        ("status", {**BLOBS, "status": 403}, "does not give it to the credential of source_password"),
        ("status", {**MANIFESTS, "status": 503}, "status 503.*trouble of the source's registry"),
        ("truncate_response", {**BLOBS, "after_bytes": 1000}, "cannot be read"),
        ("page", {**BLOBS}, "the blob sha256:.*is (truncated|too long|altered)|cannot be read"),
    ],
)
def test_what_stays_is_told_as_the_sources_and_moves_no_tag(
    pusher: Pusher, copy: Copy, action: str, options: dict[str, Any], words: str
) -> None:
    copy.fault(action, **options)
    with pytest.raises(Exception, match=words) as caught:
        pusher.push(copy.source, **copy.options())
    told = str(caught.value)
    assert copy.source in told
    for advice in ("registry-editor", "registry-viewer", "quota", "namespace"):
        assert advice not in told
    assert pusher.tags() == [{"1.0": copy.digest}, {}, {}]
    assert sorted((pusher.folder / "spool").iterdir()) == []


def test_altered_bytes_are_not_pushed(pusher: Pusher, copy: Copy) -> None:
    altered = b"x" + copy.content[1:]
    copy.fault("status", status=200, body=altered, method="GET", path=copy.layer)
    error = pusher.refused(copy.source, **copy.options())
    assert f"the blob {copy.layer} of {copy.source} is altered" in str(error)
    assert [zone["failed"] for zone in error.result["zones"]] == [True] * len(copy.targets)
    assert pusher.tags() == [{"1.0": copy.digest}, {}, {}]


def test_what_the_zone_has_or_mounts_is_not_read(pusher: Pusher, copy: Copy, tmp_path: Path) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    layout = f"oci:{tmp_path / 'app'}"
    pusher.push(layout, zones=pusher.entries(*copy.targets), name="base", environment=environment)
    pusher.push(layout, zones=pusher.entries(*copy.targets), tags=["0.9"], environment=environment)
    pusher.clear()
    existing = pusher.push(copy.source, environment=environment, **copy.options())
    mounted = pusher.push(copy.source, name="child", environment=environment, **copy.options())
    assert {zone["blobs"]["uploaded"] for zone in existing["zones"]} == {0}
    # The configuration is too small to be mounted, and is known by then.
    assert {(zone["blobs"]["uploaded"], zone["blobs"]["mounted"]) for zone in mounted["zones"]} == {(1, 1)}
    assert not [request for request in pusher.asked()[0] if copy.layer in request]
