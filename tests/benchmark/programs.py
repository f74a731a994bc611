# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of others: which are here, in which version, of which year, and from where."""

from __future__ import annotations

import gzip
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.setup import debian_testing

# Program -> the words after it that print its version. Those of PEERS bring images to registries.
PEERS = {
    "skopeo": ("--version",),
    "crane": ("version",),
    "oras": ("version",),
    "regctl": ("version",),
    "oc": ("version", "--client"),
}
_SERVERS = {"docker-registry": ("--version",), "registry": ("--version",), "haproxy": ("-v",)}
_VERSION = re.compile(r"\d+\.\d+[\w.+~-]*")
_UPSTREAM = re.compile(r"\d+(?:\.\d+)*")
_ENTRY = re.compile(r"^\S+ \((?:\d+:)?(\S+)\)[^\n]*$.*?^ -- [^\n]* (\d{4}) \d\d:\d\d:\d\d [+-]\d{4}$", re.M | re.S)
_ROOT = Path("/")


@dataclass(frozen=True)
class Program:
    """A program that takes part: its version, the year of that, where it is from, and the words that start it.

    The year is empty where nobody knows it. The words are no part of the surroundings that results are kept with.
    """

    name: str
    version: str
    year: str = ""
    origin: str = ""
    command: tuple[str, ...] = field(default=(), compare=False)

    @property
    def title(self) -> str:
        """Name and version, without what packagers add to it."""
        return f"{self.name} {_upstream(self.version)}".strip()


def programs() -> list[Program]:
    """Return the programs that are here: those that are measured, then those that are pushed to and through."""
    servers = [_on_the_path(name, words) for name, words in _SERVERS.items()]
    return [*(one for name in PEERS for one in copies(name)), *filter(None, servers)]


def copies(name: str) -> list[Program]:
    """Return the versions of a program that are here, each once: that of Debian's suite before that on the path."""
    found = [_of_the_suite(name, PEERS[name]), _on_the_path(name, PEERS[name])]
    different: dict[str, Program] = {}
    for one in filter(None, found):
        different.setdefault(one.title, one)
    return list(different.values())


def absent() -> list[str]:
    """Return what could take part and is not here."""
    fetched = [name for name in debian_testing.PROGRAMS if debian_testing.command(name) is None]
    suite = [f"{name} of Debian's suite {debian_testing.SUITE}" for name in fetched]
    return [*suite, *(name for name in PEERS if name not in debian_testing.PROGRAMS and not copies(name))]


def _of_the_suite(name: str, words: tuple[str, ...]) -> Program | None:
    command = debian_testing.command(name)
    if command is None:
        return None
    origin = f"Debian's suite {debian_testing.SUITE}"
    return _described(name, tuple(command), words, (debian_testing.ROOT, name, origin))


def _on_the_path(name: str, words: tuple[str, ...]) -> Program | None:
    path = shutil.which(name)
    if path is None:
        return None
    package = _package(path)
    return _described(name, (path,), words, (_ROOT, package, f"{_system()}'s package" if package else "the path"))


def _described(
    name: str, command: tuple[str, ...], words: tuple[str, ...], packaged: tuple[Path, str, str]
) -> Program | None:
    """Return the program with its version, which a package's changelog knows where itself does not (Debian's crane)."""
    root, package, origin = packaged
    asked = _asked((*command, *words))
    if asked is None:
        return None
    changes = _changes(root, package)
    match = _VERSION.search(asked)
    version = match[0] if match else next((version for version, _year in changes), "")
    # Packaged again and again, but first in the year that the version is from.
    years = [year for other, year in changes if _upstream(other) == _upstream(version)]
    return Program(name, version, years[-1] if years else "", origin, command)


@cache
def _asked(command: tuple[str, ...]) -> str | None:
    """Return what a program says of its version, None where it does not run."""
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return ended.stdout if ended.returncode == 0 else None


def _upstream(version: str) -> str:
    match = _UPSTREAM.match(version)
    return match[0] if match else ""


@cache
def _package(path: str) -> str:
    """Return the package of Debian's that a program is in, empty where it is in none."""
    if shutil.which("dpkg-query") is None:
        return ""
    command = ["dpkg-query", "--search", os.path.realpath(path)]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    return asked.stdout.partition(":")[0] if asked.returncode == 0 else ""


def _changes(root: Path, package: str) -> list[tuple[str, str]]:
    """Return versions and years of a package's changelog, the newest first."""
    for name in ("changelog.Debian.gz", "changelog.gz"):
        try:
            text = gzip.decompress((root / "usr/share/doc" / package / name).read_bytes()).decode(errors="replace")
        except (OSError, EOFError):
            continue
        return _ENTRY.findall(text)
    return []


def _system() -> str:
    """Return the name of this machine's system and its release."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return platform.system()
    return f"{release['NAME'].removesuffix(' GNU/Linux')} {release.get('VERSION_ID', '')}".strip()
