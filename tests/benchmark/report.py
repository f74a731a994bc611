# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results as a page of Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from .cases import TRANSPORTS
from .images import MIB
from .results import Results
from .rounds import Row, Table

_HEAD = """<!--
SPDX-FileCopyrightText: 2026 The appuio.registry authors
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Benchmarks

The engine of `appuio.registry.appuio_image_push`, and other programs that bring images to registries: the same images,
to the same CNCF Distribution registries on the same machine, in turns. `make bench` sets up what this needs, measures
everything and writes this page, here in {minutes:.0f} minutes.

{machine}. {libraries}.

{programs}
## How it is measured

- The OCI layout has eight layers of {layer}, the light one eight of {light}. The docker-archive has four uncompressed
  layers, {archive} of files of the machine together. The large image has eight layers, {large} together,
  and the large docker-archive has a quarter of that, in four layers of files.
- Without a word on the network, the registries run on the loopback interface with nothing in front, so the figures show
  what the programs themselves take.
- *haproxy* is a route like OpenShift's: it ends TLS and begins it anew towards the registry, with the time limits of
  the router's template.
- *20 ms* is a round trip between two network namespaces of this machine. A relay of the benchmark's own carries their
  packets of 1500 octets, each 10 ms late, and with *1 % loss* drops so many of them in each direction, by chance. The
  kernel's TCP does the rest, as it would with `tc netem`, for which kernels need a module. The relay shares the
  processor with everybody.
- Other programs are `skopeo copy`, `crane push` and `crane copy`, `oras cp`, and where they are on the path
  `regctl image copy` and `oc image mirror`. Those of Debian's suite testing are not installed but unpacked, and started
  by that suite's own loader with its libraries. Each version takes part under its own name; a further, older one is
  left out where a single push of it takes half a minute.
- In each round everybody pushes once, after one round that does not count, each time to a repository that is new. What
  they remember of earlier pushes is removed before: skopeo's blob-info cache, and our cache. Where a push is repeated,
  they keep what they learned in the first one. What is still to be written to the disk is written before each push.
- Shown is the median. A ratio is to the line that has none; below 1 is less than that.
- CPU is user and system time of the client's processes. Peak memory is that of its largest process (`wait4`).
- Requests are counted in a run of their own, with a log in front of the registry and no slow network; at the source in
  brackets. Where the image has gigabytes, they are counted with a smaller one of as many layers.
- After each push, the registries are asked whether they have the image.
- *Playbook* is `ansible-playbook` from its start to its end, with one task.
- *Local zones* are registries with OpenShift's access rules and its API beside them, as the tests use them. Seconds and
  CPU are those of `ansible-playbook` and all that it starts. `command: true` has as many hosts.
"""
_TIMES = """## In short

Our first line of each case, as ratios to the line of each program that took the least time: wall clock, then CPU. Bold
is where we take more.

"""
_AMOUNTS = """The same lines: peak memory, and requests. Bold is what is less than ours.

"""


def document(results: Results) -> str:
    """Return the whole page."""
    sizes = {name: f"{size / MIB:.0f} MiB" for name, size in asdict(results.sizes).items()}
    head = _HEAD.format(
        machine=results.machine,
        libraries=", ".join(results.libraries),
        programs=_programs(results),
        minutes=results.minutes,
        **sizes,
    )
    names = dict.fromkeys(table.case.name for table in results.tables)
    sections = [_section([table for table in results.tables if table.case.name == name]) for name in names]
    return "\n".join([head, *_summary(results.tables), *sections, *_left_out(results.left_out), *_start(results)])


def _programs(results: Results) -> str:
    lines = [_line([one.name, one.version, one.year or "unknown", one.origin]) for one in results.programs]
    table = "\n".join([_line(["program", "version", "packaged in", "from"]), _line(["---"] * 4), *lines, ""])
    absent = f"\nNot here, so not in any table: {', '.join(results.absent)}.\n" if results.absent else ""
    return table + absent


def _summary(tables: Sequence[Table]) -> Iterator[str]:
    # What is held against an empty playbook alone is left to its own table.
    compared = [table for table in tables if any(row.program for row in table.rows)]
    titles = list(dict.fromkeys(row.program for table in compared for row in table.rows if row.program))
    if compared:
        times = [_line(_compared(table, titles, _ratios)) for table in compared]
        yield _TIMES + "\n".join([*_columns("case", "", *titles), *times, ""])
        amounts = [_line(_compared(table, ["", *titles], _amounts)) for table in compared]
        yield _AMOUNTS + "\n".join([*_columns("case", "", "appuio.registry", *titles), *amounts, ""])


def _compared(table: Table, titles: Sequence[str], cell: Callable[[Row, Row], str]) -> list[str]:
    """Return a line of a summary: our first line held against the fastest of each program, itself where it is ours."""
    ours = table.rows[0]
    others = [table.fastest(title) if title else ours for title in titles]
    cells = ["" if other is None else cell(ours, other) for other in others]
    return [table.case.title, TRANSPORTS[table.transport], *cells]


def _ratios(ours: Row, other: Row) -> str:
    ratios = [ours.median(what) / (other.median(what) or ours.median(what) or 1) for what in ("wall", "cpu")]
    return ", ".join(_bold(f"{ratio:.2f}", round(ratio, 2) > 1) for ratio in ratios)


def _amounts(ours: Row, other: Row) -> str:
    cells = [_bold(_memory(other), other.median("memory") < ours.median("memory"))]
    if other.requests is not None:
        cells.append(_bold(_requests(other), other.requests < (ours.requests or 0)))
    return ", ".join(cells)


def _section(tables: Sequence[Table]) -> str:
    case = tables[0].case
    columns = ["", "", "wall", "ratio", "CPU", "ratio", "peak memory"]
    columns += ["requests"] if case.counted else []
    columns += ["layers"] if case.image == "archive" else []
    columns += ["wall for each image", "requests for each image"] if case.images > 1 else []
    lines = [f"## {case.title}", "", *_columns(*columns)]
    for table in tables:
        lines += [_line(_cells(table, row)) for row in table.rows]
    rounds = len(tables[0].rows[0].samples)
    dates = " and ".join(dict.fromkeys(table.date for table in tables))
    measured = f"Case `{case.name}`, {rounds} {'round' if rounds == 1 else 'rounds'}, {dates}."
    return "\n".join([*lines, "", *([case.why, ""] if case.why else []), measured, ""])


def _cells(table: Table, row: Row) -> list[str]:
    cells = [row.contender, TRANSPORTS[table.transport]]
    for what in ("wall", "cpu"):
        ratio = table.ratio(row, what)
        cells += [f"{row.median(what):.2f} s", "" if ratio is None else f"{ratio:.2f}"]
    cells.append(_memory(row))
    if table.case.counted:
        cells.append(_requests(row))
    if table.case.image == "archive":
        cells.append(f"{row.uploaded / 2**20:.1f} MiB")
    if table.case.images > 1:
        everywhere = (row.requests or 0) + (row.source_requests or 0)
        cells += [f"{row.median('wall') / table.case.images * 1000:.0f} ms", f"{everywhere / table.case.images:.1f}"]
    return cells


def _left_out(left_out: dict[str, str]) -> Iterator[str]:
    if left_out:
        lines = [f"- Case `{name}`: {reason}." for name, reason in left_out.items()]
        yield "\n".join(["## Not measured here", "", *lines, ""])


def _start(results: Results) -> Iterator[str]:
    if results.starts:
        lines = [f"| {name} | {seconds * 1000:.0f} ms |" for name, seconds in results.starts]
        yield (
            "## Start\n\nFrom the start of the process to the arrival of its first request, over TLS.\n\n"
            "| | |\n|---|--:|\n" + "\n".join(lines) + "\n"
        )
    imported = results.imported
    if imported is not None:
        longest = ", ".join(f"`{name}` {seconds * 1000:.1f}" for name, seconds in imported.longest)
        yield (
            f"The module's imports take {imported.total * 1000:.0f} ms (`python -X importtime`, which adds to it), "
            f"{imported.ansible * 1000:.0f} ms of them Ansible's own `module_utils.basic`. Those that take longest by "
            f"themselves, in ms: {longest}.\n"
        )


def _requests(row: Row) -> str:
    return str(row.requests) + (f" ({row.source_requests})" if row.source_requests is not None else "")


def _memory(row: Row) -> str:
    return f"{row.median('memory') / MIB:.0f} MiB"


def _bold(text: str, whether: bool) -> str:
    return f"**{text}**" if whether else text


def _columns(*names: str) -> list[str]:
    """Return the first two lines of a table; the first two columns are text, the others numbers."""
    return [_line(names), _line(["---", "---", *["--:"] * (len(names) - 2)])]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
