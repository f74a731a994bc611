# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix: each fault in each operation, from the first request on or later, for good or once."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from .faults import FAULTS, SILENT, SLOW, Fault
from .invariants import broken
from .operations import BY_NAME, OPERATIONS, Operation
from .scene import Scene

pytestmark = pytest.mark.thorough  # in this process, without ansible-core

ALL_CELLS = "ALL_FAULTS" in os.environ
# What is believed: where a registry itself says that it has no such tag, there is nothing to remove.
BELIEVED = {("remove a tag", "registry", name) for name in ("404", "404 of no resource")}
# What takes long is tried with every third fault.
MANY_REQUESTS = 20
Sides = dict[str, list[bool]]


def whole_run(operation: Operation, scene: Scene) -> Sides:
    """Run it without a fault, twice; return, of each side of the last zone, which of the requests are writes."""
    for _time in range(2):
        options = operation.prepare(scene)
        before = operation.state(scene, options)
        run = operation.run(scene, options)
        assert not run.failed, run.result["msg"]
        assert broken(operation, scene, run, before, operation.state(scene, options)) == []
    records = scene.zones[-1].requests()
    return {side: [one["writes"] for one in records if one["side"] == side] for side in operation.sides}


def places(writes: list[bool]) -> list[int]:
    """Return before which requests a fault begins: the first, the first write, the last write, the last one."""
    changing = [number for number, writing in enumerate(writes) if writing]
    return sorted({0, *changing[:1], *changing[-1:], len(writes) - 1} if writes else set())


def cells(faults: list[Fault], numbers: list[int]) -> Iterator[tuple[Fault, int]]:
    """Yield every fault and every place, as a rule each fault at one place and each place with some faults."""
    for index in range(max(len(faults), len(numbers)) if numbers else 0):
        fault, number = faults[index % len(faults)], numbers[index % len(numbers)]
        yield from ((fault, each) for each in numbers) if ALL_CELLS and index < len(faults) else [(fault, number)]


def in_cell(operation: Operation, scene: Scene, side: str, fault: Fault, place: int, count: int | None) -> list[str]:
    """Return what does not hold in one cell, each with the cell's name."""
    if (operation.name, side, fault.name) in BELIEVED:
        return []
    options = operation.prepare(scene)
    before = operation.state(scene, options)
    zone = scene.zones[-1]
    number = fault.add(zone, side, place, count)
    run = operation.run(scene, options)
    hit = zone.faults.hits(number)
    zone.faults.clear()
    found = broken(operation, scene, run, before, operation.state(scene, options))
    if run.failed and count and hit:
        found.append(f"not survived: {run.result['msg']}")
    elif run.failed:
        again = operation.run(scene, options)
        if again.failed:
            found.append(f"does not work afterwards: {again.result['msg']}")
    return [f"[{operation.name} | {fault.name} | {side}, request {place}] {text}" for text in found]


def all_of(operation: Operation, scene: Scene, *, passing: bool = False) -> str:
    """Return what does not hold in all cells of an operation, a line each."""
    found = []
    for side, writes in whole_run(operation, scene).items():
        faults = [fault for fault in FAULTS if fault.passes or not passing]
        numbers = list(range(len(writes))) if passing else places(writes)
        if not ALL_CELLS and (len(writes) > MANY_REQUESTS or len(scene.zones) > 1):
            faults, numbers = faults[::3], numbers[:1] + numbers[1:-1:3] + numbers[-1:]
        for fault, place in cells(faults, numbers):
            found += in_cell(operation, scene, side, fault, place, 1 if passing else None)
    return "\n".join(found)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_fault_that_stays(scene: Scene, name: str) -> None:
    found = all_of(BY_NAME[name], scene)
    assert not found, found


@pytest.mark.parametrize("name", BY_NAME)
def test_a_fault_that_passes(scene: Scene, name: str) -> None:
    found = all_of(BY_NAME[name], scene, passing=True)
    assert not found, found


@pytest.mark.parametrize("name", [operation.name for operation in OPERATIONS if operation.atomic])
def test_one_zone_of_three(three: Scene, name: str) -> None:
    found = all_of(BY_NAME[name], three)
    assert not found, found


@pytest.mark.parametrize("name", [operation.name for operation in OPERATIONS if not operation.atomic])
def test_a_dead_zone_leaves_the_others_alone(three: Scene, name: str) -> None:
    operation = BY_NAME[name]
    options = operation.prepare(three)
    before = operation.state(three, options)
    whole = operation.run(three, options) if operation.reads else None
    three.zones[1].stop()
    run = operation.run(three, options)
    three.zones[1].start()
    after = operation.state(three, options)
    assert broken(operation, three, run, before, after) == []
    assert [bool(run.zone(zone.name).get("failed")) for zone in three.zones] == [False, True, False]
    assert [zone.name in run.result["msg"] for zone in three.zones] == [False, True, False]
    if whole is not None:
        assert [run.zone(zone.name) == whole.zone(zone.name) for zone in three.zones] == [True, False, True]
    elif name != "bound token":  # which leaves nothing behind
        assert [before[zone.name] != after[zone.name] for zone in three.zones] == [True, False, True]


@pytest.mark.parametrize("name", ["login", "promote", "access", "stream"])
def test_an_answer_that_comes_slowly_is_waited_for(scene: Scene, name: str) -> None:
    operation = BY_NAME[name]
    options = operation.prepare(scene)
    before = operation.state(scene, options)
    for side in operation.sides:
        SLOW.add(scene.zones[0], side, 0)
    run = operation.run(scene, options)
    scene.zones[0].faults.clear()
    assert broken(operation, scene, run, before, operation.state(scene, options)) == []
    assert not run.failed, run.result["msg"]


@pytest.mark.parametrize("name", ["login", "push", "promote", "info", "prune", "account"])
def test_an_answer_that_never_comes_is_not_waited_for(scene: Scene, name: str) -> None:
    operation = BY_NAME[name]
    writes = whole_run(operation, scene)[operation.sides[0]]
    place = writes.index(True) if True in writes else len(writes) - 1
    options = {**operation.prepare(scene), "timeout": 1, "retries": 0}
    before = operation.state(scene, options)
    SILENT.add(scene.zones[0], operation.sides[0], place)
    run = operation.run(scene, options)
    scene.zones[0].faults.clear()
    # A busy machine may meet the timeout before: it is a failure, and told as one, either way.
    assert broken(operation, scene, run, before, operation.state(scene, options)) == []
    assert any("made no progress for 1 s" in str(error) for error in run.errors)
    if run.failed:
        again = operation.run(scene, {**options, "timeout": 300})
        assert not again.failed, again.result["msg"]


@pytest.mark.parametrize("name", BY_NAME)
def test_check_mode_writes_nothing(scene: Scene, name: str) -> None:
    operation = BY_NAME[name]
    for fault in [None, *FAULTS[:: 1 if ALL_CELLS else 8]]:
        options = operation.prepare(scene)
        before = operation.state(scene, options)
        if fault is not None:
            fault.add(scene.zones[0], operation.sides[-1], 1)
        run = operation.run(scene, options, check=True)
        scene.zones[0].faults.clear()
        assert not any(run.writes.values()), f"{fault}: {run.writes}"
        assert operation.state(scene, options) == before
        assert run.files == []
