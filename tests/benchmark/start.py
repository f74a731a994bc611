# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it takes from the start of a process to its first request, and what is imported meanwhile."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .ansible_tasks import CommandTask, OurModule, OurTask
from .contenders import LINKED, Contender, Engine, Push
from .images import Images
from .measure import clean_environment, run
from .peers import peers
from .registries import Registries

MODULE = "ansible_collections.appuio.registry.plugins.modules.appuio_image_push"
ANSIBLE = "ansible.module_utils.basic"


@dataclass(frozen=True)
class Imports:
    """Seconds that the import of the module takes, Ansible's part of them, and the modules that take longest."""

    total: float
    ansible: float
    longest: list[tuple[str, float]]


def _starters() -> Sequence[tuple[str, Contender]]:
    others = peers("oci")
    tasks = [(f"ansible-playbook with command: {one.name}", CommandTask(one)) for one in others[:1]]
    return [
        ("the engine alone", Engine()),
        ("the module, as Ansible starts it", OurModule()),
        *((one.name, one) for one in others),
        ("ansible-playbook with our task", OurTask()),
        *tasks,
    ]


def first_requests(images: Images, folder: Path, registries: Registries, rounds: int) -> list[tuple[str, float]]:
    """Return the median seconds from the start of a process to the arrival of its first request."""
    registry = registries.zones(1)[0]
    starters = _starters()
    taken: dict[str, list[float]] = {name: [] for name, _starter in starters}
    for number in range(rounds + 1):
        for place, (name, starter) in enumerate(starters):
            push = Push(images.small_layers, [registry], f"bench/start-{place}", changes=number == 0)
            registry.forget_requests()
            sample = run(starter.job(push, folder), folder)
            if number:
                taken[name].append(min(request["time"] for request in registry.requests()) - sample.started)
    return [(name, statistics.median(seconds)) for name, seconds in taken.items()]


def imports(folder: Path, rounds: int) -> Imports:
    """Return what importing the module takes, the median of several runs."""
    runs = [_imported(folder) for _round in range(rounds + 1)][1:]
    middle = sorted(runs, key=lambda times: times[MODULE][1])[len(runs) // 2]
    longest = sorted(((name, own) for name, (own, _whole) in middle.items()), key=lambda item: -item[1])
    return Imports(middle[MODULE][1], middle[ANSIBLE][1], longest[:8])


def _imported(folder: Path) -> dict[str, tuple[float, float]]:
    """Return module -> seconds of its own and with all that it imports (python -X importtime)."""
    environment = clean_environment(folder)
    environment["PYTHONPATH"] = ":".join(filter(None, [str(LINKED), environment.get("PYTHONPATH")]))
    command = [sys.executable, "-X", "importtime", "-c", f"import {MODULE}"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr
    times = {}
    for line in told.splitlines():
        own, _bar, rest = line.removeprefix("import time:").partition("|")
        whole, _bar, name = rest.partition("|")
        if own.strip().isdigit():
            times[name.strip()] = (int(own) / 1e6, int(whole) / 1e6)
    return times
