# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks report and rollback on three local zones that differ: the page shows what the zones have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.integration.images import Images
from tests.integration.zone_playbooks import quota, run
from tests.zone import LocalZones, Zone

pytestmark = pytest.mark.thorough
OUTSIDE = ("src", "href", "srcset", "action")
VOID = ("meta", "link", "br", "img")


@dataclass
class Page(HTMLParser):
    """What a reader sees: the verdict, the zones' cards, and each cell of the tables by image, tag and zone."""

    text: str
    verdict: str = ""
    cards: dict[str, str] = field(default_factory=dict)
    cells: dict[tuple[str, str, str], str] = field(default_factory=dict)
    digests: dict[tuple[str, str, str], str] = field(default_factory=dict)
    differing: set[tuple[str, str]] = field(default_factory=set)
    widths: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, dict[str, str]]] = []
        self.feed(self.text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.outside += [given[name] for name in OUTSIDE if name in given]
        if "%" in given.get("style", "") and "width" in given["style"]:
            self.widths.append(given["style"])
        if tag not in VOID:
            self._open.append((tag, given))
        place = self._place()
        if tag == "td":
            self.cells[place] = ""
            if "data-digest" in given:
                self.digests[place] = given["data-digest"]
        if tag == "tr" and "differs" in given.get("class", ""):
            self.differing.add(place[:2])

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        tags = dict(self._open)
        if tags.get("p", {}).get("id") == "verdict":
            self.verdict += data
        if "article" in tags:
            zone = tags["article"]["data-zone"]
            self.cards[zone] = " ".join([*self.cards.get(zone, "").split(), *data.split()])
        if "td" in tags:
            self.cells[self._place()] += data

    def _place(self) -> tuple[str, str, str]:
        tags = dict(self._open)
        return tuple(  # type: ignore[return-value]
            tags.get(tag, {}).get(name, "")
            for tag, name in (("table", "data-name"), ("tr", "data-tag"), ("td", "data-zone"))
        )


@pytest.fixture(scope="module")
def zones() -> Iterator[list[Zone]]:
    with LocalZones(3) as running:
        yield running.zones


def test_what_stands_in_the_report_is_what_the_zones_have(zones: list[Zone], tmp_path: Path) -> None:
    images = Images(zones, "shop", tmp_path)
    a = images.push("a", "production", "1.4.1")
    b = images.push("b", "staging", platforms=["linux/amd64"], index=False)
    c = images.push("c", "production", "1.4.2", zones=zones[1:])
    images.push("d", "nightly", name="batch")
    one, two, three = (zone.name for zone in zones)
    for zone, tags in zip(zones, (50, 7, 4), strict=True):
        quota(zone, "shop", tags)
        images.tokens[zone.name] = zone.create_user("ada", projects={"shop": "view"})

    result = run(images, "report", report="out.html", report_title="Shop & <others>").succeeded()
    assert "2 tags differ" in result.result("Tell where it is")["msg"]
    text = (tmp_path / "out.html").read_text()
    page = Page(text)
    assert page.outside == []
    assert "url(" not in text
    assert "<h1>Shop &amp; &lt;others&gt;</h1>" in text
    assert page.verdict == "2 tags differ between the zones"
    assert page.differing == {("app", "production"), ("app", "1.4.2")}
    shown = {}
    for zone in zones:
        for name in ("app", "batch"):
            shown.update({(name, tag, zone.name): digest for tag, digest in zone.tags("shop", name).items()})
    assert page.digests == shown
    assert page.digests["app", "production", one] == a
    assert page.digests["app", "production", three] == c
    assert page.cells["app", "1.4.2", one] == "not there"
    for place, digest in shown.items():
        assert page.cells[place].startswith(digest.split(":")[1][:12])
        assert "just now" in page.cells[place] or "minute" in page.cells[place]
    assert page.cells["app", "staging", one].endswith("linux/amd64")
    assert page.cells["app", "1.4.1", one].endswith("linux/amd64, linux/arm64")
    assert "2 images, 4 tags, 3 digests" in page.cards[one]
    assert "2 images, 5 tags, 4 digests" in page.cards[two]
    assert "Image streams 2 of 20" in page.cards[one]
    assert ("Tags 4 of 50" in page.cards[one], "Tags 5 of 7" in page.cards[two]) == (True, True)
    assert "Tags 5 of 4" in page.cards[three]
    assert page.widths == [f"width:{share}%" for share in (10, 8, 10, 71, 10, 100)]

    data = json.loads((tmp_path / "out.json").read_text())
    told = {(tag["name"], tag["tag"], zone["zone"]): tag["digest"] for zone in data["zones"] for tag in zone["tags"]}
    assert told == shown
    assert [(one["name"], one["tag"]) for one in data["drift"]] == [("app", "1.4.2"), ("app", "production")]
    written = text + json.dumps(data) + result.stdout
    assert not [token for token in images.tokens.values() if token in written]
    assert b in written

    zones[1].stop()
    try:
        result = run(images, "report")
    finally:
        zones[1].start()
    assert result.rc != 0
    page = Page((tmp_path / "appuio-report.html").read_text())
    assert set(page.digests) == {place for place in shown if place[2] != two}
    assert two in page.cards[two]
    assert "1 zone could not be asked" in page.text


def test_a_rollback_of_all_zones(zones: list[Zone], tmp_path: Path) -> None:
    images = Images(zones, "back", tmp_path)
    a, b = images.push("a", "prod"), images.push("b", "prod")
    foreseen = run(images, "rollback", check=True, name="app", tag="prod", bad_digest=b).succeeded()
    assert foreseen.changed == ["Roll the tag back"]
    assert images.named() == [b, b, b]
    done = run(images, "rollback", name="app", tag="prod", bad_digest=b, revision="1").succeeded()
    assert images.named() == [a, a, a]
    heading, *lines = done.result("Tell what each zone has now")["msg"]
    assert heading.split() == ["zone", "reference", "digest", "changed", "reason"]
    rows = [line.split()[:4] for line in lines[:3]]
    assert rows == [[zone.name, f"{zone.registry}/back/app:prod", a.split(":")[1][:12], "yes"] for zone in zones]
    assert lines[3:] == [f"digest {a}"]


def test_a_rollback_that_finds_the_bad_image_nowhere_tells_why(zones: list[Zone], tmp_path: Path) -> None:
    images = Images(zones, "nowhere", tmp_path)
    images.push("a", "prod")
    b = images.push("b", "prod")
    result = run(images, "rollback", name="app", tag="prod", bad_digest=f"sha256:{'0' * 64}").succeeded()
    assert images.named() == [b, b, b]
    lines = result.result("Tell what each zone has now")["msg"]
    reason = f"points to {b[:19]}, not to the image to roll back from, sha256:{'0' * 12}"
    assert all(reason in line for line in lines[1:4]), lines


def test_all_zones_or_none_when_one_has_failed_before(zones: list[Zone], tmp_path: Path) -> None:
    """A token file that is missing takes a zone out of the run; the others neither move nor are called all."""
    images = Images(zones, "missing", tmp_path)
    a, b = images.push("a", "prod"), images.push("b", "prod")
    images.tokens[zones[1].name] = "{{ lookup('ansible.builtin.file', '/nonexistent/token') }}"

    back = run(images, "rollback", name="app", tag="prod", bad_digest=b)
    assert back.rc != 0
    assert images.named() == [b, b, b]
    words = back.result("Tell what each zone has now")["msg"]
    assert words[-1] == f"{zones[1].name} failed before the rollback, and appuio_atomic is set: no tag moves."

    promoted = run(images, "promote", **{"name": "app", "tag": "next", "from": "prod"})
    assert promoted.rc != 0
    assert images.named("next") == [None] * 3
    assert "failed before the promotion" in promoted.result("Tell what each zone has now")["msg"][-1]

    report = run(images, "report", result_file="report.json")
    assert report.rc != 0
    page = Page((tmp_path / "appuio-report.html").read_text())
    assert "All zones have the same images" not in page.verdict
    assert "1 zone could not be asked" in page.text
    assert "failed before" in page.cards[zones[1].name]
    assert f"{zones[1].name}: failed before" in report.result("Tell where it is")["msg"]
    written = json.loads((tmp_path / "report.json").read_text())
    assert (written["failed"], written["in_sync"]) == (True, None)

    alone = run(images, "rollback", name="app", tag="prod", bad_digest=b, atomic="no")
    assert alone.rc != 0
    assert images.named() == [a, b, a]
    assert "failed: failed before" in " ".join(alone.result("Tell what each zone has now")["msg"])


def test_a_promotion_new_again_and_changed(zones: list[Zone], tmp_path: Path) -> None:
    images = Images(zones, "promoted", tmp_path)
    a = images.push("a", "staging")
    move = {"name": "app", "tag": "prod", "from": "staging", "result_file": "promote.env"}
    for check, changed, there in ((True, True, None), (False, True, a), (True, False, a), (False, False, a)):
        for zone in zones:
            zone.clear_requests()
        result = run(images, "promote", check=check, **move).succeeded()
        assert bool(result.changed) is changed
        assert any(zone.writes() for zone in zones) is (changed and not check)
        assert images.named() == [there] * 3
        assert f"digest {a}" in result.result("Tell what each zone has now")["msg"]
    lines = (tmp_path / "promote.env").read_text().splitlines()
    assert f"APPUIO_DIGEST={a}" in lines
    b = images.push("b", "staging")
    assert run(images, "promote", **move).succeeded().changed == ["Move the tag"]
    assert images.named() == [b] * 3


def test_a_promotion_of_what_an_earlier_job_has_published(zones: list[Zone], tmp_path: Path) -> None:
    images = Images(zones, "published", tmp_path)
    a, _b = images.push("a", "staging"), images.push("b", "staging")
    run(images, "promote", name="app", tag="prod", digest=a).succeeded()
    assert images.named() == [a] * 3
