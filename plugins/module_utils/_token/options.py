# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which token is wanted: the module's options, for each zone; asks no server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._argspec import TARGETS, ArgumentSpec
from .._credentials.token import checked_token
from .._errors import InvalidOptionError
from .._managed_objects.tokens import SecretOptions
from .._targets import Target, targets_from
from .._text import seconds_of

SPEC = TARGETS + ArgumentSpec(
    options={
        "service_account": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "rotated", "absent"], "default": "present"},
        "kind": {"type": "str", "choices": ["secret", "bound"], "default": "secret"},
        "secret_name": {"type": "str", "no_log": False},
        "expiration": {"type": "str", "default": "24h"},
        "current_token": {"type": "str", "no_log": True},
        "grace": {"type": "str", "default": "1h"},
        "adopt": {"type": "bool", "default": False},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 60},
    },
    zone_options=("current_token",),
)
SHORTEST = 600
# In this module they say whose token it is about, and are nobody's credential.
_ABOUT = ("service_account", "current_token")


@dataclass(frozen=True)
class TokenOptions:
    """One token: whose, in which namespace of which zone, and what is to come of it; times in seconds."""

    target: Target
    namespace: str
    service_account: str
    secret_name: str
    state: str = "present"
    kind: str = "secret"
    expiration: int = 86400
    current_token: str | None = field(default=None, repr=False)
    grace: int = 3600
    adopt: bool = False
    wait: bool = True
    wait_timeout: int = 60

    @property
    def secrets(self) -> SecretOptions:
        """What is wanted of the Secrets that hold the account's tokens."""
        return SecretOptions(
            self.namespace,
            self.service_account,
            self.secret_name,
            rotate=self.state == "rotated",
            grace=self.grace,
            adopt=self.adopt,
        )

    @property
    def bound(self) -> bool:
        """Whether it is about a bound token; those end by themselves, so that absent is about Secrets."""
        return self.kind == "bound" and self.state != "absent"


def parse_options(options: Mapping[str, Any]) -> list[TokenOptions]:
    """Return what is wanted in each zone that the options name; raises InvalidOptionError before any request."""
    given = {name: value for name, value in options.items() if name not in _ABOUT}
    entries = options.get("zones")
    if entries:
        given["zones"] = [_without(entry) for entry in entries]
    targets = targets_from(given)
    abouts = [entry if isinstance(entry, Mapping) else {} for entry in entries or [{}]]
    return [_wanted(target, about, options) for target, about in zip(targets, abouts)]


def current_tokens(options: Mapping[str, Any]) -> list[str]:
    """Return the tokens in the entries of ``zones`` that the caller has already, to be kept out of the log."""
    entries = [entry for entry in options.get("zones") or () if isinstance(entry, Mapping)]
    return [str(entry["current_token"]) for entry in entries if entry.get("current_token")]


def _wanted(target: Target, about: Mapping[str, Any], options: Mapping[str, Any]) -> TokenOptions:
    zone = target.zone.name
    account = str(about.get("service_account") or options["service_account"] or "").strip()
    if not target.namespace:
        raise InvalidOptionError("nothing names the namespace of the service account", zone=zone, hint="Give namespace")
    if not account:
        raise InvalidOptionError("service_account is empty", zone=zone)
    if options["wait_timeout"] < 0:
        raise InvalidOptionError("wait_timeout must not be below 0", zone=zone)
    expiration = seconds_of("expiration", options["expiration"])
    if options["kind"] == "bound" and expiration < SHORTEST:
        raise InvalidOptionError(
            f"expiration {options['expiration']} is too short: the API gives no token for less than ten minutes",
            zone=zone,
        )
    current = about.get("current_token") or options.get("current_token")
    return TokenOptions(
        target=target,
        namespace=str(target.namespace),
        service_account=account,
        secret_name=options.get("secret_name") or f"{account}-secret",
        state=options["state"],
        kind=options["kind"],
        expiration=expiration,
        current_token=checked_token(str(current), "current_token") if current else None,
        grace=seconds_of("grace", options["grace"]),
        adopt=options["adopt"],
        wait=options["wait"],
        wait_timeout=options["wait_timeout"],
    )


def _without(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    return {name: value for name, value in entry.items() if name not in _ABOUT}
