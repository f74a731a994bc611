# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the run prints: a line a step, the end of a failed step's log, and the count at the end."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from . import places
from .steps import Counts, Result

_TAIL = 60


def report(result: Result) -> None:
    """Print how a step ended, and the end of its log if it failed."""
    word = "ok" if result.passed else "FAILED" if result.ran else "not run"
    detail = _detail(result)
    print(f"{word:<8}{result.step.name:<36}{result.seconds:8.1f} s  {detail}".rstrip(), flush=True)
    if result.error and result.ran:
        log = places.LOGS / result.step.log_name
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in lines[-_TAIL:]:
            print(f"    | {line}")
        print(f"    {result.error}; the whole log: {log.relative_to(places.ROOT)}", flush=True)


def conclude(results: Sequence[Result], seconds: float, notes: Sequence[str]) -> int:
    """Print the notes, what is counted and the counts; return the exit status.

    Tests are counted one by one where their tool counts them, any other check as one. A step that
    sets something up counts only if it fails. What could not run is not counted, its cause is.
    """
    total = Counts()
    for result in results:
        total += _counted(result)
    idle = [result.step.name for result in results if not result.ran]
    print()
    for note in notes:
        print(note)
    if idle:
        print(f"Not run: {', '.join(idle)}")
    print(
        f"{len(results)} steps in {seconds / 60:.1f} minutes. Counted below: tests one by one, any other check as one"
    )
    if total.skipped:
        print(f"Skipped and not counted: {total.skipped}")
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 0 if all(result.passed for result in results) and total.passed else 1


def say(text: str) -> None:
    """Print a line at once."""
    print(text, file=sys.stdout, flush=True)


def _counted(result: Result) -> Counts:
    if not result.ran:
        return Counts()
    if result.error:
        counts = result.counts or Counts()
        return Counts(counts.passed, max(counts.failed, 1), counts.skipped)
    if result.step.sets_up:
        return Counts()
    return result.counts or Counts(passed=1)


def _detail(result: Result) -> str:
    if not result.ran:
        return result.error
    counts = result.counts
    if counts is None:
        return ""
    parts = [f"{counts.passed} passed"]
    parts += [f"{counts.failed} failed"] if counts.failed else []
    parts += [f"{counts.skipped} skipped"] if counts.skipped else []
    return ", ".join(parts)
