# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who brings a set of images: our task for all of them, tasks and commands for each, and ``skopeo sync``."""

from __future__ import annotations

import itertools
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .ansible_tasks import ACTION, module_job, playbook
from .contenders import Push, forget_ours
from .measure import Job
from .peers import Peer, forget_skopeos, trusting
from .programs import Program

SET_ACTION = "appuio.registry.appuio_image_sync"
_FIRST = "-0"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class OurSetTask:
    """A playbook with our task that keeps a set."""

    name: str = "appuio_image_sync, one task"

    def job(self, push: Push, folder: Path) -> Job:
        """One playbook."""
        return playbook([{"name": "Sync", SET_ACTION: set_options(push)}], folder, sys.executable)

    def forget(self, folder: Path) -> None:
        """Remove the cache of our code."""
        forget_ours(folder)


@dataclass(frozen=True)
class OurSetModule:
    """The same playbook, of which only the process of the module is measured."""

    name: str = "appuio_image_sync, module"

    def job(self, push: Push, folder: Path) -> Job:
        """One playbook, whose module is started by our launcher."""
        return module_job([{"name": "Sync", SET_ACTION: set_options(push)}], folder)

    def forget(self, folder: Path) -> None:
        """Remove the cache of our code."""
        forget_ours(folder)


@dataclass(frozen=True)
class OurTasks:
    """A playbook with a push of its own for each image of the set."""

    name: str = "appuio_image_push, a task for each image"

    def job(self, push: Push, folder: Path) -> Job:
        """One playbook."""
        tasks = [{"name": "Push", ACTION: one.options()} for one in member_pushes(push)]
        return playbook(tasks, folder, sys.executable)

    def prepare(self, push: Push, folder: Path) -> Job:
        """One task for all, which keeps the same cache and takes a tenth of the time."""
        return OurSetTask().job(push, folder)

    def forget(self, folder: Path) -> None:
        """Remove the cache of our code."""
        forget_ours(folder)


@dataclass(frozen=True)
class SkopeoSync:
    """``skopeo sync`` of a YAML file that lists the images, once for each registry."""

    program: Program

    @property
    def name(self) -> str:
        """What it is called in the table."""
        return f"{self.program.title}, sync"

    def job(self, push: Push, folder: Path) -> Job:
        """One process for each registry."""
        file = folder / f"sync-{next(_numbers)}.yml"
        images: dict[str, list[str]] = {}
        for one in member_pushes(push):
            registry, _slash, named = one.image.place.partition("/")
            repository, _colon, tag = named.rpartition(":")
            images[repository] = [tag]
        file.write_text(json.dumps({registry: {"images": images, "tls-verify": push.tls}}))
        namespace = push.repository.rpartition("/")[0]
        flags = [] if push.tls else ["--dest-tls-verify=false"]
        words = ["sync", "--insecure-policy", "--src", "yaml", "--dest", "docker", *flags, str(file)]
        commands = [[*self.program.command, *words, f"{to.address}/{namespace}"] for to in push.registries]
        return Job(commands, environment=trusting(push, folder))

    def forget(self, folder: Path) -> None:
        """Remove skopeo's cache."""
        forget_skopeos(folder)


@dataclass(frozen=True)
class Loop:
    """A program of others that is run for each image of a set and each registry, one after another."""

    peer: Peer

    @property
    def name(self) -> str:
        """What it is called in the table."""
        return f"{self.peer.name}, a loop"

    @property
    def program(self) -> Program:
        """The program."""
        return self.peer.program

    def job(self, push: Push, folder: Path) -> Job:
        """One process for each image and registry."""
        jobs = [self.peer.job(one, folder) for one in member_pushes(push)]
        return Job([command for job in jobs for command in job.commands], environment=jobs[0].environment)

    def forget(self, folder: Path) -> None:
        """Let the program forget what it knows from earlier pushes."""
        self.peer.forget(folder)


@dataclass(frozen=True)
class PreparedLoop(Loop):
    """The same of a program that remembers nothing, so that it does not matter who brings what is there before."""

    def prepare(self, push: Push, folder: Path) -> Job:
        """One task for all, which takes a fraction of the time."""
        return OurSetTask().job(push, folder)


def member_repository(repository: str, number: int) -> str:
    """Return where an image of a set goes; ``repository`` is that of the first one."""
    return f"{repository.removesuffix(_FIRST)}-{number}"


def member_pushes(push: Push) -> list[Push]:
    """Return a push for each image of a set, or the push itself where its image is none."""
    return [
        replace(push, image=push.image.member(number), repository=member_repository(push.repository, number))
        for number in range(len(push.image.members))
    ] or [push]


def set_options(push: Push) -> dict[str, Any]:
    """Return the options of one task that brings the images of a set to the registries."""
    options = push.options()
    own = {name: options.pop(name) for name in list(options) if name.startswith("source_")}
    images = [{name: one.options()[name] for name in ("source", "name", "tags")} for one in member_pushes(push)]
    for name in ("source", "name", "tags"):
        del options[name]
    return {**options, "defaults": own, "images": images}
