# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.zone up|down|status|env``: local zones for playbooks and for trying things out."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .environment import shell_lines
from .process.child import ChildFailed
from .process.registry import NoRegistry
from .state import NotRunning, remove_state, supervisor
from .zones import LocalZones, attached

_START_SECONDS = 600.0


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.zone", description=__doc__)
    parser.add_argument(
        "--directory", type=Path, default=None, help="where the zones live (default: below the temporary directory)"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start zones")
    up.add_argument("--zones", type=int, default=3)
    up.add_argument("--name", action="append", default=[], help="zone identifier, once for each zone")
    up.add_argument("--foreground", action="store_true", help="run until interrupted")
    for name, text in (("down", "stop them"), ("status", "tell what runs"), ("env", "print variables for a shell")):
        commands.add_parser(name, help=text)
    for command in commands.choices.values():
        command.add_argument("--directory", type=Path, default=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    directory = (options.directory or Path(tempfile.gettempdir()) / f"appuio-zones-{os.getuid()}").resolve()
    try:
        if options.command == "up":
            return _up(directory, options.zones, tuple(options.name), foreground=options.foreground)
        if options.command == "down":
            return _down(directory)
        zones = attached(directory)
        if options.command == "env":
            sys.stdout.write(shell_lines(zones, directory / "inventory.yml"))
            return 0
        running = supervisor(directory) is not None
        for zone in zones:
            state = "runs" if running else "is gone"
            count = f", {len(zone.requests())} requests" if running else ""
            print(f"{zone.name}: {state}, registry {zone.registry}, API {zone.host}{count}")
        return 0 if running else 1
    except (NotRunning, NoRegistry, ChildFailed) as error:
        print(error, file=sys.stderr)
        return 1


def _up(directory: Path, count: int, names: tuple[str, ...], *, foreground: bool) -> int:
    if supervisor(directory) is not None:
        print(
            f"zones run already in {directory}; stop them with: python -m tests.zone down --directory {directory}",
            file=sys.stderr,
        )
        return 1
    if foreground:
        return _hold(directory, count, names)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [
        sys.executable,
        "-m",
        "tests.zone",
        "up",
        "--foreground",
        "--zones",
        str(count),
        "--directory",
        str(directory),
    ]
    command += [word for name in names for word in ("--name", name)]
    log = directory / "zones.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if supervisor(directory) == process.pid:
            for zone in attached(directory):
                print(f"{zone.name}: registry {zone.registry}, API {zone.host}")
            print(f"inventory: {directory / 'inventory.yml'}")
            return 0
        time.sleep(0.05)
    process.terminate()
    print(log.read_text(encoding="utf-8", errors="replace"), file=sys.stderr)
    return 1


def _hold(directory: Path, count: int, names: tuple[str, ...]) -> int:
    _forget_old(directory)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    with contextlib.suppress(KeyboardInterrupt), LocalZones(count, directory=directory, names=names) as zones:
        for zone in zones.zones:
            print(f"{zone.name}: registry {zone.registry}, API {zone.host}", flush=True)
        signal.pause()
    _forget_old(directory)
    return 0


def _forget_old(directory: Path) -> None:
    """Remove what zones that were killed left: a new start needs empty storage."""
    with contextlib.suppress(NotRunning):
        for zone in attached(directory):
            if zone.directory.parent == directory:
                shutil.rmtree(zone.directory, ignore_errors=True)
        remove_state(directory)


def _interrupt(*_ignored: object) -> None:
    raise KeyboardInterrupt


def _down(directory: Path) -> int:
    process = supervisor(directory)
    if process is None:
        print(f"no zones run in {directory}")
        return 0
    os.kill(process, signal.SIGTERM)
    while supervisor(directory) is not None:
        time.sleep(0.05)
    print("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
