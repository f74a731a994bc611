# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables as Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from .images import MIB, Sizes
from .machine import machine, versions
from .rounds import Row, Table
from .start import Imports

_TRANSPORTS = {"plain": "HTTP", "tls": "TLS"}
_HEAD = """<!--
SPDX-FileCopyrightText: 2026 The appuio.registry authors
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Benchmarks

The engine of `appuio.registry.appuio_image_push` and `skopeo copy`: the same images, to the same CNCF Distribution
registries on the same machine, in turns.

```shell
{command}
```

`make bench` sets up what this needs and runs it. {machine}. {versions}.

## How it is measured

- The OCI layout has eight layers of {layer}. The docker-archive has four uncompressed layers, {archive} of files of the
  machine together. The large image has eight layers, {large} together,
  and the large docker-archive has a quarter of that, in four layers of files.
- The registries run on the loopback interface with nothing in front. There is no network in these figures, so they show
  what the programs themselves take.
- In each round everybody pushes once, after one round that does not count, each time to a repository that is new. What
  they remember of earlier pushes is removed before: skopeo's blob-info cache, and our cache. Where a push is repeated,
  they keep what they learned in the first one. What is still to be written to the disk is written before each push.
- Shown is the median. A ratio is to the line that has none; below 1 is less than that.
- CPU is user and system time of the client's processes. Peak memory is that of its largest process (`wait4`).
- Requests are counted in a run of their own, with a log in front of the registry; at the source in brackets.
- After each push, the registries are asked whether they have the image.
- *Playbook* is `ansible-playbook` from its start to its end, with one task.
"""


def document(
    tables: Sequence[Table], starts: Sequence[tuple[str, float]], imported: Imports | None, sizes: Sizes, command: str
) -> str:
    """Return the whole document."""
    images = {name: f"{size / MIB:.0f} MiB" for name, size in asdict(sizes).items()}
    parts = [_HEAD.format(command=command, machine=machine(), versions=", ".join(versions()), **images)]
    names = dict.fromkeys(table.case.name for table in tables)
    parts += [_section([table for table in tables if table.case.name == name]) for name in names]
    if starts:
        lines = [f"| {name} | {seconds * 1000:.0f} ms |" for name, seconds in starts]
        parts.append(
            "## Start\n\nFrom the start of the process to the arrival of its first request, over TLS.\n\n"
            "| | |\n|---|--:|\n" + "\n".join(lines) + "\n"
        )
    if imported is not None:
        longest = ", ".join(f"`{name}` {seconds * 1000:.1f}" for name, seconds in imported.longest)
        parts.append(
            f"The module's imports take {imported.total * 1000:.0f} ms (`python -X importtime`, which adds to it), "
            f"{imported.ansible * 1000:.0f} ms of them Ansible's own `module_utils.basic`. Those that take longest by "
            f"themselves, in ms: {longest}.\n"
        )
    return "\n".join(parts)


def raw(tables: Sequence[Table]) -> str:
    """Return every sample as JSON."""
    return json.dumps(
        [
            {"case": table.case.name, "transport": table.transport, "rows": [asdict(row) for row in table.rows]}
            for table in tables
        ],
        indent=1,
    )


def _section(tables: Sequence[Table]) -> str:
    case = tables[0].case
    columns = ["", "", "wall", "ratio", "CPU", "ratio", "peak memory"]
    columns += ["requests"] if case.counted else []
    columns += ["layers"] if case.image == "archive" else []
    lines = [f"## {case.title}", "", _line(columns), _line(["---", "---", *["--:"] * (len(columns) - 2)])]
    for table in tables:
        lines += [_line(_cells(table, row)) for row in table.rows]
    rounds = len(tables[0].rows[0].samples)
    return "\n".join([*lines, "", f"Case `{case.name}`, {rounds} {'round' if rounds == 1 else 'rounds'}.", ""])


def _cells(table: Table, row: Row) -> list[str]:
    cells = [row.contender, _TRANSPORTS[table.transport]]
    for what in ("wall", "cpu"):
        ratio = table.ratio(row, what)
        cells += [f"{row.median(what):.2f} s", "" if ratio is None else f"{ratio:.2f}"]
    cells.append(f"{row.median('memory') / 2**20:.0f} MiB")
    if table.case.counted:
        cells.append(str(row.requests) + (f" ({row.source_requests})" if row.source_requests is not None else ""))
    if table.case.image == "archive":
        cells.append(f"{row.uploaded / 2**20:.1f} MiB")
    return cells


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
