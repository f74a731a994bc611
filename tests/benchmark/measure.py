# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a job and tells how long it took, how much processor time, and how much memory its largest process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LAUNCH = Path(__file__).parent / "launch.py"


class BenchmarkFailed(Exception):
    """Something that was to be measured did not do its work."""


@dataclass(frozen=True)
class Job:
    """Commands that do one piece of work together, one after another or all at the same time.

    Where ``inner`` is given, what counts are the samples in that file, not the commands'.
    """

    commands: Sequence[Sequence[str]]
    parallel: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    inner: Path | None = None


@dataclass(frozen=True)
class Sample:
    """What a job took: seconds of wall clock and processor (user and system), peak bytes; when it began (time(2))."""

    wall: float
    cpu: float
    memory: int
    started: float = 0.0


def run(job: Job, folder: Path) -> Sample:
    """Run a job and return what it took; raises BenchmarkFailed with the end of its output."""
    log = folder / "output.log"
    log.unlink(missing_ok=True)
    if job.inner is not None:
        job.inner.unlink(missing_ok=True)
    what = {
        "commands": [list(command) for command in job.commands],
        "parallel": job.parallel,
        "environment": {**clean_environment(folder), **job.environment},
        "log": str(log),
        "folder": str(folder),
    }
    # What the last job has left to write is not to slow this one.
    os.sync()
    command = [sys.executable, "-I", "-S", str(LAUNCH)]
    ended = subprocess.run(command, input=json.dumps(what), capture_output=True, text=True, check=False)
    told: dict[str, Any] = json.loads(ended.stdout) if ended.returncode == 0 else {"status": ended.stderr}
    if told["status"]:
        output = log.read_text(errors="replace")[-3000:] if log.exists() else ""
        raise BenchmarkFailed(f"{' '.join(job.commands[0])}\nended with {told['status']}\n{output}")
    if job.inner is not None:
        told = json.loads(job.inner.read_text().splitlines()[-1])
    return Sample(told["wall"], told["cpu"], told["memory"], told["started"])


def clean_environment(folder: Path) -> dict[str, str]:
    """Return an environment in which nothing of the user's configuration, logins or caches counts."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "PYTHONPATH") if name in os.environ}
    return {**kept, "HOME": str(home), "TMPDIR": str(folder), "PYTHONUTF8": "1"}
