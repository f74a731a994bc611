# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m tests.setup TARGET``: what the Makefile calls. Makes the environment of nox and runs sessions of it."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from . import BUILD, REQUIREMENTS, ROOT, SetupError, targets, versions
from .environment import without_settings
from .run import Run
from .versions import newest


def main() -> int:
    """Run the target and return the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.setup")
    parser.add_argument("target", choices=(*targets.CHECKS, *targets.ALONE))
    target = parser.parse_args().target
    try:
        with _alone():
            nox = _nox()
            if target in targets.ALONE:
                os.execve(nox[0], [*nox, "-s", targets.ALONE[target]], without_settings())
            lanes = targets.lanes(target)
            shown = (f"{core.python} for ansible-core {core.name}" for core in versions.runnable())
            print(f"Pythons: {', '.join(shown)}\nLogs: .build/logs", flush=True)
            return Run(nox).all(lanes, versions.left_out())
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _nox() -> list[str]:
    """Return the command that is nox, in an environment of its own; raises SetupError."""
    core = newest()
    if core is None or core.python is None:
        raise SetupError("a Python from 3.11 to 3.14 is needed. On Debian: apt-get install python3 python3-venv")
    requirements = REQUIREMENTS / "nox.txt"
    folder = BUILD / "tools"
    finished = folder / "made-of.txt"
    wanted = f"{core.python.path}\n{requirements.read_text(encoding='utf-8')}"
    if not finished.is_file() or finished.read_text(encoding="utf-8") != wanted:
        print("Setting up nox", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            subprocess.run([core.python.path, "-m", "venv", folder], stdin=subprocess.DEVNULL, check=True)
            install = [str(folder / "bin" / "python"), "-m", "pip", "install", "-qq", "-r", str(requirements)]
            subprocess.run(install, stdin=subprocess.DEVNULL, check=True)
        except subprocess.CalledProcessError as error:
            hint = "On Debian: apt-get install python3-venv" if "venv" in error.cmd else "pip finds no packages"
            raise SetupError(f"nox could not be set up in {folder}. {hint}") from None
        finished.write_text(wanted, encoding="utf-8")
    return [str(folder / "bin" / "nox"), "--noxfile", str(ROOT / "noxfile.py")]


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Be the only run in this checkout, waiting for another to end; kept by what this process turns into."""
    BUILD.mkdir(exist_ok=True)
    with open(Path(BUILD, ".run.lock"), "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another run is going on in this checkout; waiting for it to end", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), True)
        yield


if __name__ == "__main__":
    sys.exit(main())
