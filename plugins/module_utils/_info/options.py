# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images are asked about: the module's options, checked before anybody is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .._argspec import CONNECTION, CREDENTIALS, ZONE, ZONES, ArgumentSpec
from .._errors import InvalidOptionError
from .._reference import checked_image_name, checked_tag

SPEC = (
    ZONE
    + ZONES
    + CREDENTIALS
    + CONNECTION
    + ArgumentSpec(
        options={
            "name": {"type": "str"},
            "tags": {"type": "list", "elements": "str", "aliases": ["tag"]},
            "details": {"type": "bool", "default": True},
            "jobs": {"type": "int", "default": 4},
        },
    )
)


@dataclass(frozen=True)
class Question:
    """What is asked of every zone: of one repository or all (None), of some tags or all (empty)."""

    name: str | None = None
    tags: tuple[str, ...] = ()
    details: bool = True
    jobs: int = 4

    def asks_for(self, tag: str) -> bool:
        """Whether a tag is asked about."""
        return not self.tags or tag in self.tags


def question_from(options: Mapping[str, Any]) -> Question:
    """Return the question that the options are; raises InvalidOptionError."""
    jobs = int(options.get("jobs") or 0)
    if not 1 <= jobs <= 32:
        raise InvalidOptionError("jobs is a number from 1 to 32")
    name = options.get("name")
    return Question(
        name=checked_image_name(str(name)) if name else None,
        tags=tuple(dict.fromkeys(checked_tag(str(tag)) for tag in options.get("tags") or ())),
        details=bool(options.get("details", True)),
        jobs=jobs,
    )
