# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs pytest in a cell and counts what it ran."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO
from xml.etree import ElementTree

from . import collections_wheel, places, tree
from .cells import Cell
from .commands import CommandFailed, run, surroundings
from .environments import Environment
from .steps import Counts, FailedTests


def pytest(
    name: str, cell: Cell, environment: Environment, folders: Sequence[str], thorough: bool, log: TextIO
) -> Counts:
    """Run the tests of these folders; raises FailedTests, or CommandFailed where none could run.

    Without ``thorough``, tests of that mark are left out.
    """
    missing = [folder for folder in folders if not (places.ROOT / folder).is_dir()]
    if missing:
        raise CommandFailed(f"there is no {', '.join(missing)}")
    report = places.LOGS / f"{name}-{cell.name}.xml"
    report.unlink(missing_ok=True)
    found = [str(tree.linked()), str(collections_wheel.folder(cell.collections))]
    env = surroundings(environment.bin, ANSIBLE_COLLECTIONS_PATH=":".join(found))
    # Zone tests take long and are of very different length: a worker that has none left takes another's.
    command: list[str | Path] = [environment.bin / "python", "-m", "pytest", "-n", "2", "--dist", "worksteal"]
    command += ["-q", "-ra", "--durations=15", "-o", f"cache_dir={places.BUILD / 'pytest' / cell.name}"]
    command += [f"--junitxml={report}", *([] if thorough else ["-m", "not thorough"])]
    try:
        run([*command, *folders], log, env=env, minutes=40)
    except CommandFailed:
        counts = _counts(report)
        if counts.failed:
            raise FailedTests(counts) from None
        raise
    counts = _counts(report)
    if not counts.passed:
        raise CommandFailed(f"no test ran in {', '.join(folders)}")
    return counts


def _counts(report: Path) -> Counts:
    if not report.is_file():
        return Counts()
    passed = failed = skipped = 0
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return Counts(passed, failed, skipped)
