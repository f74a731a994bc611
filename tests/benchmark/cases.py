# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured: which image, to how many registries, what is there before, and who pushes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from .ansible_tasks import EmptyTask, OurModule, OurSetTask, OurTask, OurTasks, SkopeoTask
from .contenders import FAST_GZIP, Contender, Crane, Engine, Skopeo, SkopeoLoop, fast_gzip

TRANSPORTS = ("plain", "tls")
SEVERAL = 3
MANY = 10
SET = 30


@dataclass(frozen=True)
class Case:
    """One thing to measure; ``baseline`` names the contender that the ratios are to.

    ``image`` and ``before`` name images of Images; ``before`` was pushed to the same tag by the same contender.
    ``copied`` says that the image comes from a registry.
    """

    name: str
    title: str
    image: str
    contenders: Sequence[Contender]
    before: str | None = None
    copied: bool = False
    zones: int = 1
    transports: Sequence[str] = TRANSPORTS
    rounds: int | None = None
    warm_up: bool = True
    counted: bool = True

    @property
    def baseline(self) -> str:
        """The name of the first contender that is not ours."""
        return next(one.name for one in self.contenders if not one.name.startswith("appuio"))

    @property
    def changes(self) -> bool:
        """Whether the push changes anything."""
        return self.before != self.image


def cases() -> list[Case]:
    """Return all cases, with those contenders that are installed here."""
    plain: list[Contender] = [Engine(), Skopeo(), *([Crane()] if shutil.which("crane") else [])]
    own_gzip = Engine("appuio.registry, Python's own gzip", FAST_GZIP)
    # Without a faster library, both would be the same.
    compressing: list[Contender] = [
        *(Engine(f"appuio.registry, {library}") for library in fast_gzip()[:1]),
        own_gzip,
        *plain[1:],
    ]
    in_turn, at_once = Skopeo("skopeo copy, one after another"), Skopeo("skopeo copy, at the same time", True)
    several: list[Contender] = [Engine(), in_turn, at_once]
    several_compressing: list[Contender] = [*compressing[:1], in_turn, at_once]
    tasks: list[Contender] = [OurTask(), SkopeoTask()]
    set_tasks: list[Contender] = [OurSetTask(SET), OurTasks(SET), SkopeoLoop(SET)]
    module_and_skopeo: list[Contender] = [OurModule(), Skopeo()]
    module_in_turn: list[Contender] = [OurModule(), in_turn]
    task = partial(Case, transports=("tls",), counted=False)
    memory = partial(task, rounds=1, warm_up=False)
    return [
        Case("layout", "First push of an OCI layout", "layout", plain),
        Case("small-layers", "First push of 60 small layers", "small_layers", plain),
        Case("archive", "First push of a docker-archive, to be compressed", "archive", compressing),
        Case("unchanged", "The same OCI layout again", "layout", plain, before="layout"),
        Case("archive-unchanged", "The same docker-archive again", "archive", compressing, before="archive"),
        Case("changed", "An OCI layout with one of eight layers changed", "changed", plain, before="layout"),
        Case("registry", "From another registry", "layout", plain, copied=True),
        Case("zones", "An OCI layout to three registries", "layout", several, zones=SEVERAL),
        Case("zones-registry", "From a registry to three", "layout", several, copied=True, zones=SEVERAL),
        Case("zones-archive", "A docker-archive to three", "archive", several_compressing, zones=SEVERAL, rounds=3),
        task("task", "First push, whole playbook", "layout", [*tasks, EmptyTask()]),
        task("task-unchanged", "The same again, whole playbook", "layout", tasks, before="layout"),
        task(
            "set-unchanged",
            f"{SET} images from a registry to three, unchanged",
            "layout",
            set_tasks,
            before="layout",
            copied=True,
            zones=SEVERAL,
            rounds=3,
        ),
        memory("memory", "Peak memory: layers of gigabytes", "large", module_and_skopeo),
        memory("memory-archive", "Peak memory: a large docker-archive", "large_archive", module_and_skopeo),
        memory("memory-archive-zones", "Peak memory: a docker-archive to ten", "archive", module_in_turn, zones=MANY),
        memory("memory-zones", "Peak memory: an OCI layout to ten registries", "layout", module_in_turn, zones=MANY),
        memory(
            "memory-registry", "Peak memory: from a registry to ten", "layout", module_in_turn, copied=True, zones=MANY
        ),
    ]
