# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page says what was measured, also where we lose; measuring a case anew leaves the others as they were."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmark.cases import Case
from tests.benchmark.contenders import Engine, Skopeo
from tests.benchmark.images import MIB, Sizes
from tests.benchmark.machine import Program
from tests.benchmark.measure import Sample
from tests.benchmark.report import document
from tests.benchmark.results import Results, as_json, from_json
from tests.benchmark.rounds import Row, Table
from tests.benchmark.start import Imports

FIRST = Case("layout", "First push", "layout", (Engine(), Skopeo()), "It is so.")
SET = Case("set", "Thirty images", "layout", (Engine(), Skopeo()), "One question each.", "layout", True, images=30)
CASES = (FIRST, SET)


def table(case: Case, transport: str, ours: Sequence[Sample], theirs: Sequence[Sample], date: str = "") -> Table:
    source = 15 if case.copied else None
    rows = [Row("appuio.registry", list(ours), 30, source), Row("skopeo copy", list(theirs), 47, source)]
    return Table(case, transport, rows, date)


def results(*tables: Table, version: str = "1.9.3") -> Results:
    programs = [Program("skopeo", version, "2022"), Program("oras", "1.3.0")]
    return Results("A machine", ["Python 3.13.0"], programs, Sizes(), list(tables))


def test_the_page() -> None:
    ours = [Sample(2, 1, 20 * MIB), Sample(1, 1, 10 * MIB), Sample(9, 9, 30 * MIB)]
    measured = results(table(FIRST, "tls", ours, [Sample(4, 4, 30 * MIB)], "2026-11-26"))
    measured.starts = [("the engine", 0.25)]
    text = document(measured)
    assert "| skopeo | 1.9.3 | 2022 |" in text
    assert "| oras | 1.3.0 | unknown |" in text
    assert "2026-11-25" in text  # what newer programs reached is dated
    assert "| First push | TLS | 0.50 | 0.25 | 0.67 | 30 : 47 |" in text
    assert "| appuio.registry | TLS | 2.00 s | 0.50 | 1.00 s | 0.25 | 20 MiB | 30 |" in text
    assert "| skopeo copy | TLS | 4.00 s |  | 4.00 s |  | 30 MiB | 47 |" in text
    assert "It is so.\n\nCase `layout`, 3 rounds, 2026-11-26." in text
    assert "| the engine | 250 ms |" in text
    assert "eight layers of 25 MiB" in text


def test_where_we_lose_stands_out() -> None:
    text = document(results(table(FIRST, "plain", [Sample(3, 1, 30 * MIB)], [Sample(2, 1, 20 * MIB)])))
    assert "| First push | HTTP | **1.50** | 1.00 | **1.50** | 30 : 47 |" in text


def test_a_set_is_told_by_the_image() -> None:
    text = document(results(table(SET, "tls", [Sample(1.5, 1, MIB)], [Sample(3, 1, MIB)])))
    assert "| appuio.registry | TLS | 1.50 s | 0.50 | 1.00 s | 1.00 | 1 MiB | 30 (15) | 50 ms | 1.5 |" in text


def test_what_is_held_against_no_other_program_is_not_in_short() -> None:
    text = document(results(table(FIRST, "zones", [Sample(3, 1, MIB)], [Sample(2, 1, MIB)])))
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
    assert not results().same_surroundings(results(version="1.22.0"))
    assert results().same_surroundings(from_json(as_json(results()), CASES))
