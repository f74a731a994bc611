# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that come from Debian: the registry behind the test zones, and the tools that read what we make."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterable

from . import BUILD, SetupError

# Program on the path: package that brings it.
ZONE_PROGRAMS = {"docker-registry": "docker-registry", "skopeo": "skopeo", "jq": "jq"}
INTEROP_PROGRAMS = {
    **ZONE_PROGRAMS,
    "podman": "podman",
    "buildah": "buildah",
    "chromium": "chromium",
    "chromedriver": "chromium-driver",
}
BENCH_PROGRAMS = {**ZONE_PROGRAMS, "haproxy": "haproxy", "ip": "iproute2"}
_PACKAGES = {**INTEROP_PROGRAMS, **BENCH_PROGRAMS}
# What Debian starts as a service, and the benchmark and the test zones start for themselves.
_SERVICES = ("docker-registry", "haproxy")
# Where Debian puts programs for root, which are not on everybody's path.
_ROOTS_PATH = ("/usr/sbin", "/sbin")
_ANOTHER_NAME = {"docker-registry": "registry"}


def install(programs: Iterable[str]) -> None:
    """Install what is missing of these programs; raises SetupError with the command that would do it."""
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / ".debian.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two sessions may find the same program missing
        missing = sorted({_PACKAGES[program] for program in programs if not _there(program)})
        if missing:
            _install(missing)


def _install(packages: list[str]) -> None:
    by_hand = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        raise SetupError(f"missing: {', '.join(packages)}. On Debian: {by_hand}")
    allowed = _root()
    if allowed is None:
        raise SetupError(f"missing: {', '.join(packages)}, and this is neither root nor allowed sudo. Run: {by_hand}")
    apt = [*allowed, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    try:
        subprocess.run([*apt, "update"], stdin=subprocess.DEVNULL, check=True)
        subprocess.run(
            [*apt, "install", "-y", "--no-install-recommends", *packages], stdin=subprocess.DEVNULL, check=True
        )
        if os.path.isdir("/run/systemd/system"):
            for service in set(_SERVICES) & set(packages):
                subprocess.run([*allowed, "systemctl", "disable", "--now", service], check=True)
    except subprocess.CalledProcessError as error:
        raise SetupError(f"{' '.join(error.cmd)} ended with status {error.returncode}. Run: {by_hand}") from None


def _there(program: str) -> bool:
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_ROOTS_PATH])
    return any(shutil.which(name, path=path) for name in (program, _ANOTHER_NAME.get(program)) if name)


def _root() -> list[str] | None:
    """Return the words before a command that make it run as root, or None."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    answer = subprocess.run(["sudo", "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return ["sudo", "-n"] if answer.returncode == 0 else None
