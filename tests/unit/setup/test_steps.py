# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps run in order of their needs, and what is printed at the end is what happened."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TextIO

import pytest

from tests.setup import places, summary
from tests.setup.commands import CommandFailed
from tests.setup.failure import SetupFailed
from tests.setup.steps import Counts, FailedTests, Result, Run, Step


@pytest.fixture(autouse=True)
def _logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "ROOT", tmp_path)
    monkeypatch.setattr(places, "LOGS", tmp_path / "logs")


def passes(log: TextIO) -> None:
    log.write("fine\n")


def fails(log: TextIO) -> None:
    log.write("the reason\n")
    raise CommandFailed("tool ended with status 3")


def lacks(log: TextIO) -> None:
    raise SetupFailed("missing: thing. Run: apt-get install thing")


def breaks(log: TextIO) -> None:
    raise ZeroDivisionError("division by zero")


def counts(passed: int, failed: int = 0, skipped: int = 0) -> Counts:
    return Counts(passed, failed, skipped)


def ended(*steps: Step) -> dict[str, Result]:
    return {result.step.name: result for result in Run(steps, lambda result: None).all()}


def test_what_fails_stops_only_what_needs_it() -> None:
    results = ended(
        Step("environment", lacks, sets_up=True),
        Step("tests", passes, needs=("environment",)),
        Step("after the tests", passes, needs=("tests",)),
        Step("lint", passes),
    )
    assert [name for name, result in results.items() if result.passed] == ["lint"]
    assert not results["tests"].ran
    assert not results["after the tests"].ran
    assert "environment" in results["tests"].error


def test_a_step_waits_for_what_it_needs() -> None:
    order: list[str] = []
    ended(
        Step("second", lambda log: order.append("second"), needs=("first",)),
        Step("first", lambda log: order.append("first")),
    )
    assert order == ["first", "second"]


def test_steps_of_one_group_never_run_together_and_others_do() -> None:
    both = threading.Barrier(2, timeout=30)
    running: list[str] = []

    def exclusive(log: TextIO) -> None:
        running.append("in")
        assert running.count("in") - running.count("out") == 1
        both.wait()
        running.append("out")

    def together(log: TextIO) -> None:
        both.wait()

    results = ended(
        Step("zone a", exclusive, group="zone"),
        Step("zone b", exclusive, group="zone"),
        Step("lint a", together),
        Step("lint b", together),
    )
    assert [result.error for result in results.values()] == [""] * 4


@pytest.mark.parametrize(("action", "said"), [(fails, "status 3"), (lacks, "apt-get"), (breaks, "ZeroDivisionError")])
def test_any_failure_is_a_failed_step_with_its_reason(action: object, said: str) -> None:
    result = ended(Step("step", action))["step"]  # type: ignore[arg-type]
    assert not result.passed
    assert said in result.error


def some_fail(log: TextIO) -> Counts:
    raise FailedTests(counts(7, 2, 1))


@pytest.mark.parametrize(
    ("steps", "last_line", "status"),
    [
        ([Step("lint", passes)], "1 passed, 0 failed", 0),
        ([Step("unit", lambda log: counts(40, 0, 1)), Step("lint", passes)], "41 passed, 0 failed", 0),
        ([Step("unit", some_fail), Step("lint", passes)], "8 passed, 2 failed", 1),
        ([Step("unit", fails), Step("lint", passes)], "1 passed, 1 failed", 1),
        ([Step("environment", passes, sets_up=True), Step("lint", passes)], "1 passed, 0 failed", 0),
        ([Step("environment", lacks, sets_up=True), Step("lint", passes, ("environment",))], "0 passed, 1 failed", 1),
        ([Step("environment", passes, sets_up=True)], "0 passed, 0 failed", 1),
        ([Step("unit", breaks)], "0 passed, 1 failed", 1),
    ],
)
def test_the_last_line_and_the_status(
    steps: list[Step], last_line: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    results = list(ended(*steps).values())
    assert summary.conclude(results, 1.0, []) == status
    assert capsys.readouterr().out.splitlines()[-1] == last_line


def test_a_failed_step_shows_the_end_of_its_log(capsys: pytest.CaptureFixture[str]) -> None:
    summary.report(ended(Step("ansible-lint: all", fails))["ansible-lint: all"])
    shown = capsys.readouterr().out
    assert "the reason" in shown
    assert "logs/ansible-lint--all.log" in shown


def test_what_was_left_out_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    summary.conclude(list(ended(Step("lint", passes)).values()), 1.0, ["ansible-core newest did not run"])
    assert "ansible-core newest did not run" in capsys.readouterr().out
