# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a role of this collection against a local zone, or its module alone in this process, and tells what it did."""

from __future__ import annotations

import contextlib
import io
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from tests.integration.playbook import PlaybookResult, TaskResult, environment, play, run_playbook
from tests.unit.module_arguments import handed_over, module
from tests.zone import Zone

ROLES = Path(__file__).resolve().parents[2] / "roles"
# The module that a role calls, and the variables that are called otherwise than its options.
MODULES: dict[str, tuple[str, dict[str, str]]] = {
    "image_pusher": ("appuio_registry_account", {"pushers": "accounts"}),
    "registry_access": ("appuio_registry_access", {}),
}


@dataclass(frozen=True)
class Outcome:
    """What a run did: its result, the fact it set, those of several, and the requests that changed something."""

    played: PlaybookResult
    fact: str | None = field(repr=False)
    writes: list[str]
    facts: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def changed(self) -> int:
        """How many tasks changed something; fails the test when the role failed."""
        return len(self.played.succeeded().changed)

    @property
    def failed(self) -> bool:
        """Whether the role failed."""
        return self.played.rc != 0

    @property
    def token(self) -> str:
        """The fact that the role has set; fails the test when the role failed."""
        self.played.succeeded()
        assert self.fact is not None
        return self.fact

    @property
    def output(self) -> str:
        """The output in one line, as messages may be broken anywhere."""
        return " ".join(self.played.stdout.replace('\\"', '"').split())


@dataclass(frozen=True)
class Role:
    """A role as one user of one zone runs it, each time in a fresh process; ``fact`` is read afterwards."""

    name: str
    zone: Zone
    directory: Path
    variables: Mapping[str, Any]
    fact: str = ""

    def run(
        self,
        *,
        check: bool = False,
        verbosity: int = 0,
        env: Mapping[str, str | None] | None = None,
        **variables: Any,
    ) -> Outcome:
        """Run it with these variables, prefixed with its name, besides those that it always has; None is left out."""
        given = {f"{self.name}_{name}": value for name, value in {**self.variables, **variables}.items()}
        kept = self.directory / "fact.json"
        kept.unlink(missing_ok=True)
        self.zone.clear_requests()
        played = run_playbook(
            [play(self._tasks(kept))],
            self.directory,
            extra_vars={name: value for name, value in given.items() if value is not None},
            check=check,
            diff=True,
            verbosity=verbosity,
            env=env,
        )
        found = json.loads(kept.read_text()) if kept.exists() else (None, {})
        return Outcome(played, fact=found[0], facts=found[1], writes=_writes(self.zone))

    def _tasks(self, kept: Path) -> list[dict[str, Any]]:
        role = {"name": "Run the role", "ansible.builtin.include_role": {"name": f"appuio.registry.{self.name}"}}
        if not self.fact:
            return [role]
        facts = f"[{self.fact} | default(none), {self.fact}s | default({{}})]"
        content = "{{ " + f"{facts} | to_json | keep({str(kept)!r})" + " }}"
        return [role, {"name": "Keep the fact", "ansible.builtin.debug": {"msg": content}, "no_log": True}]


@dataclass(frozen=True)
class RoleModule:
    """The module of a role in this process, with the role's defaults and variables, without Ansible around it.

    A role is no more than its defaults, its variables and this module, so that most of what it does is seen here as
    well, in a twentieth of the time.
    """

    role: Role

    def run(self, *, check: bool = False, env: Mapping[str, str | None] | None = None, **variables: Any) -> Outcome:
        """Run it as ``Role.run`` runs the role."""
        zone, folder = self.role.zone, self.role.directory
        zone.clear_requests()
        try:
            with mock.patch.dict(os.environ, environment(folder, folder / "unused", None, env or {}), clear=True):
                time.tzset()  # as a new process looks at TZ
                result = self._result({**self.role.variables, **variables}, check)
        finally:
            time.tzset()
        failed = bool(result.get("failed"))
        task = TaskResult(self.role.name, "localhost", "failed" if failed else "ok", result)
        played = PlaybookResult(int(failed), json.dumps(result, ensure_ascii=False), [task])
        if failed:
            return Outcome(played, None, _writes(zone))
        return Outcome(played, result.get("token") or "", _writes(zone), result.get("tokens") or {})

    def _result(self, variables: Mapping[str, Any], check: bool) -> dict[str, Any]:
        name, renamed = MODULES[self.role.name]
        defaults = yaml.safe_load((ROLES / self.role.name / "defaults/main.yml").read_text())
        given = {one.removeprefix(f"{self.role.name}_"): value for one, value in defaults.items()}
        given.update({one: value for one, value in variables.items() if value is not None})
        arguments = {renamed.get(one, one): value for one, value in given.items() if value != ""}
        internal = {"check_mode": check, "diff": True, "tmpdir": str(self.role.directory / "tmp")}
        arguments.update({f"_ansible_{one}": value for one, value in internal.items()})
        printed = io.StringIO()
        with handed_over(arguments), contextlib.redirect_stdout(printed), pytest.raises(SystemExit):
            module(name).main()
        result: dict[str, Any] = json.loads(printed.getvalue().splitlines()[-1])
        return result


def _writes(zone: Zone) -> list[str]:
    return [f"{one['method']} {one['path'].partition('?')[0]}" for one in zone.writes()]
