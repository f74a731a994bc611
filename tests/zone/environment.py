# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users of the zones need: an inventory for playbooks, a kubeconfig for each zone, variables for a shell."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from .zone import Zone


def inventory(zones: list[Zone]) -> dict[str, Any]:
    """Return an Ansible inventory in which each zone is a host."""
    hosts = {
        zone.name: {
            "appuio_zone": zone.name,
            "appuio_host": zone.host,
            "appuio_registry": zone.registry,
            "appuio_ca_cert": zone.ca_file,
            **({"appuio_registry_ca_cert": zone.registry_ca_file} if zone.registry_ca_file != zone.ca_file else {}),
            "appuio_token": zone.admin_token,
        }
        for zone in zones
    }
    shared = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    return {"all": {"hosts": hosts, "vars": shared}}


def write_inventory(file: Path, zones: list[Zone]) -> None:
    """Write the inventory, for the owner only: it holds the administrators' tokens."""
    _write(file, yaml.safe_dump(inventory(zones), sort_keys=False))


def write_kubeconfig(zone: Zone) -> None:
    """Write a kubeconfig of the zone's administrator."""
    authority = base64.b64encode(Path(zone.ca_file).read_bytes()).decode()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": zone.name, "cluster": {"server": zone.host, "certificate-authority-data": authority}}],
        "users": [{"name": "cluster-admin", "user": {"token": zone.admin_token}}],
        "contexts": [
            {"name": zone.name, "context": {"cluster": zone.name, "user": "cluster-admin", "namespace": "default"}}
        ],
        "current-context": zone.name,
    }
    _write(Path(zone.kubeconfig), json.dumps(document, indent=2))


def shell_lines(zones: list[Zone], inventory_file: Path) -> str:
    """Return variables for a shell; those of the first zone also without its name."""
    lines = [f"export APPUIO_INVENTORY={shlex.quote(str(inventory_file))}"]
    lines += [f"export {name}={shlex.quote(value)}" for zone in zones[:1] for name, value in zone.env().items()]
    for zone in zones:
        suffix = re.sub(r"\W", "_", zone.name).upper()
        lines += [f"export {name}_{suffix}={shlex.quote(value)}" for name, value in zone.env().items()]
    return "\n".join(lines) + "\n"


def _write(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as output:
        output.write(text)
