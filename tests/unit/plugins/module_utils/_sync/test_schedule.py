# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images at work at the same time: how many, how large together, and what a failure or a signal leaves undone."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._signals import StoppedError
from ansible_collections.appuio.registry.plugins.module_utils._sync.schedule import Schedule


def ignored() -> None:
    """Nothing has to be stopped."""


def test_the_largest_goes_first() -> None:
    done: list[int] = []
    Schedule([3, 9, 1, 5], 1, lambda size: size, 100).run(done.append, ignored)
    assert done == [9, 5, 3, 1]


def test_no_more_than_the_jobs_and_the_bytes_are_at_work() -> None:
    lock, at_work, most, jobs = threading.Lock(), [0], [0], [0]
    running = [0]

    def work(size: int) -> None:
        with lock:
            at_work[0] += size
            running[0] += 1
            most[0], jobs[0] = max(most[0], at_work[0] if running[0] > 1 else 0), max(jobs[0], running[0])
        threading.Event().wait(0.001)
        with lock:
            at_work[0] -= size
            running[0] -= 1

    Schedule([7, 6, 5, 4, 3, 2, 1, 20] * 5, 3, lambda size: size, 10).run(work, ignored)
    assert most[0] <= 10
    assert jobs[0] <= 3


def test_what_is_larger_than_the_limit_is_done_alone() -> None:
    done: list[int] = []
    Schedule([50, 60], 2, lambda size: size, 10).run(done.append, ignored)
    assert sorted(done) == [50, 60]


def test_a_failure_is_raised_when_all_is_done() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        if number == 3:
            raise ValueError(number)
        done.append(number)

    with pytest.raises(ValueError, match="3"):
        Schedule([3, 2, 1], 1, lambda size: size, 10).run(work, ignored)
    assert done == [2, 1]


def test_without_threads_the_work_is_done_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    done: list[int] = []
    Schedule([1, 2], 2, lambda size: size, 10).run(done.append, ignored)
    assert done == [2, 1]


def test_a_signal_begins_nothing_more_and_waits_for_what_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, stopped, ended = threading.Event(), threading.Event(), []

    def work(number: int) -> None:
        begun.set()
        stopped.wait()
        ended.append(number)

    join = threading.Thread.join

    def interrupted(thread: threading.Thread, timeout: float | None = None) -> None:
        if not stopped.is_set():
            begun.wait()
            raise StoppedError("SIGTERM")
        join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(StoppedError):
        Schedule([1, 2, 3], 1, lambda size: size, 10).run(work, stopped.set)
    assert ended == [3]
