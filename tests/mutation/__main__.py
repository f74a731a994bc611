# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.mutation``: the unit tests against each mutation, two at a time, and the score."""

from __future__ import annotations

import argparse
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .report import write
from .table import ROOT, Mutation, TableError, read

_AT_A_TIME = 2
_EVERYTHING = ["tests/unit/plugins"]
_HANGS_AFTER = 1800.0  # seconds; a mutation that hangs is noticed
_FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", re.MULTILINE)
_GENERATED = shutil.ignore_patterns(".build", ".git", "__pycache__", ".*_cache", ".hypothesis")


def main() -> int:
    """Run the mutations; return 1 if the table does not fit the code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("only", nargs="*", help="parts of the names of files, such as _push/")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the score into this document")
    parser.add_argument("--check", action="store_true", help="only see whether the table fits the code")
    options = parser.parse_args()
    try:
        mutations = [each for each in read() if not options.only or any(part in each.file for part in options.only)]
        print(f"{len(mutations)} mutations fit the code", flush=True)
        if options.check:
            return 0
        with tempfile.TemporaryDirectory(prefix="mutations-") as scratch:
            noticed = _run(mutations, Path(scratch))
    except TableError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{sum(noticed.values())} of {len(noticed)} are noticed by the unit tests")
    if options.write:
        write(ROOT / options.write, noticed)
    return 0


def _run(mutations: list[Mutation], scratch: Path) -> dict[Mutation, bool]:
    """Return for each mutation whether a test failed; tests that fail without any are left out."""
    copies: queue.Queue[Path] = queue.Queue()
    for number in range(_AT_A_TIME):
        copies.put(shutil.copytree(ROOT, scratch / str(number), ignore=_GENERATED, symlinks=True))
    _status, output = _pytest(["-n", str(_AT_A_TIME), "-rfE", *_EVERYTHING], copies.queue[0])
    broken = _FAILED.findall(output)
    for test in broken:
        print(f"left out, as it fails without any mutation: {test}", flush=True)
    without = [f"--deselect={test}" for test in broken]

    def passes(tests: list[str], copy: Path) -> bool:
        status, output = _pytest(["-x", *without, *tests], copy)
        if status not in (0, 1, 2):  # 2: a test file can no longer be imported
            raise TableError(f"pytest ended with status {status} for {' '.join(tests)}: {output[-500:]}")
        return status == 0

    def noticed(mutation: Mutation) -> bool:
        copy = copies.get()
        file = copy / mutation.path
        whole = file.read_text(encoding="utf-8")
        try:
            file.write_text(mutation.applied_to(whole), encoding="utf-8")
            near = list(mutation.tests) or mutation.nearest_tests()
            # What those next to it do not notice, others may.
            failed = (bool(near) and not passes(near, copy)) or not passes(_EVERYTHING, copy)
        finally:
            file.write_text(whole, encoding="utf-8")
            copies.put(copy)
        print(f"{'noticed' if failed else 'SURVIVES':<10}{mutation.file}: {mutation.harm}", flush=True)
        return failed

    pool = ThreadPoolExecutor(_AT_A_TIME)
    try:
        return dict(zip(mutations, pool.map(noticed, mutations), strict=True))
    finally:
        pool.shutdown(cancel_futures=True)  # after Ctrl-C, those that wait do not begin


def _pytest(words: list[str], copy: Path) -> tuple[int, str]:
    """Run pytest in a copy; return its status, 1 if it hangs, and its output."""
    # No byte code: it would be taken for that of the next text of the same length and second.
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    try:
        ran = subprocess.run(
            command,
            cwd=copy,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_HANGS_AFTER,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, ""
    return ran.returncode, ran.stdout


if __name__ == "__main__":
    sys.exit(main())
