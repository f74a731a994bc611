# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the Secrets with a service account's tokens, each used once while the account lives; pure.

A token in a Secret has no time in it: a Secret of the same name for the same account holds the same token. So a
rotation takes the next number, ``image-pusher-secret-2`` and so on, and the account keeps the highest number as an
annotation. Source: Kubernetes, ``pkg/serviceaccount/legacy.go`` (the claims of such a token).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .._json import JsonError, parse_json
from . import objects
from .objects import LiveObject

# On the service account: by the first Secret's name the highest number that was used, as JSON.
USED = "registry.appuio.cloud/token-secrets"


@dataclass(frozen=True)
class SecretOptions:
    """What is wanted: the first Secret's name, whether to rotate, and seconds for which an old token lives on."""

    namespace: str
    service_account: str
    secret_name: str
    rotate: bool = False
    grace: int = 3600
    adopt: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


def next_name(options: SecretOptions, account: LiveObject | None, found: Sequence[LiveObject], least: int = 1) -> str:
    """Return the next name that was never used while the account lives, and that nothing else has."""
    taken = {_name(one) for one in found}
    numbers = [number_of(options, _name(one)) for one in numbered(options, found)]
    number = max([*numbers, used_number(options, account), least - 1]) + 1
    while name_of(options, number) in taken:
        number += 1
    return name_of(options, number)


def used_number(options: SecretOptions, account: LiveObject | None) -> int:
    """Return the highest number that the account tells was used for a Secret; 0 where it tells none."""
    return _used(account).get(options.secret_name, 0)


def used_annotation(options: SecretOptions, account: LiveObject | None, number: int) -> dict[str, str]:
    """Return the annotation of the account that tells this number."""
    return {USED: json.dumps({**_used(account), options.secret_name: number}, sort_keys=True)}


def number_of(options: SecretOptions, name: str) -> int:
    """Return 1 for the first Secret's name, n for the name with -n, and 0 for any other."""
    if name == options.secret_name:
        return 1
    match = re.fullmatch(re.escape(options.secret_name) + r"-([2-9]|[1-9][0-9]{1,8})", name)
    return int(match.group(1)) if match else 0


def name_of(options: SecretOptions, number: int) -> str:
    """Return the name of the Secret with this number."""
    return options.secret_name if number == 1 else f"{options.secret_name}-{number}"


def numbered(options: SecretOptions, found: Sequence[LiveObject]) -> list[LiveObject]:
    """Return the token Secrets of the account that have the first one's name or a number after it, in order."""
    tokens = [
        one for one in found if objects.is_token_of(one, options.service_account) and number_of(options, _name(one))
    ]
    return sorted(tokens, key=lambda secret: number_of(options, _name(secret)))


def _used(account: LiveObject | None) -> dict[str, int]:
    text = objects.annotated(account, USED) if account else None
    try:
        found = parse_json(text) if text else {}
    except JsonError:
        found = {}
    if not isinstance(found, dict):
        return {}
    return {name: number for name, number in found.items() if isinstance(number, int) and 0 < number < 10**9}


def _name(secret: LiveObject) -> str:
    return str(secret["metadata"]["name"])
