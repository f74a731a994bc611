# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions run in two lanes; failed tests are named at once, and what is printed at the end is what happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.setup import run
from tests.setup.run import Counts, Run, count

# Takes the place of nox: prints what the session of this name prints, and ends with its status.
_NOX = """\
case "$2" in
  unit) echo "[gw0] [ 50%] PASSED tests/unit/test_a.py::test_a"; echo "===== 40 passed, 1 skipped in 3.1s =====" ;;
  broken)
    echo "[gw1] [ 10%] FAILED tests/unit/test_b.py::test_b[x y] "
    echo "[gw1] [ 20%] ERROR tests/unit/test_b.py::test_c"
    echo "FAILED tests/unit/test_b.py::test_b[x y] - assert 1 == 2"
    echo "== 1 failed, 7 passed, 1 error in 65.30s (0:01:05) =="
    exit 1 ;;
  lint) echo fine ;;
  crash) echo "the reason"; exit 3 ;;
esac
"""


@pytest.fixture
def nox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A command that behaves as nox would."""
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(run, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(run.signal, "signal", lambda *_arguments: None)
    script = tmp_path / "nox"
    script.write_text(f"#!/bin/sh\n{_NOX}", encoding="utf-8")
    script.chmod(0o755)
    return [str(script)]


@pytest.mark.parametrize(
    ("lanes", "last_line", "status"),
    [
        ((["lint"], []), "1 passed, 0 failed", 0),
        ((["unit"], ["lint"]), "41 passed, 0 failed", 0),
        ((["broken", "unit"], ["lint"]), "48 passed, 2 failed", 1),
        ((["unit"], ["crash"]), "40 passed, 1 failed", 1),
        (([], []), "0 passed, 0 failed", 1),
    ],
)
def test_the_last_line_and_the_status_are_what_happened(
    lanes: tuple[list[str], list[str]],
    last_line: str,
    status: int,
    nox: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert Run(nox).all(lanes, []) == status
    assert capsys.readouterr().out.splitlines()[-1] == last_line


def test_a_failed_session_names_its_tests_at_once_and_shows_the_end_of_its_log(
    nox: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    Run(nox).all((["broken", "crash"], []), ["ansible-core 2.22 did not run"])
    shown = capsys.readouterr().out
    assert "FAILED  broken: tests/unit/test_b.py::test_b[x y]\n" in shown
    assert "ERROR   broken: tests/unit/test_b.py::test_c\n" in shown
    assert shown.index("FAILED  broken: ") < shown.index("    | ")
    assert "    | the reason" in shown
    assert "logs/crash.log" in shown
    assert (tmp_path / "logs" / "crash.log").read_text(encoding="utf-8") == "the reason\n"
    assert "ansible-core 2.22 did not run" in shown


def test_every_failure_is_shown_once_more_after_all_sessions(
    nox: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Run(nox).all((["crash", "unit"], []), [])
    first, second = (shown.splitlines() for shown in capsys.readouterr().out.split("ok      unit"))
    assert "    | the reason" in first
    assert second[2:5] == ["FAILED  crash", "    | the reason", "    the whole log: logs/crash.log"]


def test_a_failed_session_counts_as_failed_whatever_its_tests_say() -> None:
    assert count(["=== 3 passed in 0.1s ==="], passed=False) == Counts(3, 1, 0)


def test_a_session_that_counts_nothing_is_one_check() -> None:
    assert count(["12 files checked in 3 folders"], passed=True) == Counts(1, 0, 0)
    assert count([], passed=False) == Counts(0, 1, 0)
