# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain CNCF Distribution registry, as a source of images or to compare with."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from .authority import Authority
from .process.child import Child, Remote
from .process.registry import NoRegistry, registry_program
from .zone import Faults

AUTHS = ("anonymous", "basic", "token")


class Distribution:
    """A registry that runs as long as the ``with`` block.

    ``auth``: "anonymous" takes everything from everybody, "basic" wants a user of ``users``, "token" has
    a token server which gives pull to anybody if ``anonymous_pull``, and push to users. With ``redirect_blobs`` a
    blob is had from a store on another host and port, as with S3 storage; its side for faults is "store".
    """

    def __init__(
        self,
        directory: str | Path | None = None,
        *,
        tls: bool = True,
        auth: str = "anonymous",
        users: dict[str, str] | None = None,
        anonymous_pull: bool = False,
        redirect_blobs: bool = False,
    ) -> None:
        if auth not in AUTHS:
            raise ValueError(f"auth is one of {', '.join(AUTHS)}")
        self._own_directory = directory is None
        self.directory = Path(directory or tempfile.mkdtemp(prefix="distribution-")).resolve()
        self.users = users if users is not None else {"reader": "secret"}
        self.registry = ""  # "127.0.0.1:40001"
        self.ca_file: str | None = None
        self._tls, self._auth, self._anonymous_pull = tls, auth, anonymous_pull
        self._redirect_blobs = redirect_blobs
        self._child: Child | None = None
        self._remote: Remote | None = None

    def start(self) -> Distribution:
        """Start it; raises NoRegistry and ChildFailed."""
        registry_program()
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        certificate = key = ""
        if self._tls:
            authority = Authority(self.directory, "distribution-ca")
            self.ca_file = str(authority.ca_file)
            certificate, key = map(str, authority.certificate("distribution", ["127.0.0.1", "127.0.0.2", "localhost"]))
        configuration = {
            "directory": str(self.directory),
            "certificate": certificate,
            "key_file": key,
            "auth": self._auth,
            "users": self.users,
            "anonymous_pull": self._anonymous_pull,
            "redirect_blobs": self._redirect_blobs,
        }
        self._child = Child("tests.zone.process.distribution", configuration, self.directory / "distribution.log")
        self._remote = self._child.wait_until_ready()
        self.registry = self._child.ready["registry"]
        return self

    def stop(self) -> None:
        """Stop it and remove what it left, unless the directory was given."""
        if self._child is not None:
            self._child.stop()
            self._child = None
        if self._own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Distribution:
        return self.start()

    def __exit__(self, *_ignored: object) -> None:
        self.stop()

    @property
    def faults(self) -> Faults:
        """Faults on demand, as those of a zone."""
        return Faults(self._running)

    def requests(self) -> list[dict[str, Any]]:
        """Return every request so far."""
        records: list[dict[str, Any]] = self._running.call("requests")
        return records

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self._running.call("clear_requests")

    def restart_registry(self) -> None:
        """Kill the registry and start it again on its storage."""
        self._running.call("restart_registry")

    def refuse_connections(self) -> None:
        """Refuse and break connections, until ``accept_connections``."""
        self._running.call("stop_side")

    def accept_connections(self) -> None:
        """Listen again, on the same port."""
        self._running.call("start_side")

    def token_seconds(self, seconds: int) -> None:
        """Let the token server's tokens live so long from now on."""
        self._running.call("token_seconds", seconds)

    @property
    def _running(self) -> Remote:
        if self._remote is None:
            raise NoRegistry("this registry is not started")
        return self._remote
