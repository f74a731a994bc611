# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who pushes what, how often and where to in a case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.benchmark import rounds
from tests.benchmark.cases import Case
from tests.benchmark.contenders import Push
from tests.benchmark.images import MIB, Image
from tests.benchmark.measure import Job, Sample
from tests.benchmark.registries import Registry
from tests.benchmark.rounds import Runner


@dataclass
class Pusher:
    """Notes what it is to do."""

    name: str
    done: list[str] = field(default_factory=list)
    folders: set[Path] = field(default_factory=set)

    def job(self, push: Push, folder: Path) -> Job:
        self.done.append(f"{push.image.place} to {push.repository}")
        self.folders.add(folder)
        return Job([])

    def forget(self, folder: Path) -> None:
        self.done.append("forget")


class Both:
    """Stands in for images and for registries."""

    layout = Image("oci", "/layout", "sha256:0")
    changed = Image("oci", "/changed", "sha256:1")
    light = Image("oci", "/light", "sha256:2")

    def zones(self, number: int) -> list[Registry]:
        return [Registry(f"zone-{place}") for place in range(number)]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Sequence[Pusher]]:
    """Return what measures a case with two pushers, from which it returns."""
    monkeypatch.setattr(rounds, "run", lambda job, folder: Sample(1, 1, MIB))
    monkeypatch.setattr(rounds, "_arrived", lambda push: 5)

    def measure(**options: Any) -> Sequence[Pusher]:
        pushers = (Pusher("appuio.registry"), Pusher("other"))
        case = Case("case", "Case", contenders=pushers, **options)
        both: Any = Both()
        table = Runner(both, tmp_path, "tls", both, both, lambda text: None).table(case, 2)
        assert [(row.contender, len(row.samples), row.uploaded) for row in table.rows] == [
            ("appuio.registry", 2, 5),
            ("other", 2, 5),
        ]
        return pushers

    return measure


def numbered(done: Sequence[str]) -> list[str]:
    """Return what was done with repositories in the order in which they were seen."""
    seen: dict[str, str] = {}
    words = [line.rpartition(" ") for line in done]
    return [
        f"{first} {seen.setdefault(last, str(len(seen) + 1))}".strip() if first else last for first, _s, last in words
    ]


def test_each_push_of_something_new_goes_to_a_new_repository(measured: Callable[..., Sequence[Pusher]]) -> None:
    for pusher in measured(image="layout", counted=False):
        # One round does not count.
        assert numbered(pusher.done) == [word for number in (1, 2, 3) for word in ("forget", f"/layout to {number}")]


def test_what_is_there_before_is_pushed_first(measured: Callable[..., Sequence[Pusher]]) -> None:
    for pusher in measured(image="changed", before="layout", warm_up=False, counted=False):
        assert numbered(pusher.done) == [
            "forget", "/layout to 1", "/changed to 1", "forget", "/layout to 2", "/changed to 2"
        ]  # fmt: skip


def test_what_changes_nothing_is_prepared_once(measured: Callable[..., Sequence[Pusher]]) -> None:
    one, other = measured(image="layout", before="layout", counted=False)
    for pusher in (one, other):
        assert numbered(pusher.done) == ["forget", *["/layout to 1"] * 4]
    # Nobody forgets what another has learned.
    assert not one.folders & other.folders


def test_nobody_forgets_what_another_version_in_the_same_folder_has_learned(
    monkeypatch: pytest.MonkeyPatch, measured: Callable[..., Sequence[Pusher]]
) -> None:
    order: list[str] = []

    def job(self: Pusher, push: Push, folder: Path) -> Job:
        order.append("push")
        return Job([])

    monkeypatch.setattr(Pusher, "forget", lambda self, folder: order.append("forget"))
    monkeypatch.setattr(Pusher, "job", job)
    measured(image="layout", before="layout", counted=False)
    assert order == ["forget", "forget", *["push"] * 8]


def test_somebody_faster_may_prepare(
    monkeypatch: pytest.MonkeyPatch, measured: Callable[..., Sequence[Pusher]]
) -> None:
    def prepare(self: Pusher, push: Push, folder: Path) -> Job:
        self.done.append(f"prepared {push.repository}")
        return Job([])

    monkeypatch.setattr(Pusher, "prepare", prepare, raising=False)
    for pusher in measured(image="changed", before="layout", rounds=2, warm_up=False, counted=False):
        assert numbered(pusher.done) == [
            "forget", "prepared 1", "/changed to 1", "forget", "prepared 2", "/changed to 2"
        ]  # fmt: skip


def test_requests_are_counted_with_another_image(measured: Callable[..., Sequence[Pusher]]) -> None:
    for pusher in measured(image="layout", counted_image="light", warm_up=False):
        assert numbered(pusher.done)[-2:] == ["forget", "/light to 3"]
