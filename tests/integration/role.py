# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a role of this collection against a local zone with a real ansible-playbook, and tells what it did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.playbook import PlaybookResult, play, run_playbook
from tests.zone import Zone


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
        return Outcome(
            played=played,
            fact=found[0],
            facts=found[1],
            writes=[f"{one['method']} {one['path'].partition('?')[0]}" for one in self.zone.writes()],
        )

    def _tasks(self, kept: Path) -> list[dict[str, Any]]:
        role = {"name": "Run the role", "ansible.builtin.include_role": {"name": f"appuio.registry.{self.name}"}}
        if not self.fact:
            return [role]
        facts = f"[{self.fact} | default(none), {self.fact}s | default({{}})]"
        content = "{{ " + f"{facts} | to_json | keep({str(kept)!r})" + " }}"
        return [role, {"name": "Keep the fact", "ansible.builtin.debug": {"msg": content}, "no_log": True}]
