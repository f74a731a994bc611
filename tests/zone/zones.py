# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several local zones, as tests and the command line use them."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .authority import Authority
from .environment import shell_lines, write_inventory, write_kubeconfig
from .process.child import Child, Remote
from .process.registry import registry_program
from .settings import Settings
from .state import read_state, write_state
from .zone import Zone

NAMES = ("cloudscale-lpg-2", "exoscale-ch-gva-2-0", "cloudscale-rma-1", "exoscale-de-fra-1-0", "exoscale-at-vie-2-0")

_LOG = "zone.log"


class LocalZones:
    """Zones that run as long as the ``with`` block, each in a process of its own. Behaves as a list of Zone."""

    def __init__(
        self,
        count: int = 3,
        *,
        directory: str | Path | None = None,
        names: tuple[str, ...] = (),
        separate_authorities: bool = False,
        **settings: Any,
    ) -> None:
        """``settings`` are those of settings.py; raises TypeError and ValueError for what is none."""
        self._own_directory = directory is None
        self.directory = Path(directory or tempfile.mkdtemp(prefix="zones-")).resolve()
        self._names = [*names, *(name for name in NAMES if name not in names)]
        self._names += [f"cloudscale-test-{number}" for number in range(len(self._names), count)]
        self._names = self._names[:count]
        self._settings = asdict(Settings(**settings))
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

    def __exit__(self, *_ignored: object) -> None:
        self.stop()

    def __getitem__(self, index: int) -> Zone:
        return self.zones[index]

    def __len__(self) -> int:
        return len(self.zones)

    def _child(self, index: int, name: str, authority: Authority, registry_authority: Authority) -> Child:
        directory = self.directory / name
        _remove_old(directory)
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
            "settings": self._settings,
        }
        return Child("tests.zone.process.zone", configuration, directory / _LOG)

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


def _remove_old(directory: Path) -> None:
    """Remove what a zone of before left: a new one needs empty storage. Other directories are left alone."""
    if (directory / _LOG).is_file():
        shutil.rmtree(directory)


def _remote(state: dict[str, Any]) -> Remote:
    return Remote((state["control"][0], state["control"][1]), bytes.fromhex(state["key"]))
