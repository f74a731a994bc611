# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that come from Debian: the registry behind the test zones, and the tools that read what we make."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from typing import TextIO

from .commands import CommandFailed, as_the_user, run
from .failure import SetupFailed
from .locks import locked

# Program on the path: package that brings it.
ZONE_PROGRAMS = {"docker-registry": "docker-registry", "skopeo": "skopeo"}
INTEROP_PROGRAMS = {
    "podman": "podman",
    "buildah": "buildah",
    "chromium": "chromium",
    "chromedriver": "chromium-driver",
}
_ANOTHER_NAME = {"docker-registry": "registry"}


def install(programs: Iterable[str], log: TextIO) -> None:
    """Install what is missing of these programs; raises SetupFailed with the command that would do it."""
    wanted = {**ZONE_PROGRAMS, **INTEROP_PROGRAMS}
    with locked("debian"):
        missing = sorted({wanted[program] for program in programs if not _there(program)})
        if not missing:
            log.write("every program is there\n")
            return
        by_hand = f"apt-get install --no-install-recommends {' '.join(missing)}"
        if shutil.which("apt-get") is None:
            raise SetupFailed(f"missing: {', '.join(missing)}. On Debian: {by_hand}")
        allowed = _root()
        if allowed is None:
            raise SetupFailed(
                f"missing: {', '.join(missing)}, and this is neither root nor allowed sudo. Run: {by_hand}"
            )
        apt = [*allowed, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
        try:
            run([*apt, "update"], log, env=as_the_user())
            run([*apt, "install", "-y", "--no-install-recommends", *missing], log, env=as_the_user())
            _leave_stopped(missing, allowed, log)
        except CommandFailed as failure:
            raise SetupFailed(f"{failure}. Run: {by_hand}") from None


def _there(program: str) -> bool:
    return any(shutil.which(name) for name in (program, _ANOTHER_NAME.get(program)) if name)


def _root() -> list[str] | None:
    """Return the words before a command that make it run as root, or None."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    asked = subprocess.run(["sudo", "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return ["sudo", "-n"] if asked.returncode == 0 else None


def _leave_stopped(packages: list[str], allowed: list[str], log: TextIO) -> None:
    """Stop the service that Debian starts with a fresh docker-registry; the test zones start their own."""
    if "docker-registry" in packages and os.path.isdir("/run/systemd/system"):
        run([*allowed, "systemctl", "disable", "--now", "docker-registry"], log, env=as_the_user())
