# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that get a signal at a random moment, of each kind so many, and the table of how they ended."""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.zone import LocalZones

Kind = tuple[str, str]


@dataclass(frozen=True)
class Outcome:
    """How far a run was when it ended, or how it ended, and what is wrong with that."""

    ended: str
    wrong: list[str]


def until(process: subprocess.Popen[Any], happened: Callable[[], bool]) -> None:
    """Wait until something has happened, or the process has ended."""
    while process.poll() is None and not happened():
        time.sleep(0.005)


def parser(
    name: str, description: str | None, *, runs: int, size: int, unit: str, sized: str
) -> argparse.ArgumentParser:
    """Return the parser of what all of them take; ``sized`` is what the size is of."""
    made = argparse.ArgumentParser(prog=f"python -m tests.faults.{name}", description=description)
    made.add_argument("--runs", type=int, default=runs, help="runs of each kind (%(default)s)")
    made.add_argument("--size", type=int, default=size, metavar=unit, help=f"size of {sized} (%(default)s)")
    made.add_argument("--seed", type=int, default=int(time.time()), help="of the moments")
    return made


def run_all(
    options: argparse.Namespace,
    folder: Path,
    kinds: Sequence[Kind],
    between: str,
    begin: Callable[[LocalZones], tuple[str, Callable[[Kind, random.Random], Outcome]]],
    heads: tuple[str, str, str],
) -> int:
    """Do the runs in three zones, print the table, and return 1 if anything was wrong; removes the folder.

    ``begin`` returns what is printed first, and what does one run. ``between`` joins the words of a kind in messages,
    ``heads`` are those of the table that differ.
    """
    ended: dict[Kind, Counter[str]] = {kind: Counter() for kind in kinds}
    wrong = Counter[Kind]()
    chance = random.Random(options.seed)
    try:
        with LocalZones(3, directory=folder / "zones") as zones:
            first, run = begin(zones)
            print(f"seed {options.seed}; {first}", flush=True)
            for turn, kind in itertools.product(range(options.runs), kinds):
                outcome = run(kind, chance)
                ended[kind][outcome.ended] += 1
                wrong[kind] += bool(outcome.wrong)
                for text in outcome.wrong:
                    print(f"run {turn}, {between.join(kind)}: {text}", flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n| {heads[0]} | {heads[1]} | runs | wrong | {heads[2]} |\n|---|---|---:|---:|---|")
    for kind, counted in ended.items():
        how = "; ".join(f"{count} {what}" for what, count in counted.most_common())
        print(f"| {kind[0]} | {kind[1]} | {counted.total()} | {wrong[kind]} | {how} |")
    return int(wrong.total() > 0)
