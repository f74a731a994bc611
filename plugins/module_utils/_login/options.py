# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a login is to be: the module's options with the targets they make; asks no server."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any, Mapping

from .._argspec import TARGETS, ArgumentSpec
from .._credentials.auth_attributes import FileAttributes, file_attributes
from .._credentials.auth_file import file_to_write
from .._errors import InvalidOptionError
from .._targets import DEFAULT_USERNAME, RunContext, Target, targets_from

SPEC = TARGETS + ArgumentSpec(
    options={
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "auth_file": {"type": "path", "aliases": ["authfile", "config_path", "dockercfg_path"]},
        "client": {"type": "str", "choices": ["docker", "podman"], "default": "docker"},
        "verify": {"type": "bool", "default": True},
        "access": {"type": "list", "elements": "str", "choices": ["pull", "push"]},
        "credential_store": {"type": "str", "default": "auto"},
        "key_scope": {"type": "str", "choices": ["registry", "namespace"], "default": "registry"},
        "min_validity": {"type": "int", "default": 600},
        "revoke": {"type": "bool", "default": False},
        "backup": {"type": "bool", "default": False},
        "mode": {"type": "raw", "default": "0600"},
        "owner": {"type": "str"},
        "group": {"type": "str"},
        "dockerconfigjson": {"type": "bool", "default": False},
    },
)
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Login:
    """One login of the task: a target, the file for it, and what is to hold for it."""

    target: Target
    auth_file: str
    present: bool = True
    client: str = "docker"
    verify: bool = True
    access: tuple[str, ...] = ()
    credential_store: str = "auto"
    namespaced: bool = False
    min_validity: int = 600
    revoke: bool = False
    backup: bool = False
    attributes: FileAttributes = field(default_factory=FileAttributes)

    @property
    def registry(self) -> str:
        """The registry, which is known to be given."""
        return str(self.target.zone.registry)

    def expected_username(self) -> str:
        """Return the user name that a credential which has yet to be got will have."""
        who = self.target.who
        return DEFAULT_USERNAME if who.get("service_account") else str(who.get("username") or DEFAULT_USERNAME)

    def credential_context(self, context: RunContext) -> RunContext:
        """Return the context without the file that a login writes, which is no credential for it."""
        known = {name: value for name, value in context.environment.items() if name != "REGISTRY_AUTH_FILE"}
        return context._replace(environment=known)


def logins_from(options: Mapping[str, Any], environment: Mapping[str, str]) -> list[Login]:
    """Return the logins that the options name; raises InvalidOptionError."""
    targets = _targets(options)
    attributes = file_attributes(options["mode"], options.get("owner"), options.get("group"))
    store = str(options["credential_store"])
    if not _HELPER.fullmatch(store):
        raise InvalidOptionError(
            f"credential_store {store!r} is neither auto, nor file, nor the name of a helper",
            hint="The helper of the program docker-credential-pass is called pass",
        )
    default = options.get("auth_file")
    logins = []
    for target, own_file in zip(targets, _own_files(options)):
        path = os.path.expanduser(own_file or default or file_to_write(options["client"], environment))
        logins.append(
            Login(
                target=target,
                auth_file=os.path.abspath(path),
                present=options["state"] == "present",
                client=options["client"],
                verify=options["verify"],
                access=tuple(dict.fromkeys(options.get("access") or ())),
                credential_store=store,
                namespaced=options["key_scope"] == "namespace",
                min_validity=options["min_validity"],
                revoke=options["revoke"],
                backup=options["backup"],
                attributes=attributes,
            )
        )
    for login in logins:
        _check(login)
    return logins


def _targets(options: Mapping[str, Any]) -> list[Target]:
    """For this module, ``auth_file`` is where a login is written, and nobody's credential."""
    given = {name: value for name, value in options.items() if name != "auth_file"}
    if given.get("zones"):
        given["zones"] = [_without_file(entry) for entry in given["zones"]]
    return targets_from(given)


def _without_file(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    return {name: value for name, value in entry.items() if name != "auth_file"}


def _own_files(options: Mapping[str, Any]) -> list[str | None]:
    entries = options.get("zones") or [None]
    return [entry.get("auth_file") if isinstance(entry, Mapping) else None for entry in entries]


def _check(login: Login) -> None:
    zone = login.target.zone.name
    if login.target.zone.registry is None:
        raise InvalidOptionError("nothing names the registry", zone=zone, hint="Give zone or registry")
    if login.namespaced and not login.target.namespace:
        raise InvalidOptionError(
            "key_scope: namespace needs namespace", zone=zone, hint="Give the project that the credential is for"
        )
    if login.namespaced and login.client == "docker":
        raise InvalidOptionError(
            "docker keeps one credential per registry, so key_scope: namespace has no meaning for it",
            zone=zone,
            hint="Use client: podman, or give each namespace an auth_file of its own",
        )
    if login.namespaced and login.credential_store not in ("auto", "file"):
        raise InvalidOptionError(
            "a credential helper keeps no credentials of single namespaces",
            zone=zone,
            hint="Leave credential_store out, or set it to file",
        )
    if login.access and not login.target.namespace:
        raise InvalidOptionError("access needs namespace", zone=zone, hint="Give the project in which it is to hold")
    if login.access and not login.verify and login.present:
        raise InvalidOptionError(
            "access is asked of the zone, so verify cannot be false", zone=zone, hint="Leave one of the two out"
        )
    if login.min_validity < 0:
        raise InvalidOptionError("min_validity must not be below 0", zone=zone, hint="Give seconds")
