# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rights are asked for: the module's options with the targets they make; asks no server."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Mapping

from .._argspec import CONNECTION, CREDENTIALS, ZONE, ZONES, ArgumentSpec
from .._credentials.kinds import check_credentials
from .._errors import InvalidOptionError
from .._openshift.access import Right
from .._targets import Target, targets_from

SPEC = (
    ZONE
    + ZONES
    + CREDENTIALS
    + CONNECTION
    + ArgumentSpec(
        options={
            "rights": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "verb": {"type": "str", "required": True},
                    "resource": {"type": "str", "required": True},
                    "group": {"type": "str", "default": ""},
                },
            },
            "roles": {"type": "list", "elements": "str", "default": []},
        },
    )
)


@dataclass(frozen=True)
class Question:
    """What is asked of one zone: rights, cluster roles to grant, and for how many new objects the quota has to do."""

    target: Target
    namespace: str
    rights: tuple[Right, ...] = ()
    roles: tuple[str, ...] = ()

    @property
    def made(self) -> Counter[str]:
        """How many objects of each resource are to be made."""
        return Counter(right.resource for right in self.rights if right.verb == "create" and not right.subresource)


def questions_from(options: Mapping[str, Any], environment: Mapping[str, str]) -> list[Question]:
    """Return a question for each zone that the options name; raises InvalidOptionError."""
    targets = targets_from(options)
    check_credentials(targets, environment)
    rights = tuple(_right(given) for given in options["rights"])
    questions = []
    for target in targets:
        if not target.namespace:
            raise InvalidOptionError("nothing names the namespace", zone=target.zone.name, hint="Give namespace")
        questions.append(Question(target, str(target.namespace), rights, tuple(dict.fromkeys(options["roles"]))))
    return questions


def _right(given: Mapping[str, Any]) -> Right:
    resource, _slash, subresource = str(given["resource"]).partition("/")
    return Right(str(given["verb"]), resource, str(given.get("group") or ""), subresource)
