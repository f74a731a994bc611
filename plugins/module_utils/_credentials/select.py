# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way to be somebody a target has: exactly one, from its options or else from the environment.

The environment's variables are those of ``kubernetes.core``, with ``APPUIO_TOKEN`` before and
``REGISTRY_AUTH_FILE`` (containers-auth.json(5)) after them. What only some need is imported when it is chosen.
"""

from __future__ import annotations

from typing import Mapping

from .._errors import InvalidOptionError
from .._targets import RunContext, Target
from .._zone import same_server
from .method import Method, TokenMethod

_OWN = (
    ("token", ("token",)),
    ("username and password", ("password",)),
    ("kubeconfig", ("kubeconfig", "context")),
    ("auth_file", ("auth_file",)),
)
_VARIABLES = ("APPUIO_TOKEN", "K8S_AUTH_API_KEY", "K8S_AUTH_PASSWORD", "K8S_AUTH_KUBECONFIG", "REGISTRY_AUTH_FILE")
_HINT = (
    "Give token, username and password, kubeconfig, or auth_file, or set APPUIO_TOKEN, one of the K8S_AUTH_* variables "
    "or REGISTRY_AUTH_FILE. A variable of a role or playbook that is empty, as oc whoami -t leaves it without a login, "
    "gives none"
)


def select_method(target: Target, context: RunContext) -> Method:
    """Return who a target is, checked; asks no server.

    Raises InvalidOptionError when that is not one credential for one cluster.
    """
    try:
        method = _selected(target, context)
        method.validate()
        return method
    except InvalidOptionError as error:
        raise error.at(zone=target.zone.name) from None


def _selected(target: Target, context: RunContext) -> Method:
    who = target.who
    for name, value in who.items():
        if not isinstance(value, str) or not value.strip():
            raise InvalidOptionError(
                f"{name} is empty" if value in ("", None) or isinstance(value, str) else f"{name} is not a text",
                hint="The variable or command that it comes from gave nothing",
            )
    if ":" in str(who.get("username") or ""):
        raise InvalidOptionError(f"username {who['username']!r} holds a colon, which separates it from the password")
    own = _own_method(target, context)
    if "username" in who and own is None:
        raise InvalidOptionError("username needs password", hint="Give both, or the username with a token")
    method = own or _environment_method(target, context)
    _check_cluster(target, context.environment, method)
    if method is None:
        empty = [name for name in _VARIABLES if context.environment.get(name, "-").strip() == ""]
        blank = f": the variable {', '.join(empty)} is empty" if empty else ""
        raise InvalidOptionError(f"no credential is given{blank}", hint=_HINT)
    return _as_account(method) if who.get("service_account") else method


def _own_method(target: Target, context: RunContext) -> Method | None:
    who = target.who
    kinds = [kind for kind, members in _OWN if any(member in who for member in members)]
    if len(kinds) > 1:
        raise InvalidOptionError(f"{', '.join(kinds)} are given", hint="Give one kind of credential")
    if "password" in who and "username" not in who:
        raise InvalidOptionError("password needs username")
    if "token" in who:
        return TokenMethod(target, context, "the option token", name="token", secret=who["token"])
    if "password" in who:
        origin = "the options username and password"
        return _password(target, context, origin, who["username"], who["password"])
    if "kubeconfig" in who or "context" in who:
        return _kubeconfig(target, context, "the option kubeconfig", who.get("kubeconfig"), who.get("context"))
    if "auth_file" in who:
        return _auth_file(target, context, "the option auth_file", who["auth_file"])
    return None


def _environment_method(target: Target, context: RunContext) -> Method | None:
    """A cluster's credential from the environment goes only to a registry that is known to be that cluster's."""
    environment = context.environment
    found: Method | None = None
    token = next((name for name in ("APPUIO_TOKEN", "K8S_AUTH_API_KEY") if environment.get(name)), None)
    username, password = environment.get("K8S_AUTH_USERNAME"), environment.get("K8S_AUTH_PASSWORD")
    path, name = environment.get("K8S_AUTH_KUBECONFIG"), environment.get("K8S_AUTH_CONTEXT")
    if token:
        found = TokenMethod(target, context, token, name=token, secret=environment[token])
    elif username and password:
        found = _password(target, context, "K8S_AUTH_USERNAME and K8S_AUTH_PASSWORD", username, password)
    elif path or name:
        origin = "K8S_AUTH_KUBECONFIG" if path else "K8S_AUTH_CONTEXT"
        found = _kubeconfig(target, context, origin, path or None, name or None)
    elif environment.get("REGISTRY_AUTH_FILE"):
        found = _auth_file(target, context, "REGISTRY_AUTH_FILE", environment["REGISTRY_AUTH_FILE"])
    if found is not None:
        found.from_environment = True
        if target.zone.host is None and found.origin.startswith("K8S_AUTH_"):
            raise InvalidOptionError(
                f"nothing says that the registry {target.zone.registry} belongs to the cluster of {found.origin}",
                hint="Give zone or host, or give the task a credential of its own",
            )
    return found


def _check_cluster(target: Target, environment: Mapping[str, str], method: Method | None) -> None:
    """A variable about another cluster than the zone means a mistake, unless the task's own credential is complete."""
    other, host = environment.get("K8S_AUTH_HOST"), target.zone.host
    complete = method is not None and not method.from_environment and not method.names_a_cluster
    if complete or not (other and host) or same_server(other, host):
        return
    raise InvalidOptionError(
        f"K8S_AUTH_HOST is {other}, but the zone's API is {host}",
        hint="Credentials of one cluster are not sent to another: give the task its own",
    )


def _as_account(method: Method) -> Method:
    from .service_account_method import ServiceAccountMethod

    account = str(method.target.who["service_account"])
    if not method.reaches_api:
        raise InvalidOptionError(
            f"service_account {account} is read from the API, to which auth_file gives no access",
            hint="Give token, username and password, or kubeconfig with it",
        )
    found = ServiceAccountMethod(method.target, method.context, method.origin, account=account, access=method)
    found.from_environment = method.from_environment
    return found


def _password(target: Target, context: RunContext, origin: str, user: str, secret: str) -> Method:
    from .password_method import PasswordMethod

    return PasswordMethod(target, context, origin, user=user, secret=secret)


def _kubeconfig(target: Target, context: RunContext, origin: str, path: str | None, name: str | None) -> Method:
    from .kubeconfig_method import KubeconfigMethod

    return KubeconfigMethod(target, context, origin, path=path, named_context=name)


def _auth_file(target: Target, context: RunContext, origin: str, path: str) -> Method:
    from .auth_file import AuthFileMethod

    return AuthFileMethod(target, context, origin, path=path)
