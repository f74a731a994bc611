# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the action plugin watches, and that it leaves everything as it was; the lines are the module_utils' tests."""

from __future__ import annotations

import signal
import stat
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.action import appuio_image_push, appuio_image_sync
from ansible_collections.appuio.registry.plugins.module_utils._push.progress import VARIABLE, Progress
from ansible_collections.appuio.registry.plugins.plugin_utils import watched_module as action


class Shown:
    """Stands for Ansible's display."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def display(self, line: str, stderr: bool = False) -> None:
        assert stderr
        self.lines.append(line)

    def vvv(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shown:
    shown = Shown()
    monkeypatch.setattr(action, "_display", shown)
    monkeypatch.setattr(action, "_READ_EVERY", 0.01)
    monkeypatch.setattr(action.constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    return shown


def made(module: Any, *, transport: str = "local", args: dict[str, Any] | None = None, **task: Any) -> Any:
    """Return the plugin, with a function in place of the module."""
    plugin = action.WatchedModule.__new__(action.WatchedModule)
    plugin._connection = SimpleNamespace(transport=transport)
    how = {"async_val": 0, "check_mode": False, "no_log": False, "environment": [{"KEPT": "1"}], **task}
    plugin._task = SimpleNamespace(args=args or {}, **how)
    in_place: Any = plugin
    in_place._module = lambda _tmp, _task_vars: module(plugin._task.environment)
    return plugin


@pytest.mark.parametrize(
    "how",
    [
        {"transport": "ssh"},
        {"async_val": 60},
        {"check_mode": True},
        {"no_log": True},
        {"args": {"progress": False}},
        {"args": {"progress": "no"}},
        {"args": {"progress": "neither"}},
    ],
    ids=str,
)
def test_nobody_watches(shown: Shown, tmp_path: Path, how: dict[str, Any]) -> None:
    plugin = made(lambda environment: {"environment": environment, "files": list(tmp_path.iterdir())}, **how)
    assert plugin.run() == {"environment": [{"KEPT": "1"}], "files": []}


@pytest.mark.parametrize("fails", [False, True])
def test_somebody_watches(shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    monkeypatch.setattr(action.ProgressLines, "lines", lambda lines, _now: [f"{len(lines._zones)} zones"])

    def module(environment: list[dict[str, str]]) -> dict[str, Any]:
        assert environment[0] == {"KEPT": "1"}
        path = Path(environment[1][VARIABLE])
        assert path.parent == tmp_path
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        Progress(str(path)).begin("zone-1", 10)
        while "1 zones" not in shown.lines:
            time.sleep(0.01)
        assert not path.exists()
        if fails:
            raise RuntimeError("the module did not run")
        return {"changed": True}

    plugin = made(module, args={"progress": "yes"})
    if fails:
        with pytest.raises(RuntimeError):
            plugin.run(task_vars={"inventory_hostname": "zone-1"})
    else:
        assert plugin.run(task_vars={"inventory_hostname": "zone-1"}) == {"changed": True}
    assert plugin._task.environment == [{"KEPT": "1"}]
    assert list(tmp_path.iterdir()) == []


def test_trouble_with_the_lines_is_no_failure(shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_lines: Any, _written: bytes) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(action.ProgressLines, "feed", broken)
    assert made(lambda _environment: {"changed": True}).run() == {"changed": True}
    assert shown.lines == ["no progress is shown: broken"]
    monkeypatch.setattr(action.constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "gone"))
    assert made(lambda environment: {"environment": environment}).run() == {"environment": [{"KEPT": "1"}]}


def test_whoever_watches_takes_no_signal_from_the_thread_that_waits(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ansible's worker ends the module when the main thread gets SIGINT or SIGTERM."""
    blocked: list[set[Any]] = []
    masked = threading.Event()

    def watch(*_any: Any) -> None:
        blocked.append(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        masked.set()

    monkeypatch.setattr(action, "_watch", watch)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    made(lambda _environment: {"seen": masked.wait(60)}).run()
    assert blocked[0] >= {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


def test_a_signal_ends_the_worker_only_between_two_lines(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the lock of the queue that the lines go through stays taken for ever."""
    begun, done = threading.Event(), threading.Event()
    was_done: list[bool] = []

    def display(_line: str, stderr: bool = False) -> None:
        begun.set()
        time.sleep(0.2)
        done.set()

    def module(environment: list[dict[str, str]]) -> dict[str, Any]:
        Progress(environment[1][VARIABLE]).begin("zone-1", 10)
        assert begun.wait(60)
        signal.raise_signal(signal.SIGTERM)
        return {"changed": True}

    monkeypatch.setattr(action.ProgressLines, "lines", lambda _lines, _now: [] if begun.is_set() else ["a line"])
    monkeypatch.setattr(shown, "display", display)
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: was_done.append(done.is_set()))
    try:
        ours = signal.getsignal(signal.SIGTERM)
        assert made(module).run() == {"changed": True}
        assert signal.getsignal(signal.SIGTERM) is ours
    finally:
        signal.signal(signal.SIGTERM, before)
    assert was_done == [True]


def test_an_interrupt_between_two_lines_is_raised_as_ever(shown: Shown) -> None:
    def module(_environment: Any) -> dict[str, Any]:
        signal.raise_signal(signal.SIGINT)
        return {}

    with pytest.raises(KeyboardInterrupt):
        made(module).run()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("plugin", [appuio_image_push, appuio_image_sync])
def test_pushes_and_sets_are_watched(plugin: Any) -> None:
    assert issubclass(plugin.ActionModule, action.WatchedModule)
