# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal becomes one exception in the main thread, and a module does not outlive its ansible-playbook."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.appuio.registry.plugins.module_utils import _signals
from ansible_collections.appuio.registry.plugins.module_utils._signals import (
    Process,
    StoppedError,
    StopSignals,
    ansible_ancestors,
    has_ended,
    held,
    process_of,
)

OURS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers_stay() -> object:
    before = [signal.getsignal(number) for number in OURS]
    yield
    assert [signal.getsignal(number) for number in OURS] == before


@pytest.mark.parametrize("number", OURS)
def test_a_signal_raises_once_and_what_undoes_the_work_is_not_stopped(number: signal.Signals) -> None:
    undone = []

    def work() -> None:
        with StopSignals():
            try:
                os.kill(os.getpid(), number)
                time.sleep(60)
            finally:
                os.kill(os.getpid(), number)
                os.kill(os.getpid(), signal.SIGTERM)
                undone.append("all")

    with pytest.raises(StoppedError, match=f"stopped by {number.name}"):
        work()
    assert undone == ["all"]


def test_a_signal_after_the_work_is_too_late() -> None:
    with StopSignals() as signals:
        signals.finish()
        os.kill(os.getpid(), signal.SIGTERM)


def test_nothing_takes_it_for_a_failure_that_can_be_mended() -> None:
    assert not issubclass(StoppedError, Exception)


def stopped(work: Callable[[], None]) -> str:
    """Return with which words a signal ends the work."""
    with pytest.raises(StoppedError) as caught, StopSignals():
        work()
    return str(caught.value)


class Finalized:
    """Calls something when it is finalized, where Python drops every exception."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call

    def __del__(self) -> None:
        self.call()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often, and keep none of the exceptions that Python drops, as pytest does."""
    monkeypatch.setattr(_signals, "WATCH_EVERY", 0.01)
    monkeypatch.setattr(sys, "unraisablehook", lambda _dropped: None)


@pytest.mark.usefixtures("quick")
def test_a_signal_that_python_has_dropped_is_raised_once_more() -> None:
    went_on = []

    def finalize() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        for _turn in range(1000):  # handlers run between two turns
            pass

    def work() -> None:
        Finalized(finalize)
        went_on.append("as if nothing had come")
        time.sleep(60)
        went_on.append("for ever")

    assert stopped(work) == "stopped by SIGINT"
    assert went_on == ["as if nothing had come"]


@pytest.mark.usefixtures("quick")
def test_a_signal_that_was_caught_is_not_raised_again() -> None:
    """What undoes the work takes longer than the next look, also where the exception is gone."""
    with StopSignals():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        except StoppedError as stopped:
            time.sleep(0.05)
            stopped.catch()
        time.sleep(0.05)


def test_a_signal_that_comes_to_another_thread_ends_the_wait_of_the_main_thread() -> None:
    ended, given_up, seen = threading.Event(), threading.Event(), []

    def signal_itself() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        seen.append(ended.wait(20))
        given_up.set()

    def work() -> None:
        try:
            other.start()
            given_up.wait()
        finally:
            ended.set()
            other.join()

    other = threading.Thread(target=signal_itself)
    assert stopped(work) == "stopped by SIGTERM"
    assert seen == [True]


def test_what_must_end_is_not_interrupted() -> None:
    ended = []

    def work() -> None:
        with held():
            with held(0.0):  # the outer one counts
                os.kill(os.getpid(), signal.SIGTERM)
                os.kill(os.getpid(), signal.SIGTERM)
            ended.append("the inner one")
        ended.append("what comes after")

    assert stopped(work) == "stopped by SIGTERM"
    assert ended == ["the inner one"]


def test_a_failure_in_what_must_end_does_not_hide_the_signal() -> None:
    def work() -> None:
        with held():
            os.kill(os.getpid(), signal.SIGTERM)
            raise ValueError("refused")

    assert stopped(work) == "stopped by SIGTERM"


@pytest.mark.usefixtures("quick")
def test_what_must_end_but_does_not_is_interrupted_after_a_while() -> None:
    def work() -> None:
        with held(0.02):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
            pytest.fail("it was waited for")

    assert stopped(work) == "stopped by SIGTERM"


def test_other_threads_hold_nothing() -> None:
    entered, left = threading.Event(), threading.Event()
    went_on: list[object] = []

    def hold() -> None:
        with held():
            entered.set()
            left.wait(60)

    def work() -> None:
        try:
            other.start()
            entered.wait(60)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
            went_on.append("for ever")
        finally:
            left.set()
            other.join()

    other = threading.Thread(target=hold)
    assert stopped(work) == "stopped by SIGTERM"
    assert went_on == []


def test_what_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_process_is_known_by_its_number_and_its_start() -> None:
    child = subprocess.Popen(["sleep", "60"])
    try:
        found = process_of(child.pid)
        assert found is not None
        assert found.parent == os.getpid()
        assert found == process_of(child.pid)
    finally:
        child.kill()
        _until_gone(child.pid)  # a zombie is gone, although its number is not
        child.wait()
    assert process_of(child.pid) is None


@pytest.mark.parametrize("name", ["ansible-playbook", "async_wrapper-of-ansible"])
def test_ancestors_are_those_of_ansible_and_none_in_the_background(tmp_path: Path, name: str) -> None:
    lines = _run_under(tmp_path, name, "print([one.pid for one in _signals.ansible_ancestors()], os.getppid())")
    known, parent = lines.rsplit(maxsplit=1)
    assert (parent in known) is (name == "ansible-playbook")


def test_a_module_ends_when_its_ansible_is_gone(tmp_path: Path) -> None:
    code = f"""
_signals.WATCH_EVERY = 0.05
try:
    with _signals.StopSignals():
        print(os.getpid(), flush=True)
        time.sleep(60)
except _signals.StoppedError as error:
    open({str(tmp_path / "ended")!r}, "w").write(str(error))
"""
    parent = _start_under(tmp_path, "ansible-playbook", code)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _until_gone(pid)
    assert (tmp_path / "ended").read_text() == "stopped by SIGTERM"


def test_a_process_whose_own_parent_is_gone_has_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ansible = Process(7, started=100, parent=6)
    for now, ended in [
        (ansible, False),
        (Process(7, started=100, parent=1), False),  # nohup ansible-playbook, and its shell has ended
        (Process(7, started=101, parent=6), True),
        (None, True),
    ]:
        monkeypatch.setattr(_signals, "process_of", lambda _pid, now=now: now)
        assert has_ended(ansible) is ended


def test_where_the_system_does_not_tell_nothing_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_signals, "process_of", lambda _pid: None)
    assert ansible_ancestors() == []


def _start_under(folder: Path, name: str, code: str) -> subprocess.Popen[str]:
    """Start Python code as the child of a process whose command line has a name."""
    module = folder / "module.py"
    head = "import os, time\nfrom ansible_collections.appuio.registry.plugins.module_utils import _signals\n"
    module.write_text(head + code)
    wrapper = folder / name
    wrapper.write_text(f"import subprocess, sys\nsubprocess.run([sys.executable, {str(module)!r}])\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, str(wrapper)], stdout=subprocess.PIPE, text=True, env=environment)


def _run_under(folder: Path, name: str, code: str) -> str:
    with _start_under(folder, name, code) as parent:
        return parent.communicate()[0]


def _until_gone(pid: int) -> None:
    while process_of(pid) is not None:
        time.sleep(0.01)
