# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.benchmark``: measure, and say what came out."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import conftest  # noqa: F401 # pylint: disable=unused-import

from .cases import NETWORKS, TRANSPORTS, Case, cases
from .images import MIB, Images, Sizes
from .machine import busy, libraries, machine
from .measure import BenchmarkFailed
from .network import Network, NoNetwork
from .plays import ZoneRegistries
from .programs import absent, programs
from .registries import Registries
from .report import document
from .results import Results, as_json, from_json
from .rounds import Runner
from .route import NoRoute, haproxy_program
from .start import first_requests, imports

START = "start"
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
KEPT = Path(__file__).parents[2] / ".build" / "benchmark.json"
_BUSY = 0.5


def main() -> int:
    """Measure what is asked for and return the exit status."""
    arguments = _arguments()
    try:
        if arguments.page_only:
            PAGE.write_text(document(_kept()), encoding="utf-8")
            return 0
        results = _measured(arguments)
        if arguments.update:
            results = _merged(results, arguments)
    except BenchmarkFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    text = document(results)
    print(text)
    if arguments.update:
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(as_json(results), encoding="utf-8")
        PAGE.write_text(text, encoding="utf-8")
    for file, content in ((arguments.write, text), (arguments.json, as_json(results))):
        if file is not None:
            file.write_text(content, encoding="utf-8")
    return 1 if any(reason.startswith("it failed") for reason in results.left_out.values()) else 0


def _measured(arguments: argparse.Namespace) -> Results:
    sizes = Sizes(
        *(getattr(arguments, name) * MIB for name in ("layer_size", "archive_size", "large_size", "light_size"))
    )
    results = Results(machine(), libraries(), programs(), sizes, absent=absent())
    if arguments.update and not _all(arguments):
        # Known before hours were spent on it.
        _merged(results, arguments)
    if busy() > _BUSY:
        _say(f"This machine is busy ({busy():.1f} processes want to run): what follows is worth little")
    begin = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="benchmark-", dir=arguments.directory))
    try:
        _check_space(arguments, folder)
        _measure(arguments, folder, results)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    results.minutes = round((time.monotonic() - begin) / 60, 1)
    _say(f"{results.minutes} minutes")
    return results.in_order(cases())


def _measure(arguments: argparse.Namespace, folder: Path, results: Results) -> None:
    images = Images(folder / "images", results.sizes)
    work = folder / "work"
    work.mkdir()
    for transport in arguments.transport or TRANSPORTS:
        chosen = [case for case in cases() if _wanted(case.name, arguments) and transport in case.transports]
        try:
            if chosen:
                _over(transport, chosen, images, folder, results, arguments.rounds)
        except (NoNetwork, NoRoute) as reason:
            _say(f"{transport} is left out: {reason}")
            results.left_out.update({case.name: str(reason) for case in chosen})
        except Exception as failure:  # what is measured already is worth minutes, and is not to be lost
            _say(f"{transport} failed: {failure!r}")
            results.left_out.update({case.name: _failed(failure) for case in chosen})
    if _wanted(START, arguments):
        _say(START)
        with Registries(folder / "start", tls=True, counted=True) as registries:
            results.starts = first_requests(images, work, registries, arguments.rounds)
        results.imported = imports(work, arguments.rounds)


def _over(transport: str, chosen: list[Case], images: Images, folder: Path, results: Results, rounds: int) -> None:
    """Measure the cases over one transport; raises NoNetwork and NoRoute where that cannot be had here."""
    if transport == "zones":
        with ZoneRegistries(folder / "zones", max(case.zones for case in chosen)) as zones:
            _each(chosen, Runner(images, folder / "work", transport, zones, zones, _say), results, rounds)
        return
    kind: dict[str, Any] = {"tls": transport != "plain", "routed": transport not in ("plain", "tls")}
    if kind["routed"]:
        haproxy_program()
    with (
        Network(*NETWORKS[transport]) if transport in NETWORKS else nullcontext() as network,
        Registries(folder / f"timed-{transport}", counted=False, network=network, **kind) as timed,
        Registries(folder / f"counted-{transport}", counted=True, **kind) as counted,
    ):
        _each(chosen, Runner(images, folder / "work", transport, timed, counted, _say), results, rounds)


def _each(chosen: list[Case], runner: Runner, results: Results, rounds: int) -> None:
    for case in chosen:
        _say(f"{case.name}, {runner.transport}: {case.title}")
        begin = time.monotonic()
        try:
            results.tables.append(runner.table(case, rounds))
        except BenchmarkFailed as failure:
            # The others are still worth their time, and this one can be measured alone afterwards.
            _say(str(failure))
            results.left_out[case.name] = _failed(failure)
        _say(f"  {time.monotonic() - begin:.0f} s in all")


def _failed(failure: Exception) -> str:
    return f"it failed: {' '.join(str(failure).split())}"


def _merged(results: Results, arguments: argparse.Namespace) -> Results:
    """Return the results that are kept with those taken over; raises BenchmarkFailed where they do not go together."""
    if _all(arguments):
        return results
    kept = _kept()
    if not kept.same_surroundings(results):
        raise BenchmarkFailed(
            f"{KEPT} was measured on another machine, or with other versions or sizes: measure every case anew"
        )
    kept.update(results)
    return kept.in_order(cases())


def _kept() -> Results:
    try:
        return from_json(KEPT.read_text(encoding="utf-8"), cases())
    except FileNotFoundError:
        raise BenchmarkFailed(f"there is no {KEPT} yet: measure every case first, with --update alone") from None


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
    parser.add_argument("--transport", action="append", choices=[*TRANSPORTS], help="only this (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="how often everybody pushes at most (default: 5)")
    for name, size, of in (
        ("layer", 25, "each of eight layers"),
        ("archive", 196, "a docker-archive"),
        ("large", 4096, "the large image"),
        ("light", 2, "each of the light image's eight layers"),
    ):
        parser.add_argument(f"--{name}-size", type=int, default=size, metavar="MIB", help=f"of {of} (default: {size})")
    parser.add_argument("--directory", type=Path, help="where images and registries are kept while it runs")
    parser.add_argument(
        "--update",
        action="store_true",
        help=f"write {PAGE.name} and the results it is made of; what is not measured now stays as it was",
    )
    parser.add_argument("--page-only", action="store_true", help="measure nothing, write the page of the kept results")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the page there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every sample there")
    return parser.parse_args()


def _wanted(name: str, arguments: argparse.Namespace) -> bool:
    return not arguments.case or name in arguments.case


def _all(arguments: argparse.Namespace) -> bool:
    return not arguments.case and not arguments.transport


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
