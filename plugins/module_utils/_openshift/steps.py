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
    ``rights`` are those that the steps need, one for each step, as a SelfSubjectAccessReview names them.
    ``put_secret`` are those among them that must not be shown. ``refused`` says why nothing can be done,
    where an object of that name belongs to something else.
    """

    steps: list[str] = field(default_factory=list)
    ask_first: list[Definition] = field(default_factory=list)
    remove: list[Definition] = field(default_factory=list)
    put: list[Definition] = field(default_factory=list)
    put_secret: list[Definition] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    rights: list[dict[str, str]] = field(default_factory=list)
    refused: str = ""

    def to_put(self, definition: Definition, verb: str, reason: str) -> None:
        """Add the making (``make``) or changing (any other verb) of an object."""
        self.rights.append(_right("create" if verb == "make" else "patch", definition))
        (self.put_secret if definition.get("data") else self.put).append(definition)
        self.steps.append(f"{verb} {called(definition)}: {reason}")

    def to_remove(self, definition: Definition, reason: str) -> None:
        """Add the deletion of an object."""
        self.rights.append(_right("delete", definition))
        self.remove.append(objects.identity(definition))
        self.steps.append(f"delete {called(definition)}: {reason}")


def called(definition: Definition) -> str:
    """Return kind and name of an object, as messages have it."""
    return f"{definition['kind']} {definition['metadata']['name']}"


def _right(verb: str, definition: Definition) -> dict[str, str]:
    """All kinds in such plans have the plural that one expects."""
    group = str(definition["apiVersion"]).rpartition("/")[0]
    return {"verb": verb, "group": group, "resource": f"{definition['kind'].lower()}s"}
