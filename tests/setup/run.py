# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs sessions of nox in two lanes: a log and a line for each, failed tests at once, reasons and count at the end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from . import LOGS, ROOT
from .environment import without_settings
from .failures import reasons
from .targets import Lanes

# As pytest with workers names a test that has just failed, and as it counts at the end.
_FAILED_NOW = re.compile(r"\[gw\d+\] \[ *\d+%\] (FAILED|ERROR) (.+)")
_COUNTED = re.compile(r"=* ?((?:\d+ [a-z]+, )*\d+ [a-z]+) in [0-9.]+s\b")


@dataclass
class Counts:
    """How many tests ran."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0


@dataclass
class Run:
    """Sessions and what they counted; ``nox`` is the command, to which the session is added."""

    nox: Sequence[str]
    total: Counts = field(default_factory=Counts)
    sessions: int = 0
    _failures: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _running: set[subprocess.Popen[str]] = field(default_factory=set)
    _stopped: bool = False

    def all(self, lanes: Lanes, notes: Sequence[str]) -> int:
        """Run the lanes side by side, print the summary, and return the exit status."""
        started = time.monotonic()
        signal.signal(signal.SIGTERM, _interrupt)
        LOGS.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(len(lanes)) as pool:
            try:
                for future in [pool.submit(self._lane, lane) for lane in lanes]:
                    future.result()
            except BaseException:
                self._stop()
                raise
        # Once more, as the end is what one sees of a long log.
        for failure in self._failures:
            print(f"\n{failure}")
        print()
        for note in notes:
            print(note)
        minutes = (time.monotonic() - started) / 60
        print(f"{self.sessions} sessions in {minutes:.1f} minutes. Counted: tests one by one, other checks as one")
        if self.total.skipped:
            print(f"Skipped and not counted: {self.total.skipped}")
        print(f"{self.total.passed} passed, {self.total.failed} failed", flush=True)
        return 0 if self.total.passed and not self.total.failed else 1

    def _lane(self, names: Sequence[str]) -> None:
        for name in names:
            if self._stopped:
                return
            self._session(name)

    def _session(self, name: str) -> None:
        started = time.monotonic()
        lines: list[str] = []
        with open(LOGS / f"{name}.log", "w", encoding="utf-8") as log, self._started(name) as process:
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
                log.flush()
                lines.append(line.rstrip("\n"))
                failed = _FAILED_NOW.match(lines[-1])
                if failed:
                    self._print(f"{failed[1]:<8}{name}: {failed[2].rstrip()}")
        self._running.discard(process)
        if self._stopped:
            return
        counts = count(lines, process.returncode == 0)
        with self._lock:
            self.sessions += 1
            self.total.passed += counts.passed
            self.total.failed += counts.failed
            self.total.skipped += counts.skipped
        word = "FAILED" if process.returncode else "ok"
        numbers = f"{counts.passed} passed" + (f", {counts.failed} failed" if counts.failed else "")
        self._print(f"{word:<8}{name:<24}{time.monotonic() - started:8.1f} s  {numbers}")
        if process.returncode:
            why = "\n".join(f"    | {line}" for line in reasons(lines))
            where = f"    the whole log: {(LOGS / name).relative_to(ROOT)}.log"
            self._failures.append(f"FAILED  {name}\n{why}\n{where}")
            self._print(f"{why}\n{where}")

    def _started(self, name: str) -> subprocess.Popen[str]:
        # CI tells antsibull-nox to check and change nothing.
        env = {**without_settings(), "CI": "true", "PYTHONUNBUFFERED": "1"}
        # antsibull-nox calls the ansible-galaxy beside nox.
        env["PATH"] = os.pathsep.join([str(Path(self.nox[0]).parent), env.get("PATH", os.defpath)])
        process = subprocess.Popen(
            [*self.nox, "-s", name],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._running.add(process)
        return process

    def _print(self, text: str) -> None:
        with self._lock:
            print(text, file=sys.stdout, flush=True)

    def _stop(self) -> None:
        """Let no other session start, and end those that run; nox ends what it started."""
        self._stopped = True
        for process in list(self._running):
            process.send_signal(signal.SIGINT)


def count(lines: Sequence[str], passed: bool) -> Counts:
    """Return what pytest counted in the lines of a session; one check where it counted nothing.

    A session that failed counts at least one failure, whatever its tests say.
    """
    counts = Counts()
    for line in lines:
        counted = _COUNTED.match(line)
        for number, word in re.findall(r"(\d+) ([a-z]+)", counted[1]) if counted else ():
            counts.passed += int(number) if word == "passed" else 0
            counts.failed += int(number) if word in ("failed", "error", "errors") else 0
            counts.skipped += int(number) if word == "skipped" else 0
    if passed and not counts.passed:
        counts.passed = 1
    if not passed and not counts.failed:
        counts.failed = 1
    return counts


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt
