# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make test`` holds every check, on every version of ansible-core that a Python is there for."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.setup import cells
from tests.setup.__main__ import _APART, _SHOWS, _TARGETS
from tests.setup.failure import SetupFailed
from tests.setup.places import ROOT
from tests.setup.plan import Plan
from tests.setup.pythons import Python

LINTERS = {
    "ruff check",
    "ruff format",
    "yamllint",
    "ansible-lint",
    "mypy plugins",
    "mypy tests",
    "antsibull-docs",
    "antsibull-changelog",
    "reuse",
    "ansible-doc",
}
ARTIFACT = {
    "build the artifact",
    "install the artifact",
    "execution environment",
    "demo from the artifact",
}


@pytest.fixture
def pythons(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make these the only Pythons of the machine."""

    def only(*versions: tuple[int, int]) -> None:
        def newest(lowest: tuple[int, int], highest: tuple[int, int]) -> Python | None:
            fitting = [version for version in versions if lowest <= version <= highest]
            return Python(max(fitting), f"/bin/python{max(fitting)[1]}") if fitting else None

        monkeypatch.setattr(cells, "newest", newest)

    return only


def planned(*targets: str) -> set[str]:
    plan = Plan()
    for target in targets:
        getattr(plan, target)()
    steps = plan.steps()
    names = {step.name for step in steps}
    assert len(names) == len(steps)
    assert all(need in names for step in steps for need in step.needs)
    return {step.name for step in steps if not step.sets_up}


def test_everything_runs_on_every_version(pythons: Callable[..., None]) -> None:
    pythons((3, 13), (3, 12), (3, 11), (3, 9))
    on_each = {f"{name} {cell}" for name in ("unit", "zone", "sanity") for cell in ("2.16", "2.19", "newest")}
    assert planned(*_TARGETS) == on_each | {"interop newest", "sanity on a target's Python 3.9"} | LINTERS | ARTIFACT
    assert cells.left_out() == []


def test_without_a_newer_python_the_rest_still_runs(pythons: Callable[..., None]) -> None:
    pythons((3, 11))
    on_each = {f"{name} {cell}" for name in ("unit", "zone", "sanity") for cell in ("2.16", "2.19")}
    assert planned(*_TARGETS) == on_each | {"interop 2.19"} | LINTERS | ARTIFACT
    assert len(cells.left_out()) == 2


def test_without_any_python_the_package_is_named(pythons: Callable[..., None]) -> None:
    pythons((3, 9))
    with pytest.raises(SetupFailed, match="apt-get install python3 python3-venv"):
        Plan()


def test_the_demo_needs_no_more_than_it_shows(pythons: Callable[..., None]) -> None:
    pythons((3, 13), (3, 11))
    plan = Plan()
    plan.demo()
    environments = [step.name for step in plan.steps() if step.name.startswith("set up ansible-core")]
    assert environments == ["set up ansible-core newest"]


def test_the_importer_takes_what_was_built(pythons: Callable[..., None]) -> None:
    pythons((3, 13))
    assert planned("importer") == {"build the artifact", "install the artifact", "Galaxy's importer"}


def test_the_benchmark_is_set_up_and_nothing_else(pythons: Callable[..., None]) -> None:
    pythons((3, 13), (3, 11))
    plan = Plan()
    assert plan.bench()[1:] == ["-m", "tests.benchmark", "--write", "docs/benchmarks.md"]
    assert [step.name for step in plan.steps()] == ["set up ansible-core newest", "set up programs for the benchmark"]


def test_every_target_of_the_makefile_is_known() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^([a-z ]+):\n\t@test -n", makefile, re.MULTILINE)
    assert targets is not None
    assert set(targets[1].split()) == {"test", *_SHOWS, *_TARGETS, *_APART}
