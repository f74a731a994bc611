# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make test`` holds every check, on every version of ansible-core that a Python is there for."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.setup import ROOT, targets, versions
from tests.setup.pythons import Python


@pytest.fixture
def pythons(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make these the only Pythons of the machine."""

    def only(*there: tuple[int, int]) -> None:
        def newest(lowest: tuple[int, int], highest: tuple[int, int]) -> Python | None:
            fitting = [version for version in there if lowest <= version <= highest]
            return Python(max(fitting), f"/bin/python{max(fitting)[1]}") if fitting else None

        monkeypatch.setattr(versions, "newest_python", newest)

    return only


def sessions(target: str) -> set[str]:
    tests, checks = targets.lanes(target)
    names = [*tests, *checks]
    assert len(set(names)) == len(names)
    return set(names)


def test_units_run_on_every_version_and_zones_on_the_oldest_and_the_newest_release(
    pythons: Callable[..., None],
) -> None:
    pythons((3, 13), (3, 12), (3, 11), (3, 9))
    assert sessions("unit") == {f"unit-{version}" for version in ("2.16", "2.19", "2.20", "2.21", "2.22")}
    assert sessions("zone") == {"zone-2.16", "zone-2.21"}
    assert sessions("sanity") == {"sanity-2.16", "sanity-2.19", "sanity-2.21", "sanity-targets"}
    assert versions.left_out() == []


def test_the_whole_run_holds_every_check(pythons: Callable[..., None]) -> None:
    pythons((3, 13), (3, 12))
    assert sessions("test") == {name for target in targets.CHECKS if target != "test" for name in sessions(target)}
    assert {"interop", "integration", "artifact", *targets.LINT} <= sessions("test")


def test_without_a_newer_python_the_rest_still_runs_and_what_is_left_out_is_named(pythons: Callable[..., None]) -> None:
    pythons((3, 11))
    assert sessions("unit") == {"unit-2.16", "unit-2.19"}
    assert sessions("zone") == {"zone-2.16", "zone-2.19"}
    said = versions.left_out()
    assert [sentence.split(" did")[0] for sentence in said[:-1]] == [f"ansible-core 2.{n}" for n in (20, 21, 22)]
    assert "Modules were not tried with Python 3.9" in said[-1]


def test_a_version_that_is_no_release_is_never_the_newest(pythons: Callable[..., None]) -> None:
    pythons((3, 14))
    newest = versions.newest()
    assert newest is not None
    assert not newest.coming
    assert versions.runnable()[-1].coming


def test_every_target_of_the_makefile_is_known() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.search(r"^([a-z ]+):\n\t@test -n", makefile, re.MULTILINE)
    assert named is not None
    assert set(named[1].split()) == {*targets.CHECKS, *targets.ALONE}


def test_every_session_is_in_the_noxfile_or_comes_from_antsibull_nox() -> None:
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    own = {name.replace("_", "-") for name in re.findall(r"^def ([a-z_]+)\(session", noxfile, re.MULTILINE)}
    own |= set(re.findall(r'name="([a-z-]+)"', noxfile))
    configured = (ROOT / "antsibull-nox.toml").read_text(encoding="utf-8")
    sections = {name.replace("_", "-") for name in re.findall(r"^\[sessions\.([a-z_]+)\]", configured, re.MULTILINE)}
    # These three are what its section on linting consists of.
    brought = sections - {"lint"} | {"formatters", "yamllint", "antsibull-nox-config"}
    wanted = {re.sub(r"-2\.\d+\Z", "", name) for name in sessions("test")} | set(targets.ALONE.values())
    assert wanted <= own | brought
