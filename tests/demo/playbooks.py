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

import yaml

from tests.zone import Zone

RECAP = re.compile(r"^(\S+)\s*:\s+ok=\d+\s+changed=(\d+)")
# A line of the table in the end, as the default callback prints it.
TOLD = re.compile(r'^ {8}(".*"),?$|^ {4}"msg": (".*")$')
LONGEST = 110


class ScenarioFailed(Exception):
    """Something did not happen as the demonstration claims."""


@dataclass(frozen=True)
class PlaybookResult:
    """What a playbook did: how many tasks changed something, by host, and its outcome."""

    changed: dict[str, int]
    outcome: dict[str, Any]


class Playbooks:
    """Runs playbooks with one collection path, one Python, and one inventory in ``stage``."""

    def __init__(self, collections: Path, python: Path, stage: Path) -> None:
        self._python = python
        self._stage = stage
        self._collections = collections
        self.auth_file = stage / "auth.json"
        self._log = stage / "ansible.log"
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
            "appuio_source": f"oci:build/{version}:{version}",
            "appuio_name": name,
            "appuio_tags": [version, "staging"],
            "appuio_auth_file": self.auth_file.name,
            "appuio_token": "{{ appuio_tokens[appuio_zone] }}",
            "appuio_ca_cert": zones[0].ca_file,
        }
        self._write("group_vars/all/main.yml", shared)

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        path = self._stage / name
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    def run(self, playbook: str, **variables: str) -> PlaybookResult:
        """Run a playbook of the collection and show what it tells in the end; raises ScenarioFailed when it fails.

        The whole output is in ``ansible.log`` of the stage, and is shown when the playbook fails.
        """
        command = [str(self._python.parent / "ansible-playbook"), "-i", "zones.yml", f"appuio.registry.{playbook}"]
        command += [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
        shown = " ".join(["ansible-playbook", *command[1:]])
        print(f"   $ {shown}", flush=True)
        outcome = self._stage / "outcome.json"
        ended = subprocess.run(
            [str(self._python), *command, "-e", f"appuio_result_file={outcome.name}"],
            cwd=self._stage,
            env=self.environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"$ {shown}\n{ended.stdout}\n")
        if ended.returncode:
            print(ended.stdout)
            raise ScenarioFailed(f"ansible-playbook appuio.registry.{playbook} ended with {ended.returncode}")
        lines = ended.stdout.splitlines()
        for line in filter(None, map(TOLD.match, lines)):
            told = json.loads(line.group(1) or line.group(2))
            print(f"   | {told if len(told) <= LONGEST else told[: LONGEST - 3] + '...'}", flush=True)
        changed = {recap.group(1): int(recap.group(2)) for recap in filter(None, map(RECAP.match, lines))}
        return PlaybookResult(changed, json.loads(outcome.read_text(encoding="utf-8")))

    def environment(self) -> dict[str, str]:
        """Return an environment in which no setting of the machine reaches Ansible."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "HOME": str(self._stage),
            "PATH": f"{self._python.parent}:{os.environ.get('PATH', os.defpath)}",
            "ANSIBLE_COLLECTIONS_PATH": str(self._collections),
            "ANSIBLE_HOME": str(self._stage / ".ansible"),
            "ANSIBLE_CONFIG": str(self._stage / "ansible.cfg"),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "0",
            "PYTHONUNBUFFERED": "1",
        }
