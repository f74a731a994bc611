# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real CNCF Distribution registry: started on a free loopback port, stopped with its parent."""

from __future__ import annotations

import ctypes
import json
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

_START_SECONDS = 600.0
_SET_PARENT_DEATH_SIGNAL = 1  # prctl(2)


class NoRegistry(Exception):
    """There is no registry program, or it does not start."""


def registry_program() -> str:
    """Return the path of a CNCF Distribution binary; raises NoRegistry naming the command that installs one."""
    for name in ("docker-registry", "registry"):
        if found := shutil.which(name):
            return found
    raise NoRegistry(
        "no docker-registry on the path. On Debian: apt-get install --no-install-recommends docker-registry"
    )


class RegistryProcess:
    """One registry with its storage below a directory."""

    def __init__(self, directory: Path, *, http_secret: str, extra: dict[str, Any] | None = None) -> None:
        self.directory = directory
        self.storage = directory / "storage"
        self.address = ("127.0.0.1", 0)
        self._secret = http_secret
        self._extra = extra or {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens; raises NoRegistry with the end of its log."""
        self.storage.mkdir(parents=True, exist_ok=True)
        configuration = {
            "version": 0.1,
            "log": {"level": "info", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.storage)},
                "delete": {"enabled": True},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": {"addr": "127.0.0.1:0", "secret": self._secret},
            **self._extra,
        }
        file = self.directory / "registry.yml"
        file.touch(mode=0o600)
        file.write_text(json.dumps(configuration), encoding="utf-8")  # JSON is YAML
        log = self.directory / "registry.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [registry_program(), "serve", str(file)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            text = log.read_text(encoding="utf-8", errors="replace")
            if found := re.search(r"listening on (127\.0\.0\.1):(\d+)", text):
                self.address = (found[1], int(found[2]))
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.01)
        self.stop()
        raise NoRegistry(f"docker-registry does not start: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")

    def stop(self) -> None:
        """Stop it; safe to call twice."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Kill it hard, as a node that dies does, and start it again on the same storage."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self.start()

    def blob_file(self, digest: str) -> Path | None:
        """Return the file of a blob, or None when the registry has none."""
        algorithm, _ignored, hexadecimal = digest.partition(":")
        if not re.fullmatch(r"[a-z0-9]+", algorithm) or not re.fullmatch(r"[0-9a-f]{32,}", hexadecimal):
            return None
        file = self.storage / "docker/registry/v2/blobs" / algorithm / hexadecimal[:2] / hexadecimal / "data"
        return file if file.is_file() else None

    def upload_size(self, repository: str, upload: str) -> int | None:
        """Return how many octets an upload in progress has, or None when there is no such upload."""
        uploads = self.storage / "docker/registry/v2/repositories" / repository / "_uploads" / upload
        if not uploads.is_dir():
            return None
        data = uploads / "data"
        return data.stat().st_size if data.exists() else 0


def die_with_parent() -> None:
    """In a child, before its program is run: be killed when the thread that started it ends, however it does."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
