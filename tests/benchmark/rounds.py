# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a case: everybody in turn, round after round, each time to a repository that nobody has pushed to."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from .ansible_tasks import EmptyTask
from .cases import Case
from .contenders import Contender, Push, Skopeo
from .images import Image, Images
from .measure import BenchmarkFailed, Sample, run
from .registries import Registries

_numbers = itertools.count(1)


@dataclass
class Row:
    """What one contender took in one case; ``uploaded`` are the bytes of the layers as the registry has them."""

    contender: str
    samples: list[Sample] = field(default_factory=list)
    requests: int | None = None
    source_requests: int | None = None
    uploaded: int = 0

    def median(self, what: str) -> float:
        """Return the median of ``wall``, ``cpu`` or ``memory``."""
        return statistics.median(getattr(sample, what) for sample in self.samples)


@dataclass
class Table:
    """What everybody took in one case over one transport."""

    case: Case
    transport: str
    rows: list[Row]

    def ratio(self, row: Row, what: str) -> float | None:
        """Return the median of a row divided by that of the baseline, None for the baseline itself."""
        base = next((other for other in self.rows if other.contender == self.case.baseline), None)
        return row.median(what) / base.median(what) if base not in (None, row) else None


@dataclass
class Runner:
    """Runs cases over one transport, in a folder of its own."""

    images: Images
    folder: Path
    transport: str
    timed: Registries
    counted: Registries
    say: Callable[[str], None]

    def table(self, case: Case, rounds: int) -> Table:
        """Measure one case; raises BenchmarkFailed."""
        table = Table(case, self.transport, [Row(contender.name) for contender in case.contenders])
        for number in range(-1 if case.warm_up else 0, min(rounds, case.rounds or rounds)):
            for contender, row in zip(case.contenders, table.rows, strict=True):
                sample, row.uploaded = self._one(case, contender, self.timed)
                self.say(f"  {contender.name:40} {sample.wall:8.3f} s {sample.cpu:8.3f} s CPU")
                if number >= 0:
                    row.samples.append(sample)
        if case.counted:
            for contender, row in zip(case.contenders, table.rows, strict=True):
                self._one(case, contender, self.counted, row)
        return table

    def _one(
        self, case: Case, contender: Contender, registries: Registries, counts: Row | None = None
    ) -> tuple[Sample, int]:
        repository = f"bench/{case.name}-{next(_numbers)}"
        push = Push(self._image(case.image, case, registries), registries.zones(case.zones), repository)
        before = None if case.before is None else self._image(case.before, case, registries)
        contender.forget(self.folder)
        if before is not None:
            run(contender.job(replace(push, image=before), self.folder), self.folder)
        for registry in [*push.registries, *([registries.source()] if case.copied else [])]:
            registry.forget_requests()
        push = replace(push, changes=case.changes)
        sample = run(contender.job(push, self.folder), self.folder)
        if counts is not None:
            counts.requests = sum(len(registry.requests()) for registry in push.registries)
            counts.source_requests = len(registries.source().requests()) if case.copied else None
        return sample, 0 if isinstance(contender, EmptyTask) else _arrived(push)

    def _image(self, name: str, case: Case, registries: Registries) -> Image:
        """Return the image, which is in the registry to copy from where the case wants that."""
        image: Image = getattr(self.images, name)
        if not case.copied:
            return image
        registry = registries.source()
        repository = f"bench/{name.replace('_', '-')}"
        try:
            registry.manifest(repository, "1")
        except OSError:
            run(Skopeo().job(Push(image, [registry], repository), self.folder), self.folder)
        return Image("docker", f"{registry.address}/{repository}:1", image.digest, registry.ca_file)


def _arrived(push: Push) -> int:
    """Return the bytes of the layers in one registry; raises BenchmarkFailed where another image is there."""
    size = 0
    for registry in push.registries:
        try:
            digest, manifest = registry.manifest(push.repository, push.tag)
        except OSError as error:
            raise BenchmarkFailed(f"{push.repository}:{push.tag} is not in {registry.address}: {error}") from None
        if push.image.digest not in (None, digest):
            raise BenchmarkFailed(f"{registry.address} has {digest}, not {push.image.digest}")
        size = sum(layer["size"] for layer in manifest["layers"])
    return size
