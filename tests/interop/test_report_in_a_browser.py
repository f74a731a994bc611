# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of three zones that differ, as a reader sees it: on a desk, on a phone, in the dark and on paper."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.declared import PartlyDeclared
from tests.integration.images import Images
from tests.integration.zone_playbooks import quota, run
from tests.interop.browser import Browser
from tests.zone import LocalZones, Zone

DESK, PHONE = (1280, 900), (390, 844)
# What can be seen: no box of no size, no text beyond the page's edge or under something else.
CELLS = """
[...document.querySelectorAll('td')].map(cell => {
  const box = cell.getBoundingClientRect();
  const digest = cell.querySelector('.digest');
  return {
    name: cell.closest('table').dataset.name, tag: cell.closest('tr').dataset.tag, zone: cell.dataset.zone,
    text: cell.innerText, colour: digest && getComputedStyle(digest).borderLeftColor,
    left: box.left, right: box.right, top: box.top, bottom: box.bottom, overflow: cell.scrollWidth > cell.clientWidth,
  };
})
"""
BARS = """
[...document.querySelectorAll('.bar')].map(bar => {
  const inner = bar.querySelector('div');
  const words = bar.closest('.quota').innerText.match(/(\\d+) of (\\d+)/);
  return {used: +words[1], allowed: +words[2], share: inner.offsetWidth / bar.clientWidth,
          colour: getComputedStyle(inner).backgroundColor, height: inner.offsetHeight};
})
"""
# Every state that is shown, with its colour and what is behind it.
STATES = """
[...document.querySelectorAll('td .state')].map(one => ({
  name: one.className.split(' ')[1], colour: getComputedStyle(one).color, lines: one.getClientRects().length,
  behind: getComputedStyle(one.closest('table')).backgroundColor,
}))
"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALLEST = """
Math.min(...[...document.querySelectorAll('body *')].filter(one => one.innerText)
  .map(one => parseFloat(getComputedStyle(one).fontSize)))
"""


@pytest.fixture(scope="module")
def zones() -> Iterator[list[Zone]]:
    with LocalZones(3) as running:
        yield running.zones


@pytest.fixture(scope="module")
def images(zones: list[Zone], tmp_path_factory: pytest.TempPathFactory) -> Images:
    """Three zones with drift, full and empty quotas, and a report of them in the file out.html."""
    made = Images(zones, "shop", tmp_path_factory.mktemp("report"))
    made.push("a", "production", "1.4.1")
    made.push("b", "a-branch-with-a-name-that-is-as-long-as-anybody-would-ever-make-it", platforms=["linux/amd64"])
    made.push("c", "production", "1.4.2", zones=zones[1:])
    made.push("d", "nightly", name="batch")
    for zone, tags in zip(zones, (50, 7, 4), strict=True):
        quota(zone, "shop", tags)
        made.tokens[zone.name] = zone.create_user("ada", projects={"shop": "view"})
    run(made, "report", report="out.html", report_title="Shop").succeeded()
    return made


@pytest.fixture(scope="module")
def declared(zones: list[Zone], images: Images) -> Images:
    """The same zones, of which a file declares a part, and a report in the file declared.html."""
    partly = PartlyDeclared(Images(zones, "base-images", images.folder))
    run(partly.images, "report", report="declared.html", images_file=str(partly.file)).succeeded()
    return partly.images


@pytest.fixture(scope="module")
def browser(images: Images) -> Iterator[Browser]:
    with Browser(images.folder) as started:
        yield started


def looked_at(browser: Browser, images: Images, size: tuple[int, int], page: str = "out.html") -> list[dict[str, Any]]:
    """Return the cells of a page in a window of this size, in which nothing sticks out."""
    browser.open(images.folder / page, *size)
    assert browser.value(SIDEWAYS) == 0
    cells: list[dict[str, Any]] = browser.value(CELLS)
    assert [cell for cell in cells if cell["right"] > size[0] or cell["left"] < 0 or cell["overflow"]] == []
    return cells


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_the_numbers_are_those_of_the_zones(browser: Browser, images: Images, size: tuple[int, int]) -> None:
    cells = looked_at(browser, images, size)
    seen = {(cell["name"], cell["tag"], cell["zone"]): cell for cell in cells}
    colours: dict[str, set[str]] = {}
    for zone in images.zones:
        for name in ("app", "batch"):
            for tag, digest in zone.tags("shop", name).items():
                cell = seen.pop((name, tag, zone.name))
                assert digest.partition(":")[2][:12] in cell["text"]
                colours.setdefault(digest, set()).add(cell["colour"])
    assert [cell["text"].rpartition("\n")[2] for cell in seen.values()] == ["not there"]
    assert {len(of_one) for of_one in colours.values()} == {1}
    assert len(set.union(*colours.values())) == len(colours)


def test_a_quota_can_be_seen(browser: Browser, images: Images) -> None:
    looked_at(browser, images, DESK)
    bars = browser.value(BARS)
    assert len(bars) == 6
    for bar in bars:
        assert bar["height"] > 3
        assert bar["share"] == pytest.approx(min(bar["used"] / bar["allowed"], 1), abs=0.03)
    full = {bar["colour"] for bar in bars if bar["used"] >= bar["allowed"]}
    assert full
    assert full.isdisjoint(bar["colour"] for bar in bars if bar["used"] < bar["allowed"] / 2)


def test_it_can_be_read_on_a_phone(browser: Browser, images: Images) -> None:
    cells = looked_at(browser, images, PHONE)
    assert browser.value(SMALLEST) >= 12
    for above, below in itertools.pairwise(cells):
        assert above["bottom"] <= below["top"] + 1
    # Beside its column a cell would not say whose it is: on a phone each does.
    shown = "getComputedStyle(document.querySelector('td'), '::before').content"
    assert images.zones[0].name in browser.value(shown)
    assert browser.screenshot(images.folder / "phone.png").startswith(b"\x89PNG")


@pytest.mark.parametrize("size", [DESK, PHONE])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_declared_can_be_seen(browser: Browser, declared: Images, size: tuple[int, int], theme: str) -> None:
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    try:
        cells = looked_at(browser, declared, size, "declared.html")
        assert browser.value(SMALLEST) >= 12
        states = browser.value(STATES)
        assert browser.screenshot(declared.folder / f"declared-{theme}-{size[0]}.png").startswith(b"\x89PNG")
    finally:
        browser.call("Emulation.setEmulatedMedia", features=[])
    assert {one["name"] for one in states} == {
        "declared", "missing", "outdated", "no_longer_declared", "undeclared", "unknown",
    }  # fmt: skip
    assert [one for one in states if one["lines"] != 1 or contrast(one["colour"], one["behind"]) < 4.5] == []
    shown = {(cell["name"], cell["tag"], cell["zone"]): cell["text"] for cell in cells}
    first, second, _third = (zone.name for zone in declared.zones)
    assert "missing" in shown["tool", "2.0", first]
    assert shown["tool", "2.0", second].endswith("not declared here")
    assert "its source has" in shown["app", "stable", first]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as browsers write them (WCAG 2.2, "contrast ratio")."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in colour[colour.index("(") + 1 :].rstrip(")").split(",")[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("name", ["out", "declared"])
def test_it_can_be_printed(browser: Browser, declared: Images, name: str) -> None:
    looked_at(browser, declared, DESK, f"{name}.html")
    browser.call("Emulation.setEmulatedMedia", media="print")
    browser.call("Emulation.setDeviceMetricsOverride", width=720, height=1000, deviceScaleFactor=1, mobile=False)
    assert browser.value(SIDEWAYS) == 0
    # Without this the colours of digests and quotas are lost on paper.
    kept = "[...document.querySelectorAll('.bar div, .digest')].map(one => getComputedStyle(one).printColorAdjust)"
    assert set(browser.value(kept)) == {"exact"}
    page = browser.printed(declared.folder / f"{name}.pdf")
    assert page.startswith(b"%PDF")
    browser.call("Emulation.setEmulatedMedia", media="")


def test_it_needs_no_network_and_nobody_complains(browser: Browser, images: Images) -> None:
    browser.asked.clear()
    looked_at(browser, images, DESK)
    assert browser.screenshot(images.folder / "desk.png").startswith(b"\x89PNG")
    assert browser.asked == [(images.folder / "out.html").as_uri()]
    assert browser.complaints == []
