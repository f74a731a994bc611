# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a case: everybody in turn, round after round, each time to a repository that nobody has pushed to."""

from __future__ import annotations

import itertools
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from .ansible_tasks import EmptyTask
from .cases import Case
from .contenders import Contender, Foreign, Prepared, Push
from .images import Image, Images
from .measure import BenchmarkFailed, Sample, run
from .peers import skopeos
from .registries import Registries
from .sets import member_pushes, member_repository

_numbers = itertools.count(1)


@dataclass
class Row:
    """What one contender took in one case; ``uploaded`` are the bytes of the layers as the registry has them.

    ``program`` is name and version of the program of others that it is, empty where it is ours or does nothing.
    """

    contender: str
    samples: list[Sample] = field(default_factory=list)
    requests: int | None = None
    source_requests: int | None = None
    uploaded: int = 0
    program: str = ""

    def median(self, what: str) -> float:
        """Return the median of ``wall``, ``cpu`` or ``memory``."""
        return statistics.median(getattr(sample, what) for sample in self.samples)


@dataclass
class Table:
    """What everybody took in one case over one transport, on which day."""

    case: Case
    transport: str
    rows: list[Row]
    date: str = ""

    @property
    def baseline(self) -> Row | None:
        """What the ratios are to: the first line that is not ours."""
        return next((row for row in self.rows if not row.contender.startswith("appuio")), None)

    def ratio(self, row: Row, what: str) -> float | None:
        """Return the median of a row divided by that of the baseline, None for the baseline itself."""
        base = self.baseline
        return None if base is None or base is row else row.median(what) / base.median(what)

    def fastest(self, program: str) -> Row | None:
        """Return the line of a program that took the least time, None where the program took no part."""
        lines = [row for row in self.rows if row.program == program]
        return min(lines, key=lambda row: row.median("wall"), default=None)


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
        rows = [Row(one.name, program=one.program.title if isinstance(one, Foreign) else "") for one in case.contenders]
        repeated = self._repeated(case, self.timed)
        for number in range(-1 if case.warm_up else 0, min(rounds, case.rounds or rounds)):
            for contender, row in zip(case.contenders, rows, strict=True):
                push = repeated.get(contender.name) or self._prepared(case, contender, self.timed)
                sample = run(contender.job(push, self._own(contender)), self._own(contender))
                row.uploaded = _arrived(push) if case.checked and not isinstance(contender, EmptyTask) else 0
                self.say(f"  {contender.name:40} {sample.wall:8.3f} s {sample.cpu:8.3f} s CPU")
                if number >= 0:
                    row.samples.append(sample)
        if case.counted:
            for contender, row in zip(case.contenders, rows, strict=True):
                self._count(replace(case, image=case.counted_image or case.image), contender, row)
        return Table(case, self.transport, rows, time.strftime("%Y-%m-%d", time.gmtime()))

    def _count(self, case: Case, contender: Contender, row: Row) -> None:
        push = self._prepared(case, contender, self.counted)
        registries = [*push.registries, *([self.counted.source()] if case.copied else [])]
        for registry in registries:
            registry.forget_requests()
        run(contender.job(push, self._own(contender)), self._own(contender))
        row.requests = sum(len(registry.requests()) for registry in push.registries)
        row.source_requests = len(registries[-1].requests()) if case.copied else None

    def _repeated(self, case: Case, registries: Registries) -> dict[str, Push]:
        """Return everybody's push of what is there already: it changes nothing, and may be measured again and again."""
        if case.changes:
            return {}
        # All versions of skopeo share one folder for root: what one has learned now is not to be forgotten by the next.
        for one in case.contenders:
            one.forget(self._own(one))
        return {one.name: self._prepared(case, one, registries, forget=False) for one in case.contenders}

    def _prepared(self, case: Case, contender: Contender, registries: Registries, *, forget: bool = True) -> Push:
        """Return a push to a new repository, to which the image before was pushed if the case has one."""
        repository = f"bench/{case.name}-{next(_numbers)}"
        image = self._image(case.image, case, registries)
        if image.members:
            # ``skopeo sync`` leaves an image of a set its name.
            repository = member_repository(f"{repository.partition('/')[2]}/{_named(case.image)}", 0)
        push = Push(image, registries.zones(case.zones), repository)
        folder = self._own(contender)
        if forget:
            contender.forget(folder)
        if case.before is not None:
            before = replace(push, image=self._image(case.before, case, registries))
            prepare = contender.prepare if isinstance(contender, Prepared) else contender.job
            run(prepare(before, folder), folder)
        return replace(push, changes=case.changes)

    def _own(self, contender: Contender) -> Path:
        """Return the folder in which a contender keeps what it remembers, which nobody else forgets."""
        folder = self.folder / re.sub(r"\W+", "-", contender.name)
        folder.mkdir(exist_ok=True)
        return folder

    def _image(self, name: str, case: Case, registries: Registries) -> Image:
        """Return the image, which is in the registry to copy from where the case wants that."""
        image: Image = getattr(self.images, name)
        if not case.copied:
            return image
        registry = registries.source()
        repository = f"bench/{_named(name)}"
        first = member_repository(repository, 0) if image.members else repository
        try:
            registry.manifest(first, "1")
        except OSError:
            for push in member_pushes(Push(image, [registry], first)):
                run(skopeos()[0].job(push, self.folder), self.folder)
        place = f"{registry.address}/{repository}"
        return Image("docker", place if image.members else f"{place}:1", image.digest, registry.ca_file, image.members)


def _arrived(push: Push) -> int:
    """Return the bytes of the layers in one registry; raises BenchmarkFailed where another image is there."""
    size = 0
    for one, registry in itertools.product(member_pushes(push), push.registries):
        try:
            digest, manifest = registry.manifest(one.repository, one.tag)
        except OSError as error:
            raise BenchmarkFailed(f"{one.repository}:{one.tag} is not in {registry.address}: {error}") from None
        if one.image.digest not in (None, digest):
            raise BenchmarkFailed(f"{registry.address} has {digest}, not {one.image.digest}")
        size = sum(layer["size"] for layer in manifest["layers"])
    return size


def _named(image: str) -> str:
    return image.replace("_", "-")
