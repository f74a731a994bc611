# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts commands and tells what they took; a program of its own, as small as can be.

A process inherits the peak memory of the one that started it (getrusage(2), ru_maxrss), so a large parent
would be measured instead of a small child. ``python -I -S launch.py`` with a job as JSON on its standard
input prints a sample as JSON; ``launch.py --interpreter FILE PROGRAM ARGUMENT...`` stands in for an
interpreter and appends its sample to the file.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> int:
    """Run what is asked for and return the exit status."""
    if sys.argv[1:2] == ["--interpreter"]:
        sample = _run([sys.argv[3:]], False, dict(os.environ), None)
        with open(sys.argv[2], "a") as file:
            file.write(json.dumps(sample) + "\n")
        return 1 if sample["status"] else 0
    job = json.load(sys.stdin)
    os.chdir(job["folder"])
    print(json.dumps(_run(job["commands"], job["parallel"], job["environment"], job["log"])))
    return 0


def _run(commands: list, parallel: bool, environment: dict, log: str | None) -> dict:
    """Run the commands, one after another until one fails or all at the same time; seconds and bytes."""
    started, begin = time.time(), time.monotonic()
    sample = {"started": started, "status": 0, "cpu": 0.0, "memory": 0}
    running = []
    for command in commands:
        running.append(_start(command, environment, log))
        if not parallel:
            _wait(running.pop(), sample)
            if sample["status"]:
                break
    for process in running:
        _wait(process, sample)
    return {**sample, "wall": time.monotonic() - begin}


def _start(command: list, environment: dict, log: str | None) -> int:
    actions = []
    if log is not None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
        actions += [(os.POSIX_SPAWN_OPEN, stream, log, flags, 0o600) for stream in (1, 2)]
    return os.posix_spawnp(command[0], command, environment, file_actions=actions)


def _wait(process: int, sample: dict) -> None:
    _process, status, used = os.wait4(process, 0)
    sample["status"] = sample["status"] or os.waitstatus_to_exitcode(status)
    sample["cpu"] += used.ru_utime + used.ru_stime
    sample["memory"] = max(sample["memory"], used.ru_maxrss * 1024)


if __name__ == "__main__":
    sys.exit(main())
