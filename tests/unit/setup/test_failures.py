# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of every failed test the gate shows the end of its own traceback."""

from __future__ import annotations

from tests.setup.failures import reasons

_LOG = """\
[gw0] [ 50%] PASSED tests/a.py::test_a
=================================== ERRORS ====================================
________________ ERROR at setup of test_of_a_name_that_is_long ________________
E   there are no zones
=================================== FAILURES ===================================
_ test_a_name_that_takes_more_than_a_line_of_a_terminal_has[with-its-parameters] _
[gw1] linux -- Python 3.13
{body}
    _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _
E   assert 1 == 2
----------------------------- Captured stdout call -----------------------------
{printed}
___________________________________ test_b ____________________________________
E   assert 3 == 4
============================= slowest 15 durations =============================
0.20s call     tests/a.py::test_a
=========================== short test summary info ============================
FAILED tests/a.py::test_b - assert 3 == 4
================== 2 failed, 522 passed in 702.90s (0:11:42) ==================="""


def log(body: int, printed: int) -> list[str]:
    lines = (f"line {number}" for number in range(body)), (f"printed {number}" for number in range(printed))
    return _LOG.format(body="\n".join(lines[0]), printed="\n".join(lines[1])).splitlines()


def test_each_failed_test_has_its_section() -> None:
    shown = reasons(log(3, 2))
    assert shown[0].strip("_ ") == "ERROR at setup of test_of_a_name_that_is_long"
    assert [line for line in shown if line.startswith("E ")] == [
        "E   there are no zones",
        "E   assert 1 == 2",
        "E   assert 3 == 4",
    ]
    assert shown.index("line 0") < shown.index("printed 1") < shown.index("E   assert 3 == 4")
    assert not any("slowest" in line or "PASSED" in line or line.startswith("FAILED") for line in shown)


def test_a_section_is_cut_at_its_beginning() -> None:
    shown = reasons(log(1000, 1000))
    assert len(shown) < 100
    assert "E   assert 1 == 2" in shown
    assert "line 999" in shown
    assert "printed 999" in shown
    assert "... 980 lines, which are in the log" not in shown
    assert [line for line in shown if line.startswith("... ")] == [
        "... 944 lines, which are in the log",
        "... 981 lines, which are in the log",
    ]


def test_a_hundred_failures_do_not_hide_the_rest() -> None:
    failed = [line for number in range(100) for line in (f"____ test_{number} ____", "E   assert 0")]
    shown = reasons(["==== FAILURES ====", *failed, "==== 100 failed in 3.1s ===="])
    assert (len(shown), shown[-1]) == (41, "... and 80 more failed tests")


def test_without_a_failed_test_the_end_is_shown() -> None:
    assert reasons([f"line {number}" for number in range(100)])[0] == "line 40"
    assert reasons([]) == []
