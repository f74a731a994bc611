# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.benchmark``: measure, and say what came out."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

import conftest  # noqa: F401 # pylint: disable=unused-import

from .cases import TRANSPORTS, cases
from .images import MIB, Images, Sizes
from .machine import busy
from .measure import BenchmarkFailed
from .registries import Registries
from .report import document, raw
from .rounds import Runner, Table
from .start import first_requests, imports

START = "start"
_BUSY = 0.5


def main() -> int:
    """Measure what is asked for and return the exit status."""
    arguments = _arguments()
    if busy() > _BUSY:
        print(f"This machine is busy ({busy():.1f} processes want to run): what follows is worth little", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="benchmark-", dir=arguments.directory))
    try:
        _check_space(arguments, folder)
        text, every_sample = _measured(arguments, folder)
    except BenchmarkFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(text)
    for file, content in ((arguments.write, text), (arguments.json, every_sample)):
        if file is not None:
            file.write_text(content, encoding="utf-8")
    return 0


def _measured(arguments: argparse.Namespace, folder: Path) -> tuple[str, str]:
    sizes = Sizes(arguments.layer_size * MIB, arguments.archive_size * MIB, arguments.large_size * MIB)
    images = Images(folder / "images", sizes)
    work = folder / "work"
    work.mkdir()
    tables: list[Table] = []
    for transport in arguments.transport or TRANSPORTS:
        chosen = [case for case in cases() if _wanted(case.name, arguments) and transport in case.transports]
        tls = transport == "tls"
        with (
            Registries(folder / f"timed-{transport}", tls=tls, counted=False) as timed,
            Registries(folder / f"counted-{transport}", tls=tls, counted=True) as counted,
        ):
            runner = Runner(images, work, transport, timed, counted, _say)
            for case in chosen:
                _say(f"{case.name}, {transport}: {case.title}")
                tables.append(runner.table(case, arguments.rounds))
    starts, imported = [], None
    if _wanted(START, arguments):
        _say(START)
        with Registries(folder / "start", tls=True, counted=True) as registries:
            starts = first_requests(images, work, registries, arguments.rounds)
        imported = imports(work, arguments.rounds)
    order = [case.name for case in cases()]
    tables.sort(key=lambda table: order.index(table.case.name))
    return document(tables, starts, imported, sizes, _command()), raw(tables)


def _check_space(arguments: argparse.Namespace, folder: Path) -> None:
    """Raise BenchmarkFailed where images and registries would not find room."""
    needed = (16 * arguments.layer_size + 16 * arguments.archive_size) * MIB
    if _wanted("memory", arguments):
        needed += 3 * arguments.large_size * MIB
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BenchmarkFailed(f"{folder.parent} has {free // MIB} MiB left, {needed // MIB} are needed: --directory")


def _arguments() -> argparse.Namespace:
    names = [*(case.name for case in cases()), START]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=__doc__)
    parser.add_argument("--case", action="append", choices=names, help="only this; may be given several times")
    parser.add_argument("--transport", action="append", choices=TRANSPORTS, help="only this (default: both)")
    parser.add_argument("--rounds", type=int, default=5, help="how often everybody pushes (default: 5)")
    parser.add_argument(
        "--layer-size", type=int, default=25, metavar="MIB", help="of each of eight layers (default: 25)"
    )
    parser.add_argument(
        "--archive-size", type=int, default=196, metavar="MIB", help="of a docker-archive (default: 196)"
    )
    parser.add_argument(
        "--large-size", type=int, default=4096, metavar="MIB", help="of the large image (default: 4096)"
    )
    parser.add_argument("--directory", type=Path, help="where images and registries are kept while it runs")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the tables there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every sample there")
    return parser.parse_args()


def _wanted(name: str, arguments: argparse.Namespace) -> bool:
    return not arguments.case or name in arguments.case


def _command() -> str:
    return shlex.join(["python", "-m", "tests.benchmark", *sys.argv[1:]])


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
