# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell code of the documentation, run by a shell that finds a recorder in the place of each program."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

# Programs that change nothing outside of the folder.
REAL = ("base64", "cat", "sh")
# What a program of the reader prints, as the text around the code says.
PRINTS = {
    "oc whoami -t": "sha256~a-users-token",
    "oc get secret": "YQ==",
    "oc -n shop get secret": "YQ==",
}
_END = "\x1e"
_RECORDER = """#!/bin/sh
printf '%s\\0' "${{0##*/}}" "$@" '{end}' >> {calls}
case "${{0##*/}} $*" in
{cases}
esac
"""


def run_recorded(text: str, folder: Path, programs: Iterable[str]) -> list[list[str]]:
    """Run shell code in the folder, and return each call of these programs, as words.

    The code finds no other program, and has no variable but those that it sets; raises CalledProcessError where it
    needs one.
    """
    calls = folder / ".calls"
    calls.touch()
    path = folder / ".programs"
    cases = "\n".join(f"  '{call}'*) echo '{text}' ;;" for call, text in PRINTS.items())
    for name in programs:
        program = (folder if "/" in name else path) / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(_RECORDER.format(end=_END, calls=calls, cases=cases), encoding="utf-8")
        program.chmod(0o755)
    for name in REAL:
        (path / name).symlink_to(str(shutil.which(name)))
    environment = {"PATH": str(path), "HOME": str(folder)}
    subprocess.run(
        ["/bin/sh", "-euc", text],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    recorded = calls.read_text(encoding="utf-8").split(f"{_END}\0")[:-1]
    return [call.split("\0")[:-1] for call in recorded]
