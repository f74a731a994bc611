# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module that tells how far it is, and shows that while it runs on the controller."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from contextlib import contextmanager
from types import FrameType
from typing import Any, Iterator

from ansible import constants
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display
from ansible_collections.appuio.registry.plugins.module_utils._push.progress import VARIABLE
from ansible_collections.appuio.registry.plugins.module_utils._push.progress_lines import ProgressLines

_READ_EVERY = 0.5
# Seconds after which a signal no longer waits for a line: ansible-playbook may read nothing any more.
_LONGEST_LINE = 5.0
_display = Display()


class WatchedModule(NormalAction):
    """The module as Ansible runs any other, with an audience where that is possible."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module and return its result; what goes wrong with the lines is nobody's failure."""
        if not self._is_watched():
            return self._module(tmp, task_vars)
        try:
            handle, path = tempfile.mkstemp(prefix="progress-", dir=constants.DEFAULT_LOCAL_TMP)
        except OSError:
            return self._module(tmp, task_vars)
        os.close(handle)
        environment = self._task.environment
        try:
            with _watched(path, str((task_vars or {}).get("inventory_hostname", ""))):
                self._task.environment = [*(environment or []), {VARIABLE: path}]
                return self._module(tmp, task_vars)
        finally:
            self._task.environment = environment
            _remove(path)

    def _module(self, tmp: Any, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        return result

    def _is_watched(self) -> bool:
        task = self._task
        if self._connection.transport != "local" or task.async_val or task.check_mode or task.no_log:
            return False
        try:
            return bool(boolean(task.args.get("progress", True)))
        except TypeError:
            return False  # the module says what is wrong with it


@contextmanager
def _watched(path: str, host: str) -> Iterator[None]:
    """Show what is written to the file, until the block ends."""
    ended, showing = threading.Event(), threading.Lock()
    watcher = threading.Thread(target=_watch, args=(path, host, ended, showing), daemon=True)
    # The kernel may give a signal to any thread: then nothing ends the wait of Ansible's worker, and the module goes on
    # as if nobody had stopped it. A thread has the mask of the one that starts it. Source: signal(7).
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        watcher.start()
    except RuntimeError:  # no more threads
        ended.set()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        with _ended_between_lines(showing):
            yield
    finally:
        if not ended.is_set():
            ended.set()
            watcher.join()


@contextmanager
def _ended_between_lines(showing: threading.Lock) -> Iterator[None]:
    """Let a signal end Ansible's worker only while no line is on its way.

    Lines go through a queue that the worker shares with ansible-playbook, and so does the lock of that queue. A worker
    that ends while its thread has the lock never gives it back, and ansible-playbook waits for it for ever.
    """
    before: dict[signal.Signals, Any] = {}

    def end(number: int, frame: FrameType | None) -> None:
        waited = showing.acquire(timeout=_LONGEST_LINE)
        try:
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)
            else:
                signal.signal(number, handler)
                signal.raise_signal(number)
        finally:
            if waited:
                showing.release()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            handler = signal.getsignal(number)
            if callable(handler) or handler is signal.SIG_DFL:
                before[number] = handler
                signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is end:
                signal.signal(number, handler)


def _watch(path: str, host: str, ended: threading.Event, showing: threading.Lock) -> None:
    started, lines = time.monotonic(), ProgressLines(host)
    try:
        with open(path, "rb", buffering=0) as file:
            while True:
                last = ended.wait(_READ_EVERY)
                if written := file.read():
                    _remove(path)  # the module has it open: nothing is left when Ansible is ended before the module
                lines.feed(written)
                for line in lines.lines(time.monotonic() - started):
                    # Where errors go, which is never held back, and leaves alone what other programs read.
                    with showing:
                        _display.display(line, stderr=True)
                if last:
                    return
    except Exception as error:
        _display.vvv(f"no progress is shown: {error}")


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
