# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who pushes in a playbook: our task, and the task with another program that a user would write instead."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .contenders import LINKED, Push, forget_ours, ours
from .measure import LAUNCH, Job
from .peers import Peer
from .programs import Program

ACTION = "appuio.registry.appuio_image_push"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class OurTask:
    """A playbook with our task, from the start of ansible-playbook to its end."""

    name: str = "appuio.registry, playbook"

    def job(self, push: Push, folder: Path) -> Job:
        """One playbook."""
        return playbook([{"name": "Push", ACTION: push.options()}], folder, sys.executable)

    def forget(self, folder: Path) -> None:
        """Remove the cache of our code."""
        forget_ours(folder)


@dataclass(frozen=True)
class OurModule:
    """The same playbook, of which only the process of the module is measured."""

    name: str = "appuio.registry, module"

    def job(self, push: Push, folder: Path) -> Job:
        """One playbook, whose module is started by our launcher."""
        return module_job([{"name": "Push", ACTION: push.options()}], folder)

    def forget(self, folder: Path) -> None:
        """Remove the cache of our code."""
        forget_ours(folder)


@dataclass(frozen=True)
class CommandTask:
    """A playbook with a task that runs a program of others."""

    peer: Peer

    @property
    def name(self) -> str:
        """What it is called in the table."""
        return f"command: {self.peer.name}, playbook"

    @property
    def program(self) -> Program:
        """The program."""
        return self.peer.program

    def job(self, push: Push, folder: Path) -> Job:
        """One playbook."""
        job = self.peer.job(push, folder)
        tasks = [
            {"name": "Push", "ansible.builtin.command": {"argv": list(command)}, "environment": job.environment}
            for command in job.commands
        ]
        return playbook(tasks, folder, sys.executable)

    def forget(self, folder: Path) -> None:
        """Let the program forget what it knows from earlier pushes."""
        self.peer.forget(folder)


@dataclass(frozen=True)
class EmptyTask:
    """A playbook whose task does nothing: what Ansible itself takes."""

    name: str = "command: true, playbook"

    def job(self, push: Push, folder: Path) -> Job:
        """One playbook."""
        return playbook([{"name": "Nothing", "ansible.builtin.command": {"argv": ["true"]}}], folder, sys.executable)

    def forget(self, folder: Path) -> None:
        """Nothing is remembered."""


def module_job(tasks: list[dict[str, Any]], folder: Path) -> Job:
    """Return the job that runs one task, of which only the process of the module is measured."""
    samples, interpreter = folder / "module.jsonl", folder / "python"
    words = [sys.executable, "-I", "-S", str(LAUNCH), "--interpreter", str(samples), sys.executable]
    interpreter.write_text("#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in words) + ' "$@"\n')
    interpreter.chmod(0o700)
    job = playbook(tasks, folder, str(interpreter))
    return Job(job.commands, environment=job.environment, inner=samples)


def playbook(tasks: list[dict[str, Any]], folder: Path, interpreter: str) -> Job:
    """Return the job that runs these tasks on this machine, as one playbook."""
    place = folder / f"playbook-{next(_numbers)}"
    place.mkdir()
    host = {"ansible_connection": "local", "ansible_python_interpreter": interpreter}
    (place / "hosts.json").write_text(json.dumps({"all": {"hosts": {"localhost": host}}}))
    play = {"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": tasks}
    (place / "playbook.yml").write_text(json.dumps([play]))  # JSON is YAML
    return ansible_playbook(["-i", str(place / "hosts.json"), str(place / "playbook.yml")], place, folder)


def ansible_playbook(arguments: Sequence[str], place: Path, folder: Path) -> Job:
    """Return the job that is ansible-playbook with these arguments and nobody's configuration."""
    program = Path(sys.executable).parent / "ansible-playbook"
    command = [sys.executable, str(program), *arguments]
    (place / "ansible.cfg").touch()
    environment = {
        **ours(folder),
        "ANSIBLE_COLLECTIONS_PATH": str(LINKED),
        "ANSIBLE_CONFIG": str(place / "ansible.cfg"),
        "ANSIBLE_HOME": str(place / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8"),
    }
    return Job([command], environment=environment)
