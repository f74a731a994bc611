# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from .cases import TRANSPORTS
from .images import MIB
from .machine import Program
from .newer import NEWER
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
{newer}
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
_SUMMARY = """## In short

Our first line of each case, as a ratio to the first line of another program. Bold is where we take more.

"""


def document(results: Results) -> str:
    """Return the whole page."""
    sizes = {name: f"{size / MIB:.0f} MiB" for name, size in asdict(results.sizes).items()}
    head = _HEAD.format(
        machine=results.machine,
        libraries=", ".join(results.libraries),
        programs=_programs(results.programs),
        newer=NEWER,
        minutes=results.minutes,
        **sizes,
    )
    names = dict.fromkeys(table.case.name for table in results.tables)
    sections = [_section([table for table in results.tables if table.case.name == name]) for name in names]
    return "\n".join([head, *_summary(results.tables), *sections, *_left_out(results.left_out), *_start(results)])


def _programs(programs: Sequence[Program]) -> str:
    lines = [_line([program.name, program.version, program.year or "unknown"]) for program in programs]
    return "\n".join([_line(["program", "version", "of"]), _line(["---"] * 3), *lines, ""])


def _summary(tables: Sequence[Table]) -> Iterator[str]:
    lines = []
    for table in tables:
        if table.transport == "zones":
            # There is no other program, but an empty playbook alone.
            continue
        ours = table.rows[0]
        base = next(row for row in table.rows if row.contender == table.case.baseline)
        memory = ours.median("memory") / base.median("memory")
        counts = "" if ours.requests is None else f"{_requests(ours)} : {_requests(base)}"
        ratios = [table.ratio(ours, "wall") or 0, table.ratio(ours, "cpu") or 0, memory]
        cells = [table.case.title, TRANSPORTS[table.transport], *map(_ratio, ratios), counts]
        lines.append(_line(cells))
    if lines:
        columns = ["case", "", "wall", "CPU", "peak memory", "requests"]
        yield _SUMMARY + "\n".join([_line(columns), _line(["---", "---", *["--:"] * 4]), *lines, ""])


def _section(tables: Sequence[Table]) -> str:
    case = tables[0].case
    columns = ["", "", "wall", "ratio", "CPU", "ratio", "peak memory"]
    columns += ["requests"] if case.counted else []
    columns += ["layers"] if case.image == "archive" else []
    columns += ["wall for each image", "requests for each image"] if case.images > 1 else []
    lines = [f"## {case.title}", "", _line(columns), _line(["---", "---", *["--:"] * (len(columns) - 2)])]
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
    cells.append(f"{row.median('memory') / 2**20:.0f} MiB")
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


def _ratio(value: float) -> str:
    return f"**{value:.2f}**" if round(value, 2) > 1 else f"{value:.2f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
