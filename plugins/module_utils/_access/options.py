# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which access to a namespace's registry is wanted: the module's options, for each zone; asks no server."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._argspec import TARGETS, ArgumentSpec
from .._errors import InvalidOptionError
from .._targets import Target, targets_from
from .._text import as_list, as_texts, is_blank
from .plan import SUBJECT_KINDS, AccessOptions, PullSecret

_SUBJECTS: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "kind": {"type": "str", "choices": list(SUBJECT_KINDS), "required": True},
        "name": {"type": "str", "required": True},
        "namespace": {"type": "str"},
    },
}
SPEC = TARGETS + ArgumentSpec(
    options={
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "viewers": _SUBJECTS,
        "editors": _SUBJECTS,
        "viewer_role": {"type": "str", "default": "registry-viewer"},
        "editor_role": {"type": "str", "default": "registry-editor"},
        "viewer_binding": {"type": "str", "default": "registry-viewers"},
        "editor_binding": {"type": "str", "default": "registry-editors"},
        "pull_secrets": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "no_log": False,
            "options": {
                "name": {"type": "str", "required": True},
                "registry": {"type": "str", "required": True},
                "username": {"type": "str", "default": "serviceaccount"},
                "password": {"type": "str", "required": True, "no_log": True},
                "service_accounts": {"type": "list", "elements": "str", "default": ["default"]},
            },
        },
        "exclusive": {"type": "bool", "default": False},
        "preflight": {"type": "bool", "default": True},
    },
)


@dataclass(frozen=True)
class ZoneAccess:
    """The access that is wanted in one zone."""

    target: Target
    access: AccessOptions


def zone_accesses(options: Mapping[str, Any]) -> list[ZoneAccess]:
    """Return the access for each zone that the options name; raises InvalidOptionError before any request."""
    targets = targets_from(options)
    found = []
    for target in targets:
        if not target.namespace:
            raise InvalidOptionError("nothing names the namespace", zone=target.zone.name, hint="Give namespace")
        try:
            found.append(ZoneAccess(target, _access(str(target.namespace), options)))
        except InvalidOptionError as error:
            raise error.at(zone=target.zone.name) from None
    return found


def passwords_in(options: Mapping[str, Any]) -> list[str]:
    """Return the secrets of the pull Secrets, in every form that they take."""
    found = []
    for entry in as_list("pull_secrets", options.get("pull_secrets")) or ():
        if isinstance(entry, Mapping) and not is_blank(entry.get("password")):
            found += [str(entry["password"]).rstrip("\r\n"), str(entry["password"]), _auth(entry)]
    return found


def _access(namespace: str, options: Mapping[str, Any]) -> AccessOptions:
    viewer, editor = options["viewer_role"], options["editor_role"]
    if viewer == editor:
        raise InvalidOptionError(f"viewer_role and editor_role are both {viewer}")
    return AccessOptions(
        namespace=namespace,
        bindings={viewer: options["viewer_binding"], editor: options["editor_binding"]},
        subjects={viewer: _subjects("viewers", options), editor: _subjects("editors", options)},
        pull_secrets=[_pull_secret(given) for given in as_list("pull_secrets", options.get("pull_secrets")) or ()],
        exclusive=bool(options["exclusive"]),
        state=options["state"],
    )


def _subjects(option: str, options: Mapping[str, Any]) -> list[dict[str, str]]:
    return [_subject(option, entry) for entry in as_list(option, options.get(option)) or ()]


def _subject(option: str, entry: Any) -> dict[str, str]:
    """Return a subject."""
    given = _texts(option, entry, ("kind", "name", "namespace"))
    if given.get("kind") not in SUBJECT_KINDS:
        raise InvalidOptionError(f"an entry of {option} needs kind", hint=f"One of {', '.join(SUBJECT_KINDS)}")
    if not given.get("name"):
        raise InvalidOptionError(f"an entry of {option} needs name")
    return given


def _pull_secret(entry: Any) -> PullSecret:
    known = ("name", "registry", "username", "password", "service_accounts")
    given = _texts("pull_secrets", entry, known)
    missing = [name for name in ("name", "registry", "password") if not given.get(name)]
    if missing:
        raise InvalidOptionError(f"an entry of pull_secrets needs {', '.join(missing)}")
    accounts = as_texts("service_accounts", entry.get("service_accounts"))
    return PullSecret(
        given["name"], {given["registry"]: {"auth": _auth(entry)}}, ["default"] if accounts is None else accounts
    )


def _auth(entry: Mapping[str, Any]) -> str:
    """Return user name and password as a Secret holds them; a line end at the end of a password is not part of it."""
    username = "serviceaccount" if is_blank(entry.get("username")) else str(entry["username"]).strip()
    password = str(entry["password"]).rstrip("\r\n")
    credential = f"{username}:{password}"
    return base64.b64encode(credential.encode()).decode()


def _texts(option: str, entry: Any, known: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(entry, Mapping):
        raise InvalidOptionError(f"an entry of {option} is no dictionary")
    unknown = sorted(str(name) for name in entry if name not in known)
    if unknown:
        raise InvalidOptionError(
            f"an entry of {option} has the unknown key {', '.join(unknown)}", hint=f"Known are {', '.join(known)}"
        )
    return {name: str(value).strip() for name, value in entry.items() if not is_blank(value) and name in known}
