# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page says what was measured, also where we lose; measuring a case anew leaves the others as they were."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmark.cases import Case
from tests.benchmark.contenders import Engine
from tests.benchmark.images import MIB, Sizes
from tests.benchmark.measure import Sample
from tests.benchmark.programs import Program
from tests.benchmark.report import document
from tests.benchmark.results import Results, as_json, from_json
from tests.benchmark.rounds import Row, Table
from tests.benchmark.start import Imports

FIRST = Case("layout", "First push", "layout", (Engine(),), "It is so.")
SET = Case("set", "Thirty images", "layout", (Engine(),), "One question each.", "layout", True, images=30)
CASES = (FIRST, SET)


def table(case: Case, transport: str, ours: Sequence[Sample], theirs: Sequence[Sample], date: str = "") -> Table:
    source = 15 if case.copied else None
    rows = [Row("appuio.registry", list(ours), 30, source)]
    rows.append(Row("skopeo 1.22.0", list(theirs), 47, source, program="skopeo 1.22.0"))
    return Table(case, transport, rows, date)


def results(*tables: Table, version: str = "1.22.0") -> Results:
    programs = [
        Program("skopeo", version, "2026", "Debian's suite testing"),
        Program("regctl", "0.11.1", "", "the path"),
    ]
    return Results("A machine", ["Python 3.13.0"], programs, Sizes(), list(tables))


def test_the_page() -> None:
    ours = [Sample(2, 1, 20 * MIB), Sample(1, 1, 10 * MIB), Sample(9, 9, 30 * MIB)]
    measured = results(table(FIRST, "tls", ours, [Sample(4, 4, 30 * MIB)], "2026-11-26"))
    measured.starts = [("the engine", 0.25)]
    text = document(measured)
    assert "| skopeo | 1.22.0 | 2026 | Debian's suite testing |" in text
    assert "| regctl | 0.11.1 | unknown | the path |" in text
    assert "| First push | TLS | 0.50, 0.25 |" in text
    assert "| First push | TLS | 20 MiB, 30 | 30 MiB, 47 |" in text
    assert "| appuio.registry | TLS | 2.00 s | 0.50 | 1.00 s | 0.25 | 20 MiB | 30 |" in text
    assert "| skopeo 1.22.0 | TLS | 4.00 s |  | 4.00 s |  | 30 MiB | 47 |" in text
    assert "It is so.\n\nCase `layout`, 3 rounds, 2026-11-26." in text
    assert "| the engine | 250 ms |" in text
    assert "eight layers of 25 MiB" in text


def test_where_we_lose_stands_out() -> None:
    text = document(results(table(FIRST, "plain", [Sample(3, 1, 30 * MIB)], [Sample(2, 1, 20 * MIB)])))
    assert "| First push | HTTP | **1.50**, 1.00 |" in text
    assert "| First push | HTTP | 30 MiB, 30 | **20 MiB**, 47 |" in text


def test_each_program_has_a_column_with_the_fastest_of_its_lines() -> None:
    measured = table(FIRST, "tls", [Sample(1, 1, MIB)], [Sample(4, 4, MIB)])
    measured.rows += [
        Row("skopeo 1.22.0, at the same time", [Sample(2, 5, 3 * MIB)], 29, program="skopeo 1.22.0"),
        Row("crane 0.20.7", [Sample(0.5, 2, MIB)], 38, program="crane 0.20.7"),
        Row("command: true, playbook", [Sample(0.1, 0.1, MIB)], 0),
    ]
    other = table(SET, "tls", [Sample(1, 1, MIB)], [Sample(2, 1, MIB)])
    text = document(results(measured, other))
    assert "| case |  | skopeo 1.22.0 | crane 0.20.7 |" in text
    assert "| First push | TLS | 0.50, 0.20 | **2.00**, 0.50 |" in text
    assert "| First push | TLS | 1 MiB, 30 | 3 MiB, **29** | 1 MiB, 38 |" in text
    assert "| Thirty images | TLS | 0.50, 1.00 |  |" in text


def test_what_is_not_here_is_named() -> None:
    measured = results()
    assert "Not here" not in document(measured)
    measured.absent = ["oras of Debian's suite testing", "oc"]
    assert "Not here, so not in any table: oras of Debian's suite testing, oc." in document(measured)


def test_a_set_is_told_by_the_image() -> None:
    text = document(results(table(SET, "tls", [Sample(1.5, 1, MIB)], [Sample(3, 1, MIB)])))
    assert "| appuio.registry | TLS | 1.50 s | 0.50 | 1.00 s | 1.00 | 1 MiB | 30 (15) | 50 ms | 1.5 |" in text


def test_what_is_held_against_no_other_program_is_not_in_short() -> None:
    measured = table(FIRST, "zones", [Sample(3, 1, MIB)], [Sample(2, 1, MIB)])
    measured.rows[1].program = ""
    text = document(results(measured))
    assert "| appuio.registry | local zones | 3.00 s | 1.50 |" in text
    assert "## In short" not in text


def test_what_could_not_be_measured_is_told() -> None:
    measured = results()
    measured.left_out = {"loss": "there is no /dev/net/tun"}
    assert "- Case `loss`: there is no /dev/net/tun." in document(measured)


def test_results_come_back_from_their_text() -> None:
    measured = results(table(FIRST, "tls", [Sample(2.5, 1.25, 20 * MIB)], [Sample(4, 4, 30 * MIB)], "2026-11-26"))
    measured.starts, measured.imported = [("the engine", 0.25)], Imports(0.2, 0.1, [("socket", 0.01)])
    measured.left_out, measured.minutes = {"set": "no haproxy"}, 17.5
    measured.absent = ["oc"]
    again = from_json(as_json(measured), CASES)
    assert again == measured
    assert document(again) == document(measured)


def test_a_case_that_there_is_no_more_is_passed_over() -> None:
    samples = [Sample(1, 1, MIB)]
    text = as_json(results(table(FIRST, "tls", samples, samples), table(SET, "tls", samples, samples)))
    assert [table.case.name for table in from_json(text, [SET]).tables] == ["set"]


def test_what_is_measured_anew_replaces_what_it_was() -> None:
    old, new = [Sample(1, 1, MIB)], [Sample(2, 2, MIB)]
    kept = results(table(SET, "tls", old, old), table(FIRST, "tls", old, old), table(FIRST, "plain", old, old))
    kept.starts, kept.left_out = [("the engine", 0.25)], {"set": "no haproxy"}
    kept.update(results(table(FIRST, "tls", new, new, "2026-11-26")))
    kept.in_order(CASES)
    assert [(one.case.name, one.transport, one.rows[0].samples) for one in kept.tables] == [
        ("layout", "plain", old),
        ("layout", "tls", new),
        ("set", "tls", old),
    ]
    assert kept.starts == [("the engine", 0.25)]
    assert kept.left_out == {"set": "no haproxy"}
    kept.update(results(table(SET, "tls", new, new)))
    assert kept.left_out == {}


def test_only_what_was_measured_alike_goes_together() -> None:
    assert results().same_surroundings(results())
    assert not results().same_surroundings(results(version="1.9.3"))
    assert results().same_surroundings(from_json(as_json(results()), CASES))
