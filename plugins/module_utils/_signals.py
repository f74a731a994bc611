# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal to stop becomes an exception in the main thread, and a module whose ansible-playbook is gone gets one.

ansible-playbook sends SIGTERM or SIGINT to its modules, as AWX and CI systems do; after a SIGKILL of
ansible-playbook nobody sends anything, so the module looks itself. Source: signal(7), proc(5).
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, NamedTuple

LOOK_EVERY = 1.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_MOST_ANCESTORS = 10


class StoppedError(BaseException):
    """The process was told to stop; no ``Exception``, so that nothing takes it for a failure that can be mended."""

    def __init__(self, signal_name: str) -> None:
        super().__init__(f"stopped by {signal_name}")


class StopSignals:
    """While the block runs, the first signal to stop raises StoppedError in the main thread; later ones do nothing.

    What undoes the work is not stopped itself. ``finish`` is called when the work is done: a signal that comes
    then is too late. A signal that was ignored when the process began, as with nohup, stays ignored.
    """

    def __init__(self) -> None:
        self._armed = True
        self._before: dict[signal.Signals, Any] = {}
        self._ended = threading.Event()

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                before = signal.getsignal(number)
                if before is not signal.SIG_IGN:
                    self._before[number] = before
                    signal.signal(number, self._stop)
            self._watch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._armed = False
        for number, before in self._before.items():
            signal.signal(number, before)

    def finish(self) -> None:
        """Let signals do nothing from now on."""
        self._armed = False

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if self._armed:
            self._armed = False
            raise StoppedError(signal.Signals(number).name)

    def _watch(self) -> None:
        ancestors = ansible_ancestors()
        if not ancestors:
            return

        def look() -> None:
            while not self._ended.wait(LOOK_EVERY):
                if any(process_of(one.pid) != one for one in ancestors):
                    os.kill(os.getpid(), signal.SIGTERM)
                    return

        try:
            threading.Thread(target=look, daemon=True).start()
        except RuntimeError:  # no more threads
            pass


class Process(NamedTuple):
    """A process that runs: its number, when it was started (in clock ticks since boot), and its parent's number."""

    pid: int
    started: int
    parent: int


def process_of(pid: int) -> Process | None:
    """Return a process, None where it has ended or the system does not tell."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return None if fields[0] in (b"Z", b"X") else Process(pid, int(fields[19]), int(fields[1]))
    except (OSError, ValueError, IndexError):
        return None


def ansible_ancestors() -> list[Process]:
    """Return the processes of Ansible that this one was started by, from the nearest on.

    There are none on a host that is reached over SSH but the shell, and none at all for a task that Ansible has
    put into the background itself (``async``).
    """
    found: list[Process] = []
    pid = os.getppid()
    for _level in range(_MOST_ANCESTORS):
        process = process_of(pid) if pid > 1 else None
        if process is None:
            break
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                command = file.read(1 << 16).lower()
        except OSError:
            break
        if b"async_wrapper" in command:
            return []
        if b"ansib" in command:
            found.append(process)
        pid = process.parent
    return found
