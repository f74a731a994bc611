# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report beside a file of images: what is as declared, and what is missing, outdated, undeclared or not known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.declared import PartlyDeclared
from tests.integration.images import Images
from tests.integration.zone_playbooks import run
from tests.zone import LocalZones, Zone

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def zones() -> Iterator[list[Zone]]:
    with LocalZones(2) as running:
        yield running.zones


def test_a_report_shows_what_is_declared(zones: list[Zone], tmp_path: Path) -> None:
    partly = PartlyDeclared(Images(zones, "shop", tmp_path))
    for zone in zones:
        zone.clear_requests()
    result = run(partly.images, "report", images_file=str(partly.file), result_file="report.env").succeeded()
    assert not any(zone.writes() for zone in zones)
    one, two = (zone.name for zone in zones)
    data = json.loads((tmp_path / "appuio-report.json").read_text())
    tags = {zone["zone"]: zone["declaration"]["tags"] for zone in data["zones"]}
    assert {name: cell["state"] for name, cell in tags[one].items()} == {
        "app:1.0": "declared",
        "app:by-hand": "undeclared",
        "app:kept": "declared",
        "app:stable": "outdated",
        "alpine:3.21": "unknown",
        "base:3.20": "no_longer_declared",
        "mirror:1": "unknown",
        "tool:2.0": "missing",
    }
    assert {**tags[one], "tool:2.0": None} == {**tags[two], "tool:2.0": None}
    assert "tool:2.0" not in tags[two]
    stable = tags[one]["app:stable"]
    assert (stable["digest"], stable["wanted"]) == (partly.digests["old"], partly.digests["new"])
    assert tags[one]["base:3.20"]["reason"] == "goes with delete: managed"
    assert data["as_declared"] is False
    assert data["counts"] == {
        "declared": 4, "missing": 1, "outdated": 2, "no_longer_declared": 2, "undeclared": 2, "unknown": 4,
    }  # fmt: skip
    assert [(tag["name"], tag["tag"], tag["zones"]) for tag in data["missing"]] == [("tool", "2.0", [one])]
    assert [(tag["name"], tag["tag"], tag["zones"]) for tag in data["undeclared"]] == [("app", "by-hand", [one, two])]
    assert all("127.0.0.1:1" in tag["reason"] for tag in data["unknown"])

    told = result.result("Tell where it is")["msg"]
    assert "4 declared, 1 missing, 2 outdated, 2 no longer declared, 2 undeclared, 4 unknown" in told
    lines = (tmp_path / "report.env").read_text().splitlines()
    assert {"APPUIO_AS_DECLARED=false", "APPUIO_OUTDATED=app:stable", "APPUIO_MISSING=tool:2.0"} <= set(lines)
    page = (tmp_path / "appuio-report.html").read_text()
    states = re.findall(r'<td data-zone="([^"]+)"[^>]* data-state="(\w+)"', page)
    assert sorted(states) == sorted((zone, cell["state"]) for zone in tags for cell in tags[zone].values())
    assert "5 tags are not as declared" in page
    assert "not declared here" in page
    assert "Could not be compared" in page


def test_a_file_that_is_wrong_leaves_the_rest_of_the_report(zones: list[Zone], tmp_path: Path) -> None:
    images = Images(zones[:1], "wrong", tmp_path)
    digest = images.push("a", "1.0")
    (tmp_path / "images.yml").write_text("- source: oci:build\n  tag: []\n  platform: linux/amd64\n")
    result = run(images, "report", images_file="images.yml")
    assert result.rc != 0
    assert "the option platform is unknown" in result.result("Tell where it is")["msg"]
    page = (tmp_path / "appuio-report.html").read_text()
    assert "What is declared is not known: " in page
    assert "entry 1 (line 1): the option platform is unknown" in page
    assert digest.partition(":")[2][:12] in page
