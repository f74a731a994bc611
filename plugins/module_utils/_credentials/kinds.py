# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kind of credential a target has: exactly one, from its options or else from the environment; pure.

The environment's variables are those of ``kubernetes.core``, with ``APPUIO_TOKEN`` before and
``REGISTRY_AUTH_FILE`` (containers-auth.json(5)) after them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

from .._credential import DEFAULT_USERNAME
from .._errors import InvalidOptionError
from .._targets import Target
from .._zone import same_server
from .token import checked_token

_OWN = (
    ("token", ("token",)),
    ("username and password", ("password",)),
    ("kubeconfig", ("kubeconfig", "context")),
    ("auth_file", ("auth_file",)),
)
_ADVICE = (
    "Give token, username and password, kubeconfig, or auth_file, or set APPUIO_TOKEN, one of the K8S_AUTH_* variables "
    "or REGISTRY_AUTH_FILE"
)


@dataclass(frozen=True)
class Token:
    """A token of the zone's API."""

    secret: str
    source: str

    def __repr__(self) -> str:
        return f"Token({self.source})"


@dataclass(frozen=True)
class Password:
    """A user who gets a token from the zone's OAuth server."""

    username: str
    secret: str
    source: str

    def __repr__(self) -> str:
        return f"Password({self.source})"


@dataclass(frozen=True)
class Kubeconfig:
    """A kubeconfig file, by default the one that ``oc`` uses, and a context, by default its current one."""

    path: str | None
    context: str | None
    source: str


@dataclass(frozen=True)
class AuthFile:
    """A file with credentials that are already stored."""

    path: str
    source: str


@dataclass(frozen=True)
class Choice:
    """Who a target is: by one ``kind``, or with it as access to the API by a ``service_account``.

    ``username`` is what a registry is told, ``environment`` whether the credential came from there.
    """

    kind: Token | Password | Kubeconfig | AuthFile
    service_account: str | None
    username: str
    environment: bool


def choose(target: Target, environment: Mapping[str, str]) -> Choice:
    """Return who a target is; raises InvalidOptionError when that is not one credential for one cluster."""
    try:
        return _choose(target, environment)
    except InvalidOptionError as error:
        error.at(zone=target.zone.name)
        raise


def check_credentials(targets: list[Target], environment: Mapping[str, str]) -> None:
    """Raise InvalidOptionError unless each target has exactly one kind of credential; asks no server."""
    for target in targets:
        choose(target, environment)


def _choose(target: Target, environment: Mapping[str, str]) -> Choice:
    who = target.who
    for name, value in who.items():
        if not isinstance(value, str) or not value.strip():
            raise InvalidOptionError(f"{name} is empty" if value in ("", None) else f"{name} is not a text")
    username = str(who.get("username") or DEFAULT_USERNAME)
    if ":" in username:
        raise InvalidOptionError(f"username {username!r} holds a colon, which separates it from the password")
    own = _own_kind(who)
    if "username" in who and not own:
        raise InvalidOptionError("username needs password", hint="Give both, or the username with a token")
    _check_cluster(target, environment, own)
    kind = own or _environment_kind(environment)
    if kind is None:
        raise InvalidOptionError("no credential is given", hint=_ADVICE)
    if own is None:
        _check_registry(target, kind)
    account = who.get("service_account")
    if account:
        _check_account(account, target, kind)
    return Choice(kind, account, username, own is None)


def _own_kind(who: Mapping[str, str]) -> Token | Password | Kubeconfig | AuthFile | None:
    kinds = [kind for kind, members in _OWN if any(member in who for member in members)]
    if len(kinds) > 1:
        raise InvalidOptionError(f"{', '.join(kinds)} are given", hint="Give one kind of credential")
    if "password" in who and "username" not in who:
        raise InvalidOptionError("password needs username")
    if "token" in who:
        return Token(checked_token(who["token"], "token"), "the option token")
    if "password" in who:
        return Password(who["username"], who["password"], "the options username and password")
    if "kubeconfig" in who or "context" in who:
        return Kubeconfig(who.get("kubeconfig"), who.get("context"), "the option kubeconfig")
    if "auth_file" in who:
        return AuthFile(who["auth_file"], "the option auth_file")
    return None


def _environment_kind(environment: Mapping[str, str]) -> Token | Password | Kubeconfig | AuthFile | None:
    for name in ("APPUIO_TOKEN", "K8S_AUTH_API_KEY"):
        if environment.get(name):
            return Token(checked_token(environment[name], name), name)
    username, password = environment.get("K8S_AUTH_USERNAME"), environment.get("K8S_AUTH_PASSWORD")
    if username and password:
        if ":" in username:
            raise InvalidOptionError("K8S_AUTH_USERNAME holds a colon, which separates it from the password")
        return Password(username, password, "K8S_AUTH_USERNAME and K8S_AUTH_PASSWORD")
    path, context = environment.get("K8S_AUTH_KUBECONFIG"), environment.get("K8S_AUTH_CONTEXT")
    if path or context:
        return Kubeconfig(path or None, context or None, "K8S_AUTH_KUBECONFIG" if path else "K8S_AUTH_CONTEXT")
    if environment.get("REGISTRY_AUTH_FILE"):
        return AuthFile(environment["REGISTRY_AUTH_FILE"], "REGISTRY_AUTH_FILE")
    return None


def _check_cluster(target: Target, environment: Mapping[str, str], own: object) -> None:
    """A variable about another cluster than the zone means a mistake, unless the task's own credential is complete."""
    other, host = environment.get("K8S_AUTH_HOST"), target.zone.host
    if isinstance(own, (Token, Password, AuthFile)) or not (other and host):
        return
    if not same_server(other, host):
        raise InvalidOptionError(
            f"K8S_AUTH_HOST is {other}, but the zone's API is {host}",
            hint="Credentials of one cluster are not sent to another: give the task its own",
        )


def _check_registry(target: Target, kind: Token | Password | Kubeconfig | AuthFile) -> None:
    """A cluster's credential from the environment goes only to a registry that is known to be that cluster's."""
    if target.zone.host is None and kind.source.startswith("K8S_AUTH_"):
        raise InvalidOptionError(
            f"nothing says that the registry {target.zone.registry} belongs to the cluster of {kind.source}",
            hint="Give zone or host, or give the task a credential of its own",
        )


def _check_account(account: str, target: Target, kind: object) -> None:
    if not target.namespace:
        raise InvalidOptionError("service_account needs namespace")
    if isinstance(kind, AuthFile):
        raise InvalidOptionError(
            f"service_account {account} is read from the API, to which auth_file gives no access",
            hint="Give token, username and password, or kubeconfig with it",
        )
