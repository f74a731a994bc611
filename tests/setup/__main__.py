# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m tests.setup TARGET``: what the Makefile calls."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from types import FrameType

from . import cells, places
from .commands import stop_all, surroundings
from .failure import SetupFailed
from .locks import alone
from .plan import Plan
from .steps import Run
from .summary import conclude, report, say

# What is set up and then takes the place of this process.
_SHOWS = ("demo", "bench")
_TARGETS = ("unit", "zone", "interop", "sanity", "lint", "artifact")
# What is wanted before a release, and no part of "test".
_APART = ("importer",)


def main() -> int:
    """Run the target and return the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.setup")
    parser.add_argument("target", choices=("test", *_SHOWS, *_TARGETS, *_APART))
    target = parser.parse_args().target
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        with alone():
            return _show(target) if target in _SHOWS else _checks(target)
    except SetupFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        stop_all()
        print("stopped", file=sys.stderr)
        return 130


def _checks(target: str) -> int:
    plan = Plan()
    for name in _TARGETS if target == "test" else (target,):
        getattr(plan, name)()
    say(f"Pythons: {', '.join(f'{cell.python} for ansible-core {cell.name}' for cell in plan.cells)}")
    say(f"Logs: {places.LOGS.relative_to(places.ROOT)}")
    started = time.monotonic()
    results = Run(plan.steps(), report).all()
    return conclude(results, time.monotonic() - started, cells.left_out())


def _show(target: str) -> int:
    """Set up what the demo or the benchmark needs, then become it."""
    plan = Plan()
    command: list[str] = getattr(plan, target)()
    results = Run(plan.steps(), report).all()
    if not all(result.passed for result in results):
        return 1
    sys.stdout.flush()
    os.chdir(places.ROOT)
    return os.execve(command[0], command, surroundings())


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
