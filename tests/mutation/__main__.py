# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.mutation``: the unit tests against each mutation, two at a time, and the score."""

from __future__ import annotations

import argparse
import os
import queue
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
_GENERATED = shutil.ignore_patterns(".build", ".git", "__pycache__", ".*_cache", ".hypothesis")


def main() -> int:
    """Run the mutations; return 1 if the table does not fit the code or the tests fail without any mutation."""
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
    """Return for each mutation whether a test failed; raises TableError if tests fail without any."""
    copies: queue.Queue[Path] = queue.Queue()
    for number in range(_AT_A_TIME):
        copies.put(shutil.copytree(ROOT, scratch / str(number), ignore=_GENERATED, symlinks=True))
    if not _pass(_EVERYTHING, copies.queue[0]):
        raise TableError("the unit tests fail as they are; run make unit")

    def noticed(mutation: Mutation) -> bool:
        copy = copies.get()
        file = copy / mutation.path
        whole = file.read_text(encoding="utf-8")
        try:
            file.write_text(mutation.applied_to(whole), encoding="utf-8")
            near = list(mutation.tests) or mutation.nearest_tests()
            # What those next to it do not notice, others may.
            failed = (bool(near) and not _pass(near, copy)) or not _pass(_EVERYTHING, copy)
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


def _pass(tests: list[str], copy: Path) -> bool:
    """Tell whether these tests pass in this copy."""
    # No byte code: it would be taken for that of the next text of the same length and second.
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *tests]
    try:
        ran = subprocess.run(
            command, cwd=copy, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=_HANGS_AFTER, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    if ran.returncode not in (0, 1, 2):  # 2: a test file can no longer be imported
        raise TableError(f"pytest ended with status {ran.returncode} for {' '.join(tests)}: {ran.stdout[-500:]!r}")
    return ran.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
