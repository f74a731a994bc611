# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several local zones, as tests and the command line use them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from .authority import Authority
from .child import Child, Remote
from .environment import shell_lines, write_inventory, write_kubeconfig
from .registry_process import registry_program
from .state import read_state, write_state

NAMES = ("cloudscale-lpg-2", "exoscale-ch-gva-2-0", "cloudscale-rma-1", "exoscale-de-fra-1-0", "exoscale-at-vie-2-0")


class Faults:
    """Troubles on demand. ``add`` takes what tests/zone/faults.py lists; ``with zone.faults.during(...)`` ends them."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def add(self, action: str, **options: Any) -> int:
        """Add a fault and return its number.

        Which requests: ``side`` ("registry", "api"), ``method`` and ``path`` (regular expressions), ``skip`` and
        ``count`` (how many pass first, how many are hit; default all). What happens: see faults.ACTIONS.
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
        """Change ``revocation_delay``, ``missing_blob_delay`` (seconds) or ``password_flow`` (bool)."""
        self._remote.call("configure", **settings)

    def stop(self, side: str | None = None) -> None:
        """Let the zone, or one side of it ("registry", "api"), refuse and break connections."""
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


class LocalZones:
    """Zones that run as long as the ``with`` block, each in a process of its own. Behaves as a list of Zone."""

    def __init__(
        self,
        count: int = 3,
        *,
        directory: str | Path | None = None,
        names: tuple[str, ...] = (),
        revocation_delay: float = 0.0,
        missing_blob_delay: float = 0.05,
        token_delay: float = 0.2,
        separate_authorities: bool = False,
    ) -> None:
        self._own_directory = directory is None
        self.directory = Path(directory or tempfile.mkdtemp(prefix="zones-")).resolve()
        self._names = [*names, *(name for name in NAMES if name not in names)]
        self._names += [f"cloudscale-test-{number}" for number in range(len(self._names), count)]
        self._names = self._names[:count]
        self._settings = {
            "revocation_delay": revocation_delay,
            "missing_blob_delay": missing_blob_delay,
            "token_delay": token_delay,
        }
        self._separate = separate_authorities
        self._children: list[Child] = []
        self.zones: list[Zone] = []
        self.inventory = self.directory / "inventory.yml"

    def start(self) -> LocalZones:
        """Start them; raises ChildFailed and NoRegistry, and then none is left running."""
        registry_program()
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        authority = Authority(self.directory, "ca")
        registry_authority = Authority(self.directory, "registry-ca") if self._separate else authority
        try:
            for index, name in enumerate(self._names):
                self._children.append(self._child(index, name, authority, registry_authority))
            states = [
                self._state(name, child, child.wait_until_ready(), authority, registry_authority)
                for name, child in zip(self._names, self._children, strict=True)
            ]
        except BaseException:
            self.stop()
            raise
        self.zones = [Zone(state, _remote(state)) for state in states]
        for zone in self.zones:
            write_kubeconfig(zone)
        write_inventory(self.inventory, self.zones)
        write_state(self.directory, states)
        return self

    def stop(self) -> None:
        """Stop them and remove what they left, unless the directory was given."""
        for child in self._children:
            child.stop()
        self._children = []
        if self._own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def env(self) -> str:
        """Return what a user needs as lines for a shell."""
        return shell_lines(self.zones, self.inventory)

    def __enter__(self) -> LocalZones:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __getitem__(self, index: int) -> Zone:
        return self.zones[index]

    def __len__(self) -> int:
        return len(self.zones)

    def _child(self, index: int, name: str, authority: Authority, registry_authority: Authority) -> Child:
        directory = self.directory / name
        directory.mkdir(mode=0o700)
        address = f"127.0.0.{11 + index}"
        names = [address, "127.0.0.1", "localhost", f"registry.{name}.appuio.cloud", f"api.{name}.appuio.cloud"]
        certificate, key = authority.certificate(f"{name}-api", names)
        registry_certificate, registry_key = registry_authority.certificate(f"{name}-registry", names)
        configuration = {
            "name": name,
            "directory": str(directory),
            "address": address,
            "ca_file": str(authority.ca_file),
            "certificate": str(certificate),
            "key_file": str(key),
            "registry_certificate": str(registry_certificate),
            "registry_key_file": str(registry_key),
            **self._settings,
        }
        return Child("tests.zone.zone_process", configuration, directory / "zone.log")

    def _state(
        self, name: str, child: Child, remote: Remote, authority: Authority, registry_authority: Authority
    ) -> dict[str, Any]:
        return {
            "name": name,
            "pid": child.pid,
            "directory": str(self.directory / name),
            "ca_file": str(authority.ca_file),
            "registry_ca_file": str(registry_authority.ca_file),
            "registry": child.ready["registry"],
            "host": child.ready["host"],
            "admin_token": child.ready["admin_token"],
            "control": list(remote.address),
            "key": child.key.hex(),
        }


def attached(directory: str | Path) -> list[Zone]:
    """Return the zones that ``python -m tests.zone up`` started; raises NotRunning."""
    return [Zone(state, _remote(state)) for state in read_state(Path(directory))]


def _remote(state: dict[str, Any]) -> Remote:
    return Remote((state["control"][0], state["control"][1]), bytes.fromhex(state["key"]))
