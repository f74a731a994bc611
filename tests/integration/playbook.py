# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs real playbooks with the ansible-playbook of the interpreter that runs pytest, and tells what each task said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.appuio.registry.plugins.module_utils import _errors

LINKED = Path(_errors.__file__).parents[5]
CALLBACKS = Path(__file__).parent / "callback_plugins"
FILTERS = Path(__file__).parent / "filter_plugins"
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


@dataclass(frozen=True)
class TaskResult:
    """What one task said on one host; ``status`` is ok, failed, unreachable or skipped."""

    task: str
    host: str
    status: str
    result: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class PlaybookResult:
    """How a run ended, what it printed (both streams), and what its tasks said."""

    rc: int
    stdout: str = field(repr=False)
    tasks: list[TaskResult] = field(default_factory=list)

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        """The result of each task by its name, of the last host that ran it."""
        return {task.task: task.result for task in self.tasks}

    @property
    def changed(self) -> list[str]:
        """The names of the tasks that changed something."""
        return [task.task for task in self.tasks if task.result.get("changed")]

    def result(self, task: str, host: str | None = None) -> dict[str, Any]:
        """Return the result of one task; raises KeyError with the whole output where there is none."""
        for found in reversed(self.tasks):
            if found.task == task and host in (None, found.host):
                return found.result
        raise KeyError(f"{task} on {host}: {self.stdout}")

    def succeeded(self) -> PlaybookResult:
        """Return itself; fails the test with the output when the playbook failed."""
        assert self.rc == 0, self.stdout
        return self


def run_playbook(
    plays: str | Path | Sequence[Mapping[str, Any]],
    folder: Path,
    *,
    collections_path: str | None = None,
    extra_vars: Mapping[str, Any] | None = None,
    inventory: str | Path | Mapping[str, Any] | None = None,
    check: bool = False,
    diff: bool = False,
    verbosity: int = 0,
    env: Mapping[str, str | None] | None = None,
    arguments: Sequence[str] = (),
) -> PlaybookResult:
    """Run plays, or a playbook by its path or name (``appuio.registry.login``), and return what came of it.

    ``folder`` is for what the run needs: playbook, variables, home and temporary files. ``inventory`` is a
    path, or the content of one; without it there is ``localhost`` alone. A variable that is None in ``env``
    is taken out of the environment. What stands in ``extra_vars`` goes through a file, so that nothing of it
    is in the list of processes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    program = Path(sys.executable).parent / "ansible-playbook"
    command = [sys.executable, str(program), "-i", str(_inventory(inventory, folder)), *arguments]
    if extra_vars:
        (folder / "extra_vars.json").write_text(json.dumps(extra_vars))
        command += ["-e", f"@{folder / 'extra_vars.json'}"]
    command += ["--check"] * check + ["--diff"] * diff + ["-" + "v" * verbosity] * (verbosity > 0)
    record = folder / "results.jsonl"
    record.unlink(missing_ok=True)
    command.append(str(_playbook(plays, folder)))
    # A short path: Ansible makes a socket there, and the name of a socket has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="run-") as temporary:
        ended = subprocess.run(
            command,
            env=environment(folder, record, collections_path, {"TMPDIR": temporary, **(env or {})}),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    lines = record.read_text().splitlines() if record.exists() else []
    return PlaybookResult(ended.returncode, ended.stdout, [TaskResult(**json.loads(line)) for line in lines])


def run_task(action: str, options: Mapping[str, Any], folder: Path, **how: Any) -> PlaybookResult:
    """Run one task, called as its action, on localhost."""
    return run_playbook([play([{"name": action, action: dict(options)}])], folder, **how)


def play(tasks: Sequence[Mapping[str, Any]], hosts: str = "localhost", **keywords: Any) -> dict[str, Any]:
    """Return a play without gathered facts."""
    return {"name": "Play", "hosts": hosts, "gather_facts": False, "tasks": list(tasks), **keywords}


def _playbook(plays: str | Path | Sequence[Mapping[str, Any]], folder: Path) -> str | Path:
    if isinstance(plays, (str, Path)):
        return plays
    path = folder / "playbook.yml"
    path.write_text(yaml.safe_dump(list(plays), sort_keys=False))
    return path


def _inventory(inventory: str | Path | Mapping[str, Any] | None, folder: Path) -> str | Path:
    if isinstance(inventory, (str, Path)):
        return inventory
    path = folder / "hosts.yml"
    path.write_text(yaml.safe_dump(inventory or {"all": {"hosts": {"localhost": LOCAL}}}, sort_keys=False))
    return path


def environment(
    folder: Path, record: Path, collections_path: str | None, more: Mapping[str, str | None]
) -> dict[str, str]:
    """Return an environment in which nothing of the user's configuration or credentials counts."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE_", "APPUIO_", "K8S_AUTH_", "XDG_", "DOCKER_", "REGISTRY_AUTH", "KUBECONFIG"))
        and name.lower() not in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    }
    found = os.environ.get("APPUIO_TEST_COLLECTIONS") or os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")
    for name in ("home", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "ansible.cfg").touch()
    own = {
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        "ANSIBLE_COLLECTIONS_PATH": collections_path or ":".join(filter(None, [str(LINKED), found])),
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_FILTER_PLUGINS": str(FILTERS),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "tmp"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "APPUIO_TEST_RECORD": str(record),
        "HOME": str(folder / "home"),
    }
    return {name: value for name, value in {**kept, **own, **more}.items() if value is not None}
