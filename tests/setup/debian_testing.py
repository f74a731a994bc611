# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Today's programs of others, from Debian's suite ``testing``: unpacked beside the machine's own, never installed.

That suite's own loader starts them with that suite's own libraries, so they run on older releases of Debian. apt
resolves, fetches and verifies, with a state of its own; what the machine has, and where from, stays as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from . import BUILD, SetupError

SUITE = "testing"
PROGRAMS = ("skopeo", "crane", "oras")  # each is in a package of its own name
ROOT = BUILD / "debian-testing"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Whatever the machine's own configuration says, signatures count, and nothing of the machine's is cleaned up.
_CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::State "{apt}/state";
Dir::State::status "{apt}/status";
Dir::Cache "{apt}/cache";
Dir::Etc::sourcelist "{apt}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Default-Release "";
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
APT::Get::AllowUnauthenticated "false";
APT::Get::Download-Only "true";
APT::Install-Recommends "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
"""


def fetch() -> None:
    """Unpack the programs as the suite has them now, with all that they depend on; raises SetupError.

    What was unpacked before is replaced once all is there, and stays where something fails.
    """
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise SetupError(f"there is no {program} here")
    if not _KEYRING.is_file():
        raise SetupError(f"there is no {_KEYRING}, which is in the package debian-archive-keyring")
    fresh = ROOT.with_name(f"{ROOT.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    apt = fresh / "apt"
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True)
    try:
        # A status without packages: everything that the programs need comes from the suite.
        (apt / "status").touch()
        (apt / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {_mirror()} {SUITE} main\n", encoding="utf-8")
        configuration = apt / "apt.conf"
        configuration.write_text(_CONFIGURATION.format(apt=apt), encoding="utf-8")
        for words in (("update",), ("install", "--yes", *PROGRAMS)):
            _run("apt-get", "-qq", "-c", str(configuration), *words)
        for package in sorted((apt / "cache" / "archives").glob("*.deb")):
            _run("dpkg-deb", "--extract", str(package), str(fresh))
        shutil.rmtree(apt)
        shutil.rmtree(ROOT, ignore_errors=True)
        fresh.rename(ROOT)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def is_there() -> bool:
    """Whether the programs were fetched once."""
    return all(map(command, PROGRAMS))


def command(program: str) -> list[str] | None:
    """Return the words that start a program, by the suite's own loader; None where it was not fetched."""
    path = ROOT / "usr" / "bin" / program
    loader = next((ROOT / "usr" / "lib").glob("*/ld-linux*.so.*"), None)
    if loader is None or not path.is_file():
        return None
    return [str(loader), "--library-path", str(loader.parent), str(path)]


def _mirror() -> str:
    """Return the address that the machine's own packages of Debian come from; raises SetupError."""
    shown = "$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)"
    for line in _run("apt-get", "indextargets", "--format", shown, "Created-By: Packages").splitlines():
        origin, label, component, *address = line.split()
        if (origin, label, component) == ("Debian", "Debian", "main"):
            return " ".join(address)
    raise SetupError("apt here knows no mirror of Debian, or has not been updated yet")


def _run(*words: str) -> str:
    """Return what a command prints; raises SetupError with what it says is wrong."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    ended = subprocess.run(
        words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise SetupError(f"{' '.join(words)} ended with status {ended.returncode}: {' '.join(ended.stderr.split())}")
    return ended.stdout
