# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the playbooks of the collection as a user would: ``ansible-playbook appuio.registry.<name>``."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.zone import Zone

RECAP = re.compile(r"^(\S+)\s*:\s+ok=\d+\s+changed=(\d+)")


class ScenarioFailed(Exception):
    """Something did not happen as the demonstration claims."""


@dataclass(frozen=True)
class PlaybookResult:
    """What a playbook did: how many tasks changed something, by host."""

    changed: dict[str, int]


class Playbooks:
    """Runs playbooks with one collection path, one Python, and one inventory in ``stage``."""

    def __init__(self, collections: Path, python: Path, stage: Path) -> None:
        self._python = python
        self._stage = stage
        self._collections = collections
        self.auth_file = stage / "auth.json"
        (stage / "ansible.cfg").touch()

    def write_inventory(
        self, zones: Sequence[Zone], tokens: Mapping[str, str], namespace: str, name: str, version: str
    ) -> None:
        """Write the inventory; the tokens stand in a file that only its owner reads."""
        listed = [{"zone": zone.name, "registry": zone.registry, "host": zone.host} for zone in zones]
        self._write("zones.yml", {"plugin": "appuio.registry.zones", "zones": listed})
        (self._stage / "group_vars" / "all").mkdir(parents=True)
        self._write("group_vars/all/tokens.yml", {"appuio_tokens": dict(tokens)})
        shared = {
            "appuio_namespace": namespace,
            "appuio_source": f"oci:build:{version}",
            "appuio_name": name,
            "appuio_tags": [version],
            "appuio_auth_file": self.auth_file.name,
            "appuio_token": "{{ appuio_tokens[appuio_zone] }}",
            "appuio_ca_cert": zones[0].ca_file,
        }
        self._write("group_vars/all/main.yml", shared)

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        path = self._stage / name
        path.touch(mode=0o600)
        path.write_text(json.dumps(content, indent=2) + "\n")

    def run(self, playbook: str, **variables: str) -> PlaybookResult:
        """Run a playbook of the collection, show its output as it comes; raises ScenarioFailed when it fails."""
        command = [str(self._python.parent / "ansible-playbook"), "-i", "zones.yml"]
        command += [f"appuio.registry.{playbook}"]
        for name, value in variables.items():
            command += ["-e", f"{name}={value}"]
        print("   $ ansible-playbook", *command[1:], flush=True)
        changed = {}
        with subprocess.Popen(
            [str(self._python), *command],
            cwd=self._stage,
            env=self._surroundings(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as running:
            for line in running.stdout or ():
                print(f"   | {line}", end="", flush=True)
                recap = RECAP.match(line)
                if recap:
                    changed[recap.group(1)] = int(recap.group(2))
        if running.returncode:
            raise ScenarioFailed(f"ansible-playbook appuio.registry.{playbook} ended with {running.returncode}")
        return PlaybookResult(changed)

    def _surroundings(self) -> dict[str, str]:
        """Return an environment in which no setting of the machine reaches Ansible."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "HOME": str(self._stage),
            "PATH": f"{self._python.parent}:{os.environ.get('PATH', os.defpath)}",
            "ANSIBLE_COLLECTIONS_PATH": str(self._collections),
            "ANSIBLE_HOME": str(self._stage / ".ansible"),
            "ANSIBLE_CONFIG": str(self._stage / "ansible.cfg"),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "0",
            "PYTHONUNBUFFERED": "1",
        }
