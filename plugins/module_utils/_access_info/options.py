# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rights are asked for: the module's options, for each zone; asks no server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._argspec import CONNECTION, CREDENTIALS, ZONE, ZONES, ArgumentSpec
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
class AccessInfoOptions:
    """What one zone is asked: for rights, cluster roles to grant, and as which service account, if any."""

    target: Target
    namespace: str
    rights: tuple[Right, ...] = ()
    roles: tuple[str, ...] = ()
    service_account: str = ""

    @property
    def created(self) -> Counter[str]:
        """How many objects of each resource are to be created."""
        return Counter(right.resource for right in self.rights if right.verb == "create" and not right.subresource)


def parse_options(options: Mapping[str, Any]) -> list[AccessInfoOptions]:
    """Return what each zone that the options name is asked; raises InvalidOptionError before any request."""
    rights = tuple(_right(given) for given in options["rights"])
    found = []
    for target in targets_from(options):
        if not target.namespace:
            raise InvalidOptionError("nothing names the namespace", zone=target.zone.name, hint="Give namespace")
        roles = tuple(dict.fromkeys(options["roles"]))
        # Who asks is whoever has the credential; the service account is who is asked about.
        who = {name: value for name, value in target.who.items() if name != "service_account"}
        account = str(target.who.get("service_account") or "").strip()
        found.append(AccessInfoOptions(replace(target, who=who), str(target.namespace), rights, roles, account))
    return found


def _right(given: Mapping[str, Any]) -> Right:
    resource, _slash, subresource = str(given["resource"]).partition("/")
    return Right(str(given["verb"]), resource, str(given.get("group") or ""), subresource)
