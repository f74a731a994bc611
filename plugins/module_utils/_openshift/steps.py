# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan of changes to a namespace's objects: what to remove, what to put, and why; pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import objects
from .objects import Definition


@dataclass
class Steps:
    """Definitions to remove first and then to put, a reason for each step, and what is left alone and why.

    ``ask_first`` are definitions that the API has to accept in a dry run before anything is removed.
    ``put_secret`` are those among them that must not be shown. ``refused`` says why nothing can be done,
    where an object of that name belongs to something else.
    """

    steps: list[str] = field(default_factory=list)
    ask_first: list[Definition] = field(default_factory=list)
    remove: list[Definition] = field(default_factory=list)
    put: list[Definition] = field(default_factory=list)
    put_secret: list[Definition] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    refused: str = ""

    def to_put(self, definition: Definition, verb: str, reason: str) -> None:
        """Add the making or changing of an object."""
        (self.put_secret if definition.get("data") else self.put).append(definition)
        self.steps.append(f"{verb} {called(definition)}: {reason}")

    def to_remove(self, definition: Definition, reason: str) -> None:
        """Add the deletion of an object."""
        self.remove.append(objects.identity(definition))
        self.steps.append(f"delete {called(definition)}: {reason}")


def called(definition: Definition) -> str:
    """Return kind and name of an object, as messages have it."""
    return f"{definition['kind']} {definition['metadata']['name']}"
