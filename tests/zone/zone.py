# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One running zone, as tests see it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .process.child import Remote


class Faults:
    """Faults on demand; ``add`` takes what tests/zone/http/faults.py lists."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def add(self, action: str, **options: Any) -> int:
        """Add a fault and return its number.

        Which requests: ``side`` ("registry", "api", "store"), ``method`` and ``path`` (regular expressions),
        ``skip`` and ``count`` (how many pass first, how many are hit; default all). What happens: see faults.ACTIONS.
        """
        number: int = self._remote.call("add_fault", action=action, **options)
        return number

    def remove(self, number: int) -> None:
        """Take one fault away."""
        self._remote.call("remove_fault", number)

    def hits(self, number: int) -> int:
        """Return how many requests a fault has hit."""
        hits: int = self._remote.call("fault_hits", number)
        return hits

    def clear(self) -> None:
        """Take all faults away."""
        self._remote.call("clear_faults")


class Zone:
    """One zone: its addresses, and what tests do to it."""

    def __init__(self, state: dict[str, Any], remote: Remote) -> None:
        self.name: str = state["name"]
        self.registry: str = state["registry"]  # "127.0.0.11:40001"
        self.host: str = state["host"]  # "https://127.0.0.11:40002"
        self.ca_file: str = state["ca_file"]
        self.registry_ca_file: str = state["registry_ca_file"]
        self.admin_token: str = state["admin_token"]
        self.directory = Path(state["directory"])
        self.kubeconfig = str(self.directory / "kubeconfig")
        self.faults = Faults(remote)
        self._remote = remote

    def create_project(self, name: str, requester: str = "") -> None:
        """Make a project, with an admin if a requester is given."""
        self._remote.call("create_project", name, requester)

    def create_user(self, name: str, password: str = "", projects: dict[str, str] | None = None) -> str:
        """Make a user with a role in each project (made when missing) and return a token of theirs (``sha256~…``)."""
        token: str = self._remote.call("create_user", name, password, projects or {})
        return token

    def token_for(self, project: str, account: str, role: str = "registry-editor") -> str:
        """Make project, service account and role binding as needed and return a token; role "" binds nothing."""
        token: str = self._remote.call("token_for", project, account, role)
        return token

    def bound_token_for(self, project: str, account: str, seconds: int) -> str:
        """Return a bound token of a service account that ends after some seconds."""
        token: str = self._remote.call("bound_token_for", project, account, seconds)
        return token

    def bind(self, project: str, role: str, subject: dict[str, str]) -> None:
        """Bind a ClusterRole in a project."""
        self._remote.call("bind", project, role, subject)

    def unbind(self, project: str, role: str, name: str) -> None:
        """Take the binding of ``bind``, ``create_user`` or ``token_for`` away."""
        self._remote.call("unbind", project, role, name)

    def revoke_token(self, token: str) -> None:
        """Let a token end at once."""
        self._remote.call("revoke_token", token)

    def expire_token(self, token: str) -> None:
        """Let a token be past its time."""
        self._remote.call("expire_token", token)

    def image_stream(self, project: str, name: str) -> dict[str, Any] | None:
        """Return an ImageStream, or None."""
        found: dict[str, Any] | None = self._remote.call("image_stream", project, name)
        return found

    def tags(self, project: str, name: str) -> dict[str, str]:
        """Return tag → digest."""
        found: dict[str, str] = self._remote.call("tags", project, name)
        return found

    def object(self, kind: str, name: str, project: str = "") -> dict[str, Any] | None:
        """Return an object of the API, such as ("Secret", "image-pusher-secret", "acme"), or None."""
        found: dict[str, Any] | None = self._remote.call("object", kind, name, project)
        return found

    def put_object(self, item: dict[str, Any]) -> None:
        """Keep an object as it is, past all checks: a quota, a workload, a Zone."""
        self._remote.call("put_object", item)

    def requests(self) -> list[dict[str, Any]]:
        """Return every request so far: time, side, method, path, status, user, bytes_in, bytes_out, writes, …"""
        records: list[dict[str, Any]] = self._remote.call("requests")
        return records

    def writes(self, side: str | None = None) -> list[dict[str, Any]]:
        """Return the requests that could change something: no questions, no dry runs."""
        return [record for record in self.requests() if record["writes"] and side in (None, record["side"])]

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self._remote.call("clear_requests")

    def configure(self, **settings: Any) -> None:
        """Change settings, see tests/zone/settings.py; raises ValueError for what is none."""
        self._remote.call("configure", **settings)

    def reset_settings(self) -> None:
        """Set all settings to what they were at the start."""
        self._remote.call("reset_settings")

    def stop(self, side: str | None = None) -> None:
        """Let the zone, or one side of it ("registry", "api", "store"), refuse and break connections."""
        for each in ("registry", "api") if side is None else (side,):
            self._remote.call("stop_side", each)

    def start(self, side: str | None = None) -> None:
        """Let it answer again, on the same ports."""
        for each in ("registry", "api") if side is None else (side,):
            self._remote.call("start_side", each)

    def drop_connections(self, side: str = "registry") -> None:
        """Break all open connections of a side once."""
        self._remote.call("drop_connections", side)

    def restart_registry(self) -> None:
        """Kill the real registry and start it again on the same storage."""
        self._remote.call("restart_registry")

    def stop_registry(self) -> None:
        """Stop the real registry; the front answers 503."""
        self._remote.call("stop_registry")

    def start_registry(self) -> None:
        """Start the real registry again."""
        self._remote.call("start_registry")

    def env(self) -> dict[str, str]:
        """Return what a user of this zone needs, as variables."""
        return {
            "APPUIO_ZONE": self.name,
            "APPUIO_REGISTRY": self.registry,
            "APPUIO_HOST": self.host,
            "APPUIO_CA_CERT": self.ca_file,
            "APPUIO_REGISTRY_CA_CERT": self.registry_ca_file,
            "APPUIO_ADMIN_TOKEN": self.admin_token,
            "APPUIO_KUBECONFIG": self.kubeconfig,
        }
