# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins as tasks: several in one run of ansible-playbook, and what stands in the file afterwards."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.playbook import PlaybookResult, play, run_playbook
from tests.zone import Zone

MODULE = "appuio.registry.appuio_registry_login"


@dataclass
class Logins:
    """Tasks that are run together; each goes on when it fails. ``options`` are those of every one of them."""

    folder: Path
    options: Mapping[str, Any]
    env: Mapping[str, str | None] = field(default_factory=dict)
    tasks: list[dict[str, Any]] = field(default_factory=list)

    def add(self, task: str, *, check: bool = False, env: Mapping[str, str] | None = None, **options: Any) -> None:
        """Add a login; an option that is None is left out."""
        given = {name: value for name, value in {**self.options, **options}.items() if value is not None}
        self.tasks.append(
            {
                "name": task,
                MODULE: given,
                "check_mode": check,
                "diff": True,
                "ignore_errors": True,
                "environment": dict(env or {}),
            }
        )

    def look(self, task: str, path: Path) -> None:
        """Add a look at a file: whether it is there, its content and its mode."""
        self.tasks.append({"name": task, "ansible.builtin.stat": {"path": str(path)}, "check_mode": False})

    def run(self, verbosity: int = 0) -> PlaybookResult:
        """Run them; a crash of one fails the test."""
        ended = run_playbook([play(self.tasks)], self.folder, env=self.env, verbosity=verbosity)
        assert ended.rc == 0, ended.stdout
        assert "This is a bug" not in ended.stdout, ended.stdout
        assert "Traceback" not in ended.stdout, ended.stdout
        return ended


def where(zone: Zone) -> dict[str, Any]:
    """Return the options that lead to a local zone."""
    return {
        "zone": zone.name,
        "registry": zone.registry,
        "host": zone.host,
        "ca_cert": zone.ca_file,
        "registry_ca_cert": zone.registry_ca_file,
        "retries": 0,
    }


def stored(path: Path, key: str) -> tuple[str, str] | None:
    """Return user name and secret of an entry in an auth file."""
    entry = json.loads(path.read_text()).get("auths", {}).get(key)
    if not entry:
        return None
    username, _colon, secret = base64.b64decode(entry["auth"]).decode().partition(":")
    return username, secret


def mode(path: Path) -> int:
    """Return the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)
