# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs playbooks of a project with ansible-runner, with files and an environment as AWX gives them to a job.

Source: AWX, ``awx/main/tasks/jobs.py`` (RunJob) and ``Inventory.get_script_data``; ansible-runner, input directory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.integration.playbook import LINKED, environment

PROGRAMS = Path(sys.executable).parent
# What the tests give to a playbook, and AWX does not.
_OF_THE_TESTS = ("ANSIBLE_CALLBACK_PLUGINS", "ANSIBLE_CALLBACKS_ENABLED", "ANSIBLE_FILTER_PLUGINS")
# What AWX says of every job; nothing of it is a variable of ours.
_META = {"awx_job_id": 7, "awx_user_name": "ada", "tower_job_launch_type": "manual"}


class _Typed(str):
    """Text that somebody has typed into a survey: AWX keeps Ansible from reading it as a template."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Typed, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


@dataclass(frozen=True)
class JobResult:
    """How a job ended, what it printed, what its tasks returned, and what it hands on to the rest of a workflow."""

    status: str
    output: str = field(repr=False)
    events: list[dict[str, Any]] = field(repr=False)
    folder: Path

    @property
    def artifacts(self) -> dict[str, Any]:
        """What AWX stores of ``set_stats``: that of the last event of a playbook."""
        found: dict[str, Any] = self.events[-1]["event_data"]["artifact_data"]
        return found

    def results(self, task: str) -> list[dict[str, Any]]:
        """Return what a task has returned on each host, as AWX stores it."""
        return [
            event["event_data"]["res"]
            for event in self.events
            if event["event"] == "runner_on_ok" and event["event_data"]["task"] == task
        ]

    def succeeded(self) -> JobResult:
        """Return itself; fails the test with the output when the job failed."""
        assert self.status == "successful", self.output
        return self


class Awx:
    """Runs the jobs of one project below a folder, as the user that the words of ``prefix`` make of this one."""

    def __init__(self, folder: Path, project: Path, prefix: Sequence[str] = ()) -> None:
        self.folder, self.project, self.prefix = folder, project, prefix
        own = environment(folder, folder / "record", str(LINKED), {"HOME": None, "USER": None, "LOGNAME": None})
        kept = {name: value for name, value in own.items() if name not in _OF_THE_TESTS}
        (folder / "home").rmdir()
        # Ansible itself needs two folders that it may write to.
        temporary = {"ANSIBLE_HOME": str(folder / "tmp/ansible"), "ANSIBLE_REMOTE_TEMP": str(folder / "tmp")}
        path = os.pathsep.join([str(PROGRAMS), kept["PATH"]])
        self.environment = {**kept, **temporary, "TMPDIR": str(folder / "tmp"), "PATH": path}
        (folder / "tmp").chmod(0o777)

    def synced(self, source: str) -> str:
        """Return the inventory of this file as AWX keeps it, after a sync, as a script for its jobs."""
        given = ("--list", "--export", "-i", str(self.project / source))
        ended = self._run([sys.executable, str(PROGRAMS / "ansible-inventory"), *given], stderr=subprocess.PIPE)
        assert ended.returncode == 0, ended.stderr
        return f"#!/bin/sh\ncat <<'END'\n{ended.stdout}\nEND\n"

    def run(
        self,
        playbook: str,
        inventory: str,
        *,
        template: Mapping[str, Any],
        answers: Mapping[str, Any],
        credential: Mapping[str, str],
        name: str = "",
    ) -> JobResult:
        """Run a job: ``template`` are its template's variables, ``credential`` those that a credential injects."""
        private = self.folder / f"job-{name or playbook}"
        variables = {**template, **_META, **{key: _typed(value) for key, value in answers.items()}}
        files = {
            "inventory/hosts": inventory,
            "env/extravars": yaml.dump(variables, Dumper=_Dumper),
            "env/injected": yaml.dump({key: _Typed(value) for key, value in credential.items()}, Dumper=_Dumper),
            "env/cmdline": f"-e @{private}/env/injected",
            "env/settings": json.dumps({"suppress_ansible_output": True}),
        }
        for path, text in files.items():
            (private / path).parent.mkdir(parents=True, exist_ok=True)
            (private / path).write_text(text)
        (private / "inventory/hosts").chmod(0o755)
        (private / "project").symlink_to(self.project)
        (private / "artifacts").mkdir()
        (private / "artifacts").chmod(0o777)
        program = [sys.executable, str(PROGRAMS / "ansible-runner"), "run", str(private)]
        ended = self._run([*program, "--playbook", f"playbooks/{playbook}.yml", "--ident", "1"], subprocess.STDOUT)
        artifacts = private / "artifacts/1"
        if not (artifacts / "status").is_file():
            raise AssertionError(f"ansible-runner ended with {ended.returncode}: {ended.stdout}")
        return JobResult(
            status=(artifacts / "status").read_text(),
            output=(artifacts / "stdout").read_text(),
            events=_events(artifacts.glob("job_events/*-*.json")),
            folder=artifacts,
        )

    def _run(self, command: Sequence[str], stderr: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["env", f"--chdir={self.project}", *self.prefix, *command],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            check=False,
        )


def _typed(value: Any) -> Any:
    if isinstance(value, str):
        return _Typed(value)
    return [_typed(entry) for entry in value] if isinstance(value, list) else value


def _events(paths: Iterable[Path]) -> list[dict[str, Any]]:
    found = [json.loads(path.read_text()) for path in paths]
    return sorted(found, key=lambda event: event["counter"])
