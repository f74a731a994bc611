# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that need one another, run two at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TextIO

from . import places
from .commands import CommandFailed, stop_all
from .failure import SetupFailed

AT_A_TIME = 2


@dataclass(frozen=True)
class Counts:
    """How many tests a step ran; ``of`` says what was counted."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


@dataclass(frozen=True)
class Step:
    """One line of the run. ``action`` writes into the log and returns counts where its tool gives them.

    It fails by raising CommandFailed or SetupFailed. ``needs`` names the steps that must have passed;
    steps of one ``group`` never run at the same time.
    """

    name: str
    action: Callable[[TextIO], Counts | None]
    needs: tuple[str, ...] = ()
    sets_up: bool = False
    group: str = ""

    @property
    def log_name(self) -> str:
        """The file name of its log."""
        return "".join(letter if letter.isalnum() or letter in ".-" else "-" for letter in self.name) + ".log"


@dataclass
class Result:
    """How a step ended: ``error`` is empty if it passed; ``seconds`` it took."""

    step: Step
    seconds: float = 0.0
    counts: Counts | None = None
    error: str = ""
    ran: bool = True

    @property
    def passed(self) -> bool:
        """Whether the step ran and nothing in it failed."""
        return self.ran and not self.error


@dataclass
class Run:
    """Steps and how they ended; ``report`` is called with each result as it comes."""

    steps: Sequence[Step]
    report: Callable[[Result], None]
    results: dict[str, Result] = field(default_factory=dict)

    def all(self) -> list[Result]:
        """Run every step whose needs are met, in their order as far as that allows, and return the results."""
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            try:
                self._drive(pool, list(self.steps))
            except BaseException:
                stop_all()
                raise
        return list(self.results.values())

    def _drive(self, pool: ThreadPoolExecutor, waiting: list[Step]) -> None:
        running: dict[Future[Result], Step] = {}
        while waiting or running:
            waiting = self._give_up(waiting)
            while len(running) < AT_A_TIME and (step := self._next(waiting, running.values())):
                waiting.remove(step)
                running[pool.submit(_perform, step)] = step
            done, _pending = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                del running[future]
                self._keep(future.result())

    def _keep(self, result: Result) -> None:
        self.results[result.step.name] = result
        self.report(result)

    def _next(self, waiting: Sequence[Step], running: Collection[Step]) -> Step | None:
        groups = {step.group for step in running if step.group}
        for step in waiting:
            if step.group not in groups and all(need in self.results for need in step.needs):
                return step
        return None

    def _give_up(self, waiting: Sequence[Step]) -> list[Step]:
        """Return what can still run; the rest gets a result that says what it lacked."""
        left = list(waiting)
        for step in waiting:
            lacking = [need for need in step.needs if need in self.results and not self.results[need].passed]
            if lacking:
                left.remove(step)
                self._keep(Result(step, error=f"not run, because this failed: {', '.join(lacking)}", ran=False))
                return self._give_up(left)
        return left


def _perform(step: Step) -> Result:
    started = time.monotonic()
    result = Result(step)
    places.LOGS.mkdir(parents=True, exist_ok=True)
    with open(places.LOGS / step.log_name, "w", encoding="utf-8") as log:
        try:
            result.counts = step.action(log)
        except FailedTests as failure:
            result.counts, result.error = failure.counts, str(failure)
        except (CommandFailed, SetupFailed) as failure:
            result.error = str(failure)
        except Exception as error:
            result.error = f"unexpected {type(error).__name__}: {error}"
    result.seconds = time.monotonic() - started
    return result


class FailedTests(Exception):
    """Tests ran, and some failed."""

    def __init__(self, counts: Counts) -> None:
        super().__init__(f"{counts.failed} failed")
        self.counts = counts
