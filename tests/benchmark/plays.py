# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who sets up pushers and rolls images out in zones with an API: our role, our playbook, and a playbook of nothing."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.zone import LocalZones, Zone

from .ansible_tasks import ansible_playbook
from .contenders import Push, forget_ours
from .measure import Job
from .registries import Registries, Registry

PROJECT = "bench"
_OUR_ROLE = "appuio.registry.image_pusher"
_LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class ZoneRegistry(Registry):
    """The registry of a zone, with the zone's API and the token of an admin of the project there."""

    zone: str = ""
    host: str = ""
    token: str = ""

    def variables(self) -> dict[str, Any]:
        """Return the zone as a host of an inventory."""
        return {
            **_LOCAL,
            "appuio_zone": self.zone,
            "appuio_registry": self.address,
            "appuio_host": self.host,
            "appuio_token": self.token,
            "appuio_ca_cert": str(self.ca_file),
        }


class ZoneRegistries(Registries):
    """The registries of so many local zones, which run until the end of the block."""

    def __init__(self, folder: Path, count: int) -> None:
        super().__init__(folder, tls=True, counted=False)
        self._zones = LocalZones(count, directory=folder)
        self._stack.callback(self._zones.stop)
        self._zones.start()
        self._found = [_registry(zone) for zone in self._zones.zones]

    def zones(self, number: int) -> list[Registry]:
        """Return the registries of so many zones."""
        return [*self._found[:number]]


@dataclass(frozen=True)
class RolePlay:
    """A play with the role image_pusher; each repository stands for a pusher of its own."""

    name: str = "appuio.registry.image_pusher, playbook"

    def job(self, push: Push, folder: Path) -> Job:
        """One playbook."""
        (registry,) = _zones(push)
        given = {
            "host": registry.host,
            "api_key": registry.token,
            "ca_cert": str(registry.ca_file),
            "namespace": PROJECT,
            "service_account": _name(push),
        }
        variables = {f"image_pusher_{name}": value for name, value in given.items()}
        tasks = [{"name": "Set up a pusher", "ansible.builtin.include_role": {"name": _OUR_ROLE}}]
        return _job(_play(tasks), variables, folder, push)

    def forget(self, folder: Path) -> None:
        """Remove the cache of our code."""
        forget_ours(folder)


@dataclass(frozen=True)
class Rollout:
    """Our playbook, with a pusher of its own for each repository."""

    name: str = "appuio.registry.rollout"

    def job(self, push: Push, folder: Path) -> Job:
        """One playbook."""
        variables = {
            "appuio_namespace": PROJECT,
            "appuio_source": push.source(),
            "appuio_name": _name(push),
            "appuio_tags": push.tag,
            "appuio_pusher_service_account": _name(push),
        }
        return _job("appuio.registry.rollout", variables, folder, push)

    def forget(self, folder: Path) -> None:
        """Remove the cache of our code."""
        forget_ours(folder)


@dataclass(frozen=True)
class EmptyPlay:
    """A playbook whose task does nothing on each of these hosts: what Ansible itself takes."""

    name: str = "command: true, playbook"

    def job(self, push: Push, folder: Path) -> Job:
        """One playbook."""
        return _job(_play([{"name": "Nothing", "ansible.builtin.command": {"argv": ["true"]}}]), {}, folder, push)

    def forget(self, folder: Path) -> None:
        """Nothing is remembered."""


def _registry(zone: Zone) -> ZoneRegistry:
    token = zone.create_user("ada", projects={PROJECT: "admin"})
    return ZoneRegistry(zone.registry, Path(zone.ca_file), zone=zone.name, host=zone.host, token=token)


def _zones(push: Push) -> list[ZoneRegistry]:
    return [registry for registry in push.registries if isinstance(registry, ZoneRegistry)]


def _name(push: Push) -> str:
    return push.repository.rpartition("/")[2]


def _play(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"name": "Play", "hosts": "all", "gather_facts": False, "tasks": tasks}]


def _job(plays: str | list[dict[str, Any]], variables: Mapping[str, Any], folder: Path, push: Push) -> Job:
    """Return the job that runs plays, or a playbook by its name, on the zones of a push."""
    place = folder / f"plays-{next(_numbers)}"
    place.mkdir()
    hosts = {zone.zone: zone.variables() for zone in _zones(push)}
    (place / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    (place / "variables.json").write_text(json.dumps(variables))
    if not isinstance(plays, str):
        (place / "playbook.yml").write_text(json.dumps(plays))  # JSON is YAML
        plays = str(place / "playbook.yml")
    inventory, given = ["-i", str(place / "hosts.json")], ["-e", f"@{place / 'variables.json'}"]
    return ansible_playbook([*inventory, *given, plays], place, folder)
