# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the figures were measured on, with which versions, and of which years."""

from __future__ import annotations

import gzip
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

_LIBRARIES = ("ansible-core", "isal", "zlib-ng", "zstandard")
# Program -> the words after it that print its version.
_PROGRAMS = {
    "skopeo": ["--version"],
    "crane": ["version"],
    "regctl": ["version"],
    "oras": ["version"],
    "oc": ["version", "--client"],
    "docker-registry": ["--version"],
    "registry": ["--version"],
    "haproxy": ["-v"],
}
_VERSION = re.compile(r"\d+\.\d+[\w.+~-]*")
# Year in which a version was released, where that is known for sure; Debian's changelog knows of the others.
_YEARS = {("skopeo", "1.9"): "2022", ("skopeo", "1.22"): "2026"}
_DOCUMENTATION = Path("/usr/share/doc")
_TRAILER = re.compile(r"^ -- .* (\d{4}) \d\d:\d\d:\d\d [+-]\d{4}$", re.MULTILINE)


@dataclass(frozen=True)
class Program:
    """A program or library that takes part: its version, and the year as text, empty where nobody knows it."""

    name: str
    version: str
    year: str = ""


def machine() -> str:
    """Return processor, cores and memory in a sentence."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()} {platform.machine()}"
    )


def libraries() -> list[str]:
    """Return Python and those of its packages that take part, with their versions."""
    found = [f"Python {platform.python_version()}"]
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return found


def programs() -> list[Program]:
    """Return the programs of others that are installed here."""
    found = []
    for name, option in _PROGRAMS.items():
        path = shutil.which(name)
        if path is not None:
            asked = subprocess.run([path, *option], capture_output=True, text=True, check=False)
            match = _VERSION.search(asked.stdout)
            version = match[0] if match else "of an unknown version"
            found.append(Program(name, version, year(name, version, path)))
    return found


def year(name: str, version: str, path: str) -> str:
    """Return when a version is from: by the table, else when Debian packaged what is installed, else nothing."""
    known = _YEARS.get((name, ".".join(version.split(".")[:2])))
    if known is not None:
        return known
    if shutil.which("dpkg-query") is None:
        return ""
    asked = subprocess.run(
        ["dpkg-query", "--search", os.path.realpath(path)], capture_output=True, text=True, check=False
    )
    package = asked.stdout.partition(":")[0]
    packaged = _packaged(package) if asked.returncode == 0 and package else ""
    return f"{packaged}, Debian's package" if packaged else ""


def busy() -> float:
    """Return how many processes want to run here besides us, on average over a minute."""
    return os.getloadavg()[0]


def _packaged(package: str) -> str:
    """Return the year of the newest entry of a package's changelog, empty where there is none to read."""
    for file in (_DOCUMENTATION / package / "changelog.Debian.gz", _DOCUMENTATION / package / "changelog.gz"):
        try:
            text = gzip.decompress(file.read_bytes()).decode(errors="replace")
        except (OSError, EOFError):
            continue
        if found := _TRAILER.search(text):
            return found[1]
    return ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"
