# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal to stop becomes an exception in the main thread, and a module whose ansible-playbook is gone gets one.

ansible-playbook sends SIGTERM or SIGINT to its modules, as AWX and CI systems do; after a SIGKILL of
ansible-playbook nobody sends anything, so the module looks itself. Source: signal(7), proc(5).
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
import weakref
from contextlib import contextmanager, nullcontext
from types import FrameType, TracebackType
from typing import Any, Callable, ContextManager, Iterator, NamedTuple

from ._errors import CancelledError

WATCH_EVERY = 1.0
LONGEST_HOLD = 10.0  # seconds for which what was asked of a server goes on after a signal
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_MOST_ANCESTORS = 10
GOES_ON = "Run the task again: it goes on from what is there"


class StoppedError(BaseException):
    """The process was told to stop; no ``Exception``, so that nothing takes it for a failure that can be mended.

    It is raised once more if Python has dropped it. Who catches it, and goes on, calls ``catch``.
    """

    def __init__(self, signal_name: str, caught: threading.Event | None = None) -> None:
        super().__init__(f"stopped by {signal_name}")
        self._caught = caught

    def catch(self) -> None:
        """Say that it has arrived, so that it is not raised again."""
        if self._caught is not None:
            self._caught.set()


class StopSignals:
    """While the block runs, the first signal to stop raises StoppedError in the main thread; later ones do nothing.

    What undoes the work is not stopped itself. ``finish`` is called when the work is done: a signal that comes
    then is too late. A signal that was ignored when the process began, as with nohup, stays ignored.

    The kernel may give the signal to another thread, or before the main thread waits: then nothing ends its wait, so
    that a thread that hears of every signal sends it on. And it may come while a finalizer or the callback of a weak
    reference runs, and Python drops what is raised there: an exception that is neither caught nor on its way any more
    is raised anew. Source: signal(7); Python's "signal.set_wakeup_fd" and "object.__del__".
    """

    def __init__(self) -> None:
        self._finished = False
        self._caught = threading.Event()
        self._number: int = signal.SIGTERM
        self._raised: Callable[[], StoppedError | None] | None = None
        self._holds = 0
        self._longest_hold: float | None = None
        self._asked: float | None = None
        self._before: dict[signal.Signals, Any] = {}
        self._watcher: threading.Thread | None = None
        # What the pipe says: the numbers of signals, 0 at the end.
        self._pipe: tuple[int, int] | None = None
        self._wakeup_before = -1

    def __enter__(self) -> StopSignals:
        global _active
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                before = signal.getsignal(number)
                if before is not signal.SIG_IGN:
                    self._before[number] = before
                    signal.signal(number, self._stop)
            self._watch()
            _active = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        global _active
        self._finished = True
        if self._watcher is not None and self._pipe is not None:
            os.write(self._pipe[1], b"\0")
            self._watcher.join()  # it must not send a signal that nobody handles any more
        self._close_pipe()
        for number, before in self._before.items():
            signal.signal(number, before)
        if _active is self:
            _active = None

    def finish(self) -> None:
        """Let signals do nothing from now on."""
        self._finished = True

    @contextmanager
    def hold(self, at_most: float | None = None) -> Iterator[None]:
        """Raise what comes during the block at its end, or as soon as it was held for ``at_most`` seconds."""
        self._holds += 1
        if self._holds == 1:
            self._longest_hold = at_most
        try:
            yield
        finally:
            self._holds -= 1
            if self._asked is not None and not self._holds and self._is_open():
                raise self._new_error()

    def check(self, step: str) -> None:
        if self._asked is not None:
            raise CancelledError(f"stopped by {signal.Signals(self._number).name}", step=step, hint=GOES_ON)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if not self._is_open():
            return
        self._number = number
        if self._holds and not self._is_overdue():
            self._asked = self._asked or time.monotonic()
        else:
            raise self._new_error()

    def _is_open(self) -> bool:
        """Whether a signal is still to be raised."""
        return not self._finished and (self._raised is None or self._is_dropped())

    def _new_error(self) -> StoppedError:
        """Return an exception that nothing holds but who raises or handles it."""
        error = StoppedError(signal.Signals(self._number).name, self._caught)
        self._raised = weakref.ref(error)
        return error

    def _is_dropped(self) -> bool:
        return self._raised is not None and self._raised() is None and not self._caught.is_set()

    def _is_overdue(self) -> bool:
        asked, longest = self._asked, self._longest_hold
        return asked is not None and longest is not None and time.monotonic() - asked > longest

    def _watch(self) -> None:
        try:
            self._pipe = os.pipe()
            for end in self._pipe:
                os.set_blocking(end, False)
            self._wakeup_before = signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
            watcher = threading.Thread(target=self._watch_pipe, args=(self._pipe[0], ansible_ancestors()), daemon=True)
            watcher.start()
            self._watcher = watcher
        except (OSError, RuntimeError):  # no more files, no more threads
            self._close_pipe()

    def _close_pipe(self) -> None:
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            signal.set_wakeup_fd(self._wakeup_before)
            for end in pipe:
                os.close(end)

    def _watch_pipe(self, pipe: int, ancestors: list[Process]) -> None:
        main, alone, own = threading.main_thread().ident or 0, False, False
        while True:
            came = os.read(pipe, 64) if select.select([pipe], [], [], WATCH_EVERY)[0] else b""
            number = 0
            if 0 in came:
                return
            if came:
                if not own and came[-1] in self._before:
                    number = came[-1]
                own = False
            elif self._is_dropped() or (self._holds and self._is_overdue()):
                number = self._number
            elif not alone and any(map(has_ended, ancestors)):
                alone, number = True, signal.SIGTERM
            if number and self._is_open():
                own = True  # the pipe tells of this one, too
                signal.pthread_kill(main, number)


# Those of the running module: there is one main thread, and one set of handlers.
_active: StopSignals | None = None


def held(at_most: float | None = None) -> ContextManager[None]:
    """Return a block that no signal to stop interrupts, as what it has asked a server for would go on without it.

    The signal raises at its end, or after ``at_most`` seconds. In other threads than the main thread none ever does.
    """
    if _active is None or threading.current_thread() is not threading.main_thread():
        return nullcontext()
    return _active.hold(at_most)


def check_stop(step: str) -> None:
    """Raise CancelledError, in any thread, where a signal has come that is held back: nothing more is begun."""
    if _active is not None:
        _active.check(step)


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


def has_ended(process: Process) -> bool:
    """Whether a process that ran has ended. One whose own parent has ended, as with nohup, has another one now."""
    now = process_of(process.pid)
    return now is None or now.started != process.started


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
