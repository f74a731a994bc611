# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-test sanity`` on a copy of what users get, with a home of its own; ruff and mypy read the tests."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import urllib.request
from pathlib import Path
from typing import TextIO

from . import collections_wheel, places, tree
from .cells import Cell
from .commands import CommandFailed, run, surroundings
from .environments import Environment
from .pythons import Python

# What ansible-test downloads to get pip into its environments, made from what Python brings itself.
_PIP_FROM_PYTHON = """\
import os
import sys

import ensurepip

os.environ.pop("GET_PIP", None)
del sys.argv[1:]
ensurepip.bootstrap(default_pip=True)
"""
_ADDRESS = re.compile(r"'(https://\S+/get-pip-)%s\.py'")
_PIP_VERSION = re.compile(r"default_packages = dict\(\s*pip='([0-9.]+)'")


def sanity(cell: Cell, environment: Environment, log: TextIO) -> None:
    """Run every sanity test but ``pslint``, as there is no PowerShell here; raises CommandFailed."""
    _ansible_test(f"sanity-{cell.name}", cell, environment, ["--local", "--python", str(environment.python)], log)


def on_targets(target: Python, cell: Cell, environment: Environment, log: TextIO) -> None:
    """Compile and import everything that runs on targets with an older Python; raises CommandFailed."""
    controller = ["--controller", f"origin:python={environment.python}", "--target-python", str(target)]
    tests = ["--test", "compile", "--test", "import"]
    _ansible_test(f"sanity-python-{target}", cell, environment, [*controller, *tests], log, Path(target.path).parent)


def _ansible_test(
    name: str, cell: Cell, environment: Environment, options: list[str], log: TextIO, more_path: Path | None = None
) -> None:
    home = places.HOME / name
    _provide_pip(environment, home, log)
    _hand_on_pip_settings(home)
    copy = tree.copied(name, tests=False)
    env = surroundings(
        environment.bin,
        HOME=str(home),
        ANSIBLE_COLLECTIONS_PATH=str(collections_wheel.folder(cell.collections)),
    )
    if more_path is not None:
        env["PATH"] = os.pathsep.join([str(environment.bin), str(more_path), env["PATH"]])
    command: list[str | Path] = [environment.bin / "ansible-test", "sanity", "--color", "no", "--truncate", "0"]
    command += [*options, "--skip-test", "pslint"]
    try:
        run(command, log, env=env, cwd=copy, minutes=25)
    except CommandFailed:
        _repeat_errors(log)
        raise


def _repeat_errors(log: TextIO) -> None:
    """Write the errors again at the end of the log, where they are seen; between them pip was talking."""
    log.flush()
    lines = Path(log.name).read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    log.write("\nWhat failed:\n")
    log.writelines(line for line in lines if line.startswith(("ERROR", "FATAL")))


def _hand_on_pip_settings(home: Path) -> None:
    """Write the user's pip settings where pip finds them in this home: ansible-test drops the environment."""
    settings = configparser.RawConfigParser()
    settings.read(Path.home() / ".config" / "pip" / "pip.conf", encoding="utf-8")
    for name, value in os.environ.items():
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE":
            if not settings.has_section("install"):
                settings.add_section("install")
            settings.set("install", name[4:].lower().replace("_", "-"), value)
    file = home / ".config" / "pip" / "pip.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "w", encoding="utf-8") as written:
        settings.write(written)


def _provide_pip(environment: Environment, home: Path, log: TextIO) -> None:
    """Put the pip bootstrap that ansible-test wants into its cache: the real one, else Python's own."""
    package = _package(environment)
    address = _ADDRESS.search((package / "_util/target/setup/requirements.py").read_text(encoding="utf-8"))
    version = _PIP_VERSION.search((package / "_internal/python_requirements.py").read_text(encoding="utf-8"))
    if address is None or version is None:
        log.write("this ansible-test gets its pip in a way not known here, so it is left to it\n")
        return
    file = home / ".ansible" / "test" / "cache" / f"get_pip_{version[1].replace('.', '_')}.py"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_downloaded(f"{address[1]}{version[1]}.py", log), encoding="utf-8")


def _package(environment: Environment) -> Path:
    found = subprocess.run(
        [environment.bin / "python", "-c", "import ansible_test; print(ansible_test.__path__[0])"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=surroundings(),
    )
    if found.returncode:
        raise CommandFailed(f"ansible_test is not in {environment.folder}")
    return Path(found.stdout.strip())


def _downloaded(address: str, log: TextIO) -> str:
    try:
        with urllib.request.urlopen(address, timeout=15) as answer:
            return str(answer.read().decode("utf-8"))
    except (OSError, ValueError) as error:
        log.write(f"the pip bootstrap of ansible-test cannot be fetched ({error}); Python's own pip takes its place\n")
        return _PIP_FROM_PYTHON
