# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which steps a target of the Makefile consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from . import artifact, collections_wheel, debian, execution_environment, lint, pytests, sanity
from .cells import Cell, oldest_target, runnable
from .environments import Environment, galaxy_environment, lint_environment, test_environment
from .failure import SetupFailed
from .steps import Step

_ZONE_TESTS = ("tests/zone", "tests/integration")


class Plan:
    """Collects steps; what several of them need is set up once."""

    def __init__(self) -> None:
        self.cells = runnable()
        if not self.cells:
            raise SetupFailed("a Python from 3.11 to 3.14 is needed. On Debian: apt-get install python3 python3-venv")
        self.newest = self.cells[0]
        self._set_up: dict[str, Step] = {}
        self._checks: list[Step] = []

    def steps(self) -> list[Step]:
        """Return all steps, those that set something up first."""
        return [*self._set_up.values(), *self._checks]

    def unit(self) -> None:
        """Plan the unit tests on every version of ansible-core."""
        for cell in self.cells:
            # What holds the tree and the tests themselves is the same whatever ansible-core there is.
            folder = "tests/unit" if cell is self.newest else "tests/unit/plugins"
            self._pytest("unit", cell, [folder], ())

    def zone(self) -> None:
        """Plan the tests against local zones on every version of ansible-core."""
        for cell in self.cells:
            # The zones themselves are the same whatever ansible-core there is.
            folders = _ZONE_TESTS if cell is self.newest else _ZONE_TESTS[1:]
            self._pytest("zone", cell, folders, (self._programs("the zones", debian.ZONE_PROGRAMS),))

    def interop(self) -> None:
        """Plan what other tools make of our images, and a browser of our report."""
        programs = {**debian.ZONE_PROGRAMS, **debian.INTEROP_PROGRAMS}
        self._pytest("interop", self.newest, ["tests/interop"], (self._programs("interop", programs),))

    def sanity(self) -> None:
        """Plan ansible-test sanity of every version of ansible-core."""
        for cell in self.cells:
            environment = self._environment(cell)
            needs = (self._made(cell), self._collections(cell))
            self._check(f"sanity {cell.name}", partial(sanity.sanity, cell, environment), needs)
        target, cell = oldest_target(), self.cells[-1]
        if target is not None:
            needs = (self._made(cell), self._collections(cell))
            check = partial(sanity.on_targets, target, cell, self._environment(cell))
            self._check(f"sanity on a target's Python {target}", check, needs)

    def lint(self) -> None:
        """Plan everything that reads the code and the documentation without running it."""
        environment = self._linters()
        needs = (self._linters_made(), self._collections(self.newest))
        for name, action in lint.checks(environment).items():
            self._check(name, action, needs)

    def artifact(self) -> None:
        """Plan the build of the collection, its installation and the demo from there."""
        installed = self._installed()
        describe = partial(execution_environment.describe, self._linters())
        self._check("execution environment", describe, (*installed, self._linters_made()))
        needs = (*installed, self._programs("the demo", debian.ZONE_PROGRAMS))
        self._check("demo from the artifact", partial(artifact.demo, self._environment(self.newest)), needs, "pytest")

    def importer(self) -> None:
        """Plan what Galaxy does with the artifact when it is published."""
        galaxy = self._galaxy()
        made = self._once("set up Galaxy's importer", galaxy.make)
        self._check("Galaxy's importer", partial(artifact.publish, galaxy), (*self._installed(), made))

    def demo(self) -> list[str]:
        """Plan what the demo needs and return the command that runs it."""
        self._installed()
        self._programs("the demo", debian.ZONE_PROGRAMS)
        return artifact.demo_command(self._environment(self.newest))

    def bench(self) -> list[str]:
        """Plan what the benchmark needs and return the command that runs it."""
        environment = self._environment(self.newest)
        self._made(self.newest)
        self._programs("the benchmark", debian.ZONE_PROGRAMS)
        return [str(environment.bin / "python"), "-m", "tests.benchmark", "--write", "docs/benchmarks.md"]

    def _installed(self) -> tuple[str, ...]:
        environment = self._environment(self.newest)
        needs = (self._made(self.newest), self._collections(self.newest))
        build = self._check("build the artifact", partial(artifact.build, environment), needs)
        install = partial(artifact.install, self.newest, environment)
        return (self._check("install the artifact", install, (*needs, build)),)

    def _pytest(self, name: str, cell: Cell, folders: Iterable[str], needs: tuple[str, ...]) -> None:
        environment = self._environment(cell)
        # The longest tests, and those of the engine alone, run where the newest ansible-core does.
        thorough = cell is self.newest
        action = partial(pytests.pytest, name, cell, environment, list(folders), thorough)
        self._check(f"{name} {cell.name}", action, (*needs, self._made(cell), self._collections(cell)), "pytest")

    def _environment(self, cell: Cell) -> Environment:
        assert cell.python is not None
        return test_environment(f"core-{cell.name}", cell.core, cell.python)

    def _linters(self) -> Environment:
        assert self.newest.python is not None
        return lint_environment(self.newest.python)

    def _galaxy(self) -> Environment:
        assert self.newest.python is not None
        return galaxy_environment(self.newest.python)

    def _linters_made(self) -> str:
        return self._once("set up the linters", self._linters().make)

    def _made(self, cell: Cell) -> str:
        return self._once(f"set up ansible-core {cell.name}", self._environment(cell).make)

    def _collections(self, cell: Cell) -> str:
        made = self._made(cell)
        unpack = partial(collections_wheel.unpack, cell.collections, self._environment(cell).bin / "python")
        return self._once(f"set up collections {cell.collections}", unpack, (made,))

    def _programs(self, name: str, programs: Iterable[str]) -> str:
        return self._once(f"set up programs for {name}", partial(debian.install, list(programs)))

    def _once(self, name: str, action: Callable[..., None], needs: tuple[str, ...] = ()) -> str:
        self._set_up.setdefault(name, Step(name, action, needs, sets_up=True))
        return name

    def _check(self, name: str, action: Callable[..., object], needs: tuple[str, ...], group: str = "") -> str:
        self._checks.append(Step(name, action, needs, group=group))  # type: ignore[arg-type]
        return name
