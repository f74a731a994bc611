# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the figures were measured on, and with which versions."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

_LIBRARIES = ("ansible-core", "isal", "zlib-ng", "zstandard")
_PROGRAMS = (("skopeo", "--version"), ("docker-registry", "--version"), ("registry", "--version"), ("crane", "version"))


def machine() -> str:
    """Return processor, cores and memory in a sentence."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()} {platform.machine()}"
    )


def versions() -> list[str]:
    """Return the version of everything that takes part."""
    found = [f"Python {platform.python_version()}"]
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    for program, option in _PROGRAMS:
        if shutil.which(program):
            asked = subprocess.run([program, option], capture_output=True, text=True, check=False)
            found.append(f"{program} {asked.stdout.split()[-1]}" if asked.stdout.split() else program)
    return found


def busy() -> float:
    """Return how many processes want to run here besides us, on average over a minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"
