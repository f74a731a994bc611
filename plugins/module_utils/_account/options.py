# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which service accounts are wanted: the module's options, for each zone and account; asks no server."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._argspec import TARGETS, ArgumentSpec
from .._errors import InvalidOptionError
from .._targets import Target, targets_from
from .._text import as_list, as_mapping, as_texts, is_blank, seconds_of
from .account import AccountOptions

SHORTEST = 600
OF_ACCOUNT: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "service_account": {"type": "str", "default": "image-pusher"},
    "role": {"type": "str"},
    "role_binding": {"type": "str"},
    "secret_name": {"type": "str", "no_log": False},
    "kind": {"type": "str", "choices": ["secret", "bound"], "default": "secret", "aliases": ["token_kind"]},
    "expiration": {"type": "str", "default": "24h"},
    "rotate": {"type": "bool", "default": False},
    "grace": {"type": "str", "default": "1h"},
    "adopt": {"type": "bool", "default": False},
    "image_streams": {"type": "list", "elements": "str", "default": []},
    "labels": {"type": "dict", "default": {}},
    "annotations": {"type": "dict", "default": {}},
    "token_file": {"type": "path", "no_log": False},
}
SPEC = TARGETS + ArgumentSpec(
    options={
        **OF_ACCOUNT,
        "accounts": {"type": "list", "elements": "dict", "default": []},
        "preflight": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 60},
    },
)
# What an entry of ``accounts`` with a service account of its own does not take from the task.
_NAMES = ("role_binding", "secret_name")
_ALIASES = {"project": "namespace", "token_kind": "kind"}
_CHOICES = {"state": ("present", "absent"), "kind": ("secret", "bound")}
_TRUE, _FALSE = ("true", "yes", "on", "1", "y", "t"), ("false", "no", "off", "0", "n", "f")
# Kubernetes, "Object Names and IDs": DNS subdomain names; names of RBAC objects are any segment of a path.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_SEGMENT = re.compile(r"[^/%\s]{1,253}")


@dataclass(frozen=True)
class ZoneAccounts:
    """The accounts that are wanted in one zone."""

    target: Target
    accounts: tuple[AccountOptions, ...]


def zone_accounts(options: Mapping[str, Any]) -> list[ZoneAccounts]:
    """Return the accounts for each zone that the options name; raises InvalidOptionError before any request."""
    # Here it says which account it is about, and is nobody's credential.
    given = {name: value for name, value in options.items() if name != "service_account"}
    entries = options.get("zones")
    if entries:
        given["zones"] = [_without_account(entry) for entry in entries]
    targets = targets_from(given)
    if options["wait_timeout"] < 0:
        raise InvalidOptionError("wait_timeout must not be below 0")
    abouts = [_account_of(entry) for entry in entries or [{}]]
    wanted = [ZoneAccounts(target, _accounts(target, {**options, **about})) for target, about in zip(targets, abouts)]
    _check_files(wanted)
    return wanted


def _without_account(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    return {name: value for name, value in entry.items() if name != "service_account"}


def _account_of(entry: Any) -> dict[str, Any]:
    """Return the service account of an entry of ``zones``, where it has one of its own."""
    name = entry.get("service_account") if isinstance(entry, Mapping) else None
    return {} if is_blank(name) else {"service_account": name}


def _accounts(target: Target, options: Mapping[str, Any]) -> tuple[AccountOptions, ...]:
    entries = as_list("accounts", options.get("accounts"))
    try:
        if not entries:
            return (_account(target, options, {}),)
        found = tuple(_account(target, options, _entry(entry)) for entry in entries)
    except InvalidOptionError as error:
        raise error.at(zone=target.zone.name) from None
    keys = [account.key for account in found]
    double = sorted({key for key in keys if keys.count(key) > 1})
    if double:
        raise InvalidOptionError(f"accounts names {', '.join(double)} more than once", zone=target.zone.name)
    return found


def _entry(entry: Any) -> dict[str, Any]:
    """Return an entry of ``accounts``; a text is the name of a service account."""
    if isinstance(entry, str) and not is_blank(entry):
        return {"service_account": entry.strip()}
    if not isinstance(entry, Mapping):
        raise InvalidOptionError("an entry of accounts is neither a name nor a dictionary")
    known = {"namespace", *_ALIASES, *OF_ACCOUNT}
    unknown = sorted(str(name) for name in entry if name not in known)
    if unknown:
        raise InvalidOptionError(
            f"an entry of accounts has the unknown key {', '.join(unknown)}",
            hint=f"Known are {', '.join(sorted(known))}",
        )
    return {_ALIASES.get(str(name), str(name)): value for name, value in entry.items() if not is_blank(value)}


def _account(target: Target, task: Mapping[str, Any], entry: Mapping[str, Any]) -> AccountOptions:
    def value(name: str) -> Any:
        found = entry.get(name)
        if not is_blank(found):
            return found
        if entry and (name == "token_file" or (name in _NAMES and "service_account" in entry)):
            return ""
        found = task.get(name)
        return OF_ACCOUNT.get(name, {}).get("default") if is_blank(found) else found

    namespace = str(entry.get("namespace") or target.namespace or "").strip()
    name = str(value("service_account") or "").strip()
    if not namespace:
        raise InvalidOptionError(
            f"nothing names the namespace of the service account {name}",
            hint="Give namespace, or a namespace in its entry of accounts",
        )
    kind, expiration = _chosen("kind", value("kind")), seconds_of("expiration", value("expiration"))
    if kind == "bound" and expiration < SHORTEST:
        raise InvalidOptionError(
            f"cannot get a bound token for {name}: expiration {value('expiration')} may not specify a duration less "
            "than 10 minutes",
            hint="Give 10m or more",
        )
    return AccountOptions(
        namespace=_name("namespace", namespace),
        service_account=_name("service_account", name),
        state=_chosen("state", value("state")),
        role=_segment("role", value("role")),
        role_binding=_segment("role_binding", value("role_binding")),
        secret_name=_name("secret_name", str(value("secret_name") or "").strip() or f"{name}-secret"),
        kind=kind,
        expiration=expiration,
        rotate=_bool("rotate", value("rotate")),
        grace=seconds_of("grace", value("grace")),
        adopt=_bool("adopt", value("adopt")),
        image_streams=tuple(
            _name("image_streams", one) for one in as_texts("image_streams", value("image_streams")) or ()
        ),
        labels=_marks("labels", value("labels")),
        annotations=_marks("annotations", value("annotations")),
        token_file=str(value("token_file") or ""),
    )


def _check_files(wanted: Sequence[ZoneAccounts]) -> None:
    files = [account.token_file for zone in wanted for account in zone.accounts if account.token_file]
    double = sorted({file for file in files if files.count(file) > 1})
    if double:
        raise InvalidOptionError(
            f"token_file {double[0]} is one file for several tokens",
            hint="Give each entry of accounts its own, and run one task for each zone",
        )


def _name(option: str, value: str) -> str:
    if not _NAME.fullmatch(value):
        raise InvalidOptionError(
            f"{option} {value[:80]!r} is not a name that objects can have",
            hint="Lower case letters, digits, '-' and '.' are allowed",
        )
    return value


def _segment(option: str, value: Any) -> str:
    text = str(value or "").strip()
    if text and (not _SEGMENT.fullmatch(text) or text in (".", "..")):
        raise InvalidOptionError(f"{option} {text[:80]!r} is not a name that roles and bindings can have")
    return text


def _chosen(option: str, value: Any) -> str:
    if value not in _CHOICES[option]:
        raise InvalidOptionError(f"{option} {value!r} is not one of {', '.join(_CHOICES[option])}")
    return str(value)


def _bool(option: str, value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in _TRUE + _FALSE:
        raise InvalidOptionError(f"{option} {value!r} is neither true nor false")
    return text in _TRUE


def _marks(option: str, value: Any) -> dict[str, str]:
    found = as_mapping(option, value) or {}
    return {name: str(text).lower() if isinstance(text, bool) else str(text) for name, text in found.items()}
