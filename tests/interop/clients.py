# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container tools as their users run them, with storage and credentials of their own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.push import Pusher


class Clients:
    """Container tools with the zone's authority trusted, and storage and auth file of their own."""

    def __init__(self, pusher: Pusher, folder: Path, short: Path) -> None:
        self.short = short
        self.zone, self.folder = pusher.zones[0], folder
        self.image = f"{self.zone.registry}/{pusher.project}/app"
        self.credentials = f"any:{pusher.tokens[self.zone.name]}"
        certificates = folder / "certificates"
        certificates.mkdir()
        shutil.copy(self.zone.registry_ca_file, certificates / "ca.crt")
        self.certificates = str(certificates)

    def run(self, *words: str) -> str:
        ended = subprocess.run(words, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def storage(self, program: str) -> list[str]:
        """Return a program with storage of its own; podman wants a short path for what runs."""
        return [
            program,
            "--storage-driver",
            "vfs",
            "--root",
            str(self.folder / "root"),
            "--runroot",
            str(self.short),
        ]


@pytest.fixture
def clients(pusher: Pusher, tmp_path: Path) -> Iterator[Clients]:
    with tempfile.TemporaryDirectory(prefix="run-", ignore_cleanup_errors=True) as short:
        yield Clients(pusher, tmp_path, Path(short))
