# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that change the objects of a namespace: in order, each with its reason, and what they show of it; pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .._openshift.resources import CREATED
from .objects import Definition, LiveObject

CREATE, CHANGE, DELETE = "create", "patch", "delete"
_SHOWN = ("labels", "annotations")


@dataclass(frozen=True)
class Step:
    """One request: ``verb`` as access rules have it, ``action`` and ``reason`` as users read it.

    ``definition`` is the new object, what is merged into the object, or the object to delete; ``live`` is the
    object as it was read, None for a new one. A ``late`` step waits until the new token is there. One that is
    ``optional`` does not fail the task where the right to it is missing.
    """

    verb: str
    definition: Definition = field(repr=False)
    action: str
    reason: str
    live: LiveObject | None = field(default=None, repr=False)
    late: bool = False
    optional: bool = False

    @property
    def kind(self) -> str:
        """The object's kind."""
        return str(self.definition["kind"])

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.definition["metadata"]["name"])

    def __str__(self) -> str:
        return f"{self.action} {self.kind} {self.name}: {self.reason}"

    def result(self) -> dict[str, str]:
        """Return the step as results have it."""
        return {"action": self.action, "kind": self.kind, "name": self.name, "reason": self.reason}


@dataclass
class Steps:
    """A plan in the making: steps, what is left alone and why, and why nothing can be done (``refused``)."""

    steps: list[Step] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    refused: str = ""

    def create(self, definition: Definition, reason: str) -> None:
        """Add the creation of an object."""
        self.steps.append(Step(CREATE, definition, "create", reason))

    def change(
        self,
        live: LiveObject,
        definition: Definition,
        action: str,
        reason: str,
        *,
        late: bool = False,
        optional: bool = False,
    ) -> None:
        """Add a change that is merged into an object; ``action`` tells what is done to it."""
        self.steps.append(Step(CHANGE, definition, action, reason, live, late, optional))

    def delete(self, live: LiveObject, definition: Definition, reason: str, *, late: bool = False) -> None:
        """Add the deletion of an object, if it is still the one that was read."""
        self.steps.append(Step(DELETE, definition, "delete", reason, live, late))

    def in_order(self) -> list[Step]:
        """Return the steps in the order in which they are carried out: what needs the new token comes last."""
        return sorted(self.steps, key=lambda step: step.late)

    def of(self, verb: str) -> list[Step]:
        """Return the steps with one verb."""
        return [step for step in self.steps if step.verb == verb]

    @property
    def created(self) -> Counter[str]:
        """How many objects of each resource are created, by the resource's plural name."""
        return Counter(CREATED[step.kind].plural for step in self.of(CREATE))

    @property
    def bindings(self) -> list[Definition]:
        """The role bindings that are created."""
        return [step.definition for step in self.of(CREATE) if step.kind == "RoleBinding"]


def called(definition: LiveObject) -> str:
    """Return kind and name of an object, as messages have it."""
    return f"{definition['kind']} {definition['metadata']['name']}"


def difference(steps: Sequence[Step]) -> tuple[str, str]:
    """Return what the steps change, before and after, without the contents of Secrets."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for step in steps:
        key = f"{step.kind} {step.name}"
        if step.verb == CREATE:
            before.setdefault(key, None)
            after[key] = _whole(step.definition)
        elif step.verb == DELETE:
            # What an earlier step of this plan has created was not there before.
            before.setdefault(key, _whole(step.live or step.definition))
            after[key] = None
        else:
            was, change = _whole(step.live or {}), _whole(step.definition)
            held = {name: was[name] for name in change if name in was}
            before.setdefault(key, held)
            after[key] = {**(after.get(key) or before[key] or {}), **_merged(held, change)}
    return _written(before), _written(after)


def _whole(definition: LiveObject) -> dict[str, Any]:
    """Return what is shown of an object: labels, annotations, role, subjects, linked Secrets."""
    metadata = definition.get("metadata") or {}
    shown: dict[str, Any] = {name: dict(metadata[name]) for name in _SHOWN if metadata.get(name)}
    if definition.get("type"):
        shown["type"] = definition["type"]
    if (definition.get("roleRef") or {}).get("name"):
        shown["role"] = definition["roleRef"]["name"]
    if definition.get("subjects") is not None and definition.get("kind") == "RoleBinding":
        shown["subjects"] = [f"{one.get('kind')} {one.get('name')}" for one in definition["subjects"]]
    if definition.get("imagePullSecrets") is not None and definition.get("kind") == "ServiceAccount":
        shown["imagePullSecrets"] = [one.get("name") for one in definition["imagePullSecrets"]]
    if definition.get("data"):
        shown["data"] = "not shown"
    return shown


def _merged(held: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {**held[name], **value} if isinstance(value, dict) and isinstance(held.get(name), dict) else value
        for name, value in change.items()
    }


def _written(states: dict[str, Any]) -> str:
    there = {key: value for key, value in states.items() if value is not None}
    return json.dumps(there, indent=2, sort_keys=True) + "\n" if there else ""
