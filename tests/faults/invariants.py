# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds whatever goes wrong: errors are typed, told and true, and no zone is other than it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.appuio.registry.plugins.module_utils._errors import CancelledError

from .operations import Operation
from .scene import Run, Scene

UNKNOWN = "not known"


def broken(
    operation: Operation,
    scene: Scene,
    run: Run,
    before: dict[str, Any],
    after: dict[str, Any],
    untold: Callable[[Scene, Run], Iterator[str]] | None = None,
) -> list[str]:
    """Return what does not hold after a run, a sentence each; ``untold`` says what a failure has to tell."""
    found = [*(untold or _untold)(scene, run), *_unsafe(scene, run), *_untrue(operation, scene, run, before, after)]
    if run.files:
        found.append(f"left behind: {run.files}")
    if operation.reads and any(run.writes.values()):
        found.append(f"wrote: {run.writes}")
    return found


def _untold(scene: Scene, run: Run) -> Iterator[str]:
    """A failure names each zone that failed and the step, and says what to do next."""
    text = str(run.result.get("msg"))
    if not run.failed:
        return
    if "bug in appuio.registry" in text or "Traceback" in text:
        yield f"untyped: {text}\n{run.result.get('exception', '')[-1500:]}"
        return
    entries = {zone.name: run.zone(zone.name) for zone in scene.zones}
    if not all(entries.values()):
        yield f"zones are missing in the result: {text}"
        return
    failed = {name: entry for name, entry in entries.items() if entry.get("failed")}
    if not failed:
        yield f"no zone failed: {text}"
    for name, entry in failed.items():
        told = str(entry.get("error"))
        made = [error for error in run.errors if str(error) == told]
        if name not in told:
            yield f"the zone is not named: {told}"
        if made and all(isinstance(error, CancelledError) for error in made):
            continue
        if told not in text:
            yield f"the failure does not tell of {name}: {text}"
        if not any(error.step for error in made):
            yield f"no step: {told}"
        if not any(error.hint for error in made):
            yield f"no next step: {told}"


def _unsafe(scene: Scene, run: Run) -> Iterator[str]:
    """Nothing that is printed holds a credential or a control character."""
    for text in _texts(run.result):
        if any(not char.isprintable() for char in text):
            yield f"control characters: {text!r}"
    printed = json.dumps(run.result)
    if any(token in printed for token in scene.tokens.values()):
        yield f"a credential is shown: {run.result.get('msg')}"


def _untrue(
    operation: Operation, scene: Scene, run: Run, before: dict[str, Any], after: dict[str, Any]
) -> Iterator[str]:
    """What is told as changed was, and nothing else; of what is atomic, all zones were changed or none."""
    text = str(run.result.get("msg"))
    changed = {name: before[name] != after[name] for name in before}
    known = before[scene.zones[0].name] is not None or after[scene.zones[0].name] is not None
    if not run.failed and known and not operation.keeps and not all(changed.values()):
        yield f"no failure, but changed: {changed}"
    if operation.keeps and not run.failed:
        for name, there in after.items():
            kept = {one["tag"] for one in run.zone(name)["kept"]}
            if kept != set(there):
                yield f"{name} has {sorted(there)}, told as kept: {sorted(kept)}"
    for name in changed:
        entry = run.zone(name)
        if known and entry and bool(entry.get("changed")) != changed[name] and UNKNOWN not in str(entry.get("error")):
            yield f"{name} changed: {changed[name]}, told: {entry.get('changed')}, {entry.get('error')}"
    if operation.atomic and len(set(changed.values())) > 1 and UNKNOWN not in text:
        yield f"zones are apart: {changed}, {text}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("exception", "invocation"):
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
