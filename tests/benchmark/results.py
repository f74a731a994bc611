# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured, kept as JSON beside the code, so that one case can be measured anew and the page made again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .cases import Case
from .images import Sizes
from .measure import Sample
from .programs import Program
from .rounds import Row, Table
from .start import Imports


@dataclass
class Results:
    """Tables with all samples, and what they were measured with.

    ``absent`` are the programs that could have taken part, ``minutes`` is what every case took together, ``left_out``
    says why one could not be measured.
    """

    machine: str
    libraries: Sequence[str]
    programs: Sequence[Program]
    sizes: Sizes
    tables: list[Table] = field(default_factory=list)
    starts: list[tuple[str, float]] = field(default_factory=list)
    imported: Imports | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    minutes: float = 0.0
    absent: Sequence[str] = ()

    def same_surroundings(self, other: Results) -> bool:
        """Whether both were measured on the same kind of machine, with the same versions and sizes."""
        mine, others = ((one.machine, list(one.libraries), list(one.programs), one.sizes) for one in (self, other))
        return mine == others

    def update(self, newer: Results) -> None:
        """Take over what was measured anew, and leave the rest as it is."""
        anew = {(table.case.name, table.transport) for table in newer.tables}
        self.tables = [one for one in self.tables if (one.case.name, one.transport) not in anew] + newer.tables
        names = {table.case.name for table in newer.tables}
        left_out = {name: reason for name, reason in self.left_out.items() if name not in names}
        self.left_out = {**left_out, **newer.left_out}
        self.tables = [table for table in self.tables if table.case.name not in newer.left_out]
        if newer.starts:
            self.starts, self.imported = newer.starts, newer.imported

    def in_order(self, cases: Sequence[Case]) -> Results:
        """Return the same with the tables in the order of the cases."""
        order = [case.name for case in cases]
        self.tables.sort(key=lambda table: (order.index(table.case.name), table.case.transports.index(table.transport)))
        return self


def as_json(results: Results) -> str:
    """Return the results as text, samples rounded to what they are good for."""
    tables = [
        {
            "case": table.case.name,
            "transport": table.transport,
            "date": table.date,
            "rows": [_row_to_json(row) for row in table.rows],
        }
        for table in results.tables
    ]
    document = {
        "machine": results.machine,
        "libraries": list(results.libraries),
        "programs": [_program_to_json(program) for program in results.programs],
        "absent": list(results.absent),
        "sizes": asdict(results.sizes),
        "left_out": results.left_out,
        "minutes": results.minutes,
        "starts": results.starts,
        "imported": asdict(results.imported) if results.imported else None,
        "tables": tables,
    }
    return json.dumps(document, indent=1) + "\n"


def from_json(text: str, cases: Sequence[Case]) -> Results:
    """Return the results in a text of ``as_json``; a case that there is no more is passed over."""
    document: dict[str, Any] = json.loads(text)
    known = {case.name: case for case in cases}
    tables = [
        Table(known[table["case"]], table["transport"], [_row_from_json(row) for row in table["rows"]], table["date"])
        for table in document["tables"]
        if table["case"] in known and table["transport"] in known[table["case"]].transports
    ]
    imported = document["imported"]
    return Results(
        document["machine"],
        document["libraries"],
        [Program(**program) for program in document["programs"]],
        Sizes(**document["sizes"]),
        tables,
        [(name, seconds) for name, seconds in document["starts"]],
        None if imported is None else Imports(**{**imported, "longest": [tuple(one) for one in imported["longest"]]}),
        {name: reason for name, reason in document["left_out"].items() if name in known},
        document["minutes"],
        document["absent"],
    )


def _program_to_json(program: Program) -> dict[str, str]:
    return {name: value for name, value in asdict(program).items() if name != "command"}


def _row_to_json(row: Row) -> dict[str, Any]:
    samples = [f"{one.wall:.4f} {one.cpu:.4f} {one.memory}" for one in row.samples]
    return {**asdict(row), "samples": samples}


def _row_from_json(row: dict[str, Any]) -> Row:
    split = [sample.split() for sample in row["samples"]]
    return Row(**{**row, "samples": [Sample(float(wall), float(cpu), int(memory)) for wall, cpu, memory in split]})
