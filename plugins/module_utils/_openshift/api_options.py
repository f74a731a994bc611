# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``kubernetes.core`` for one zone: where, who and how in, its option names out; pure.

``kubernetes.core`` mixes options, environment and kubeconfig freely, so that a token could go to another
cluster than it belongs to. Here a zone's address comes with a credential that is meant for it, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._errors import InvalidOptionError
from .._zone import DEFAULT_BASE_DOMAIN, api_url, same_server, zone_api

HOW = ("ca_cert", "client_cert", "client_key", "proxy")
DEFAULT_KUBECONFIG = "~/.kube/config"


def api_options(given: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the connection options of ``kubernetes.core`` for these of ours.

    ``given`` has ``zone``, ``base_domain``, ``host``, ``token``, ``username``, ``password``, ``kubeconfig``,
    ``context``, ``validate_certs`` and the names in ``HOW``; what is empty is not given. Without zone and
    host and without any credential, the result leaves everything to ``kubernetes.core``. Raises
    InvalidOptionError when two kinds of credential are given, when none is, or when the environment is about
    another cluster.
    """
    said = {name: value for name, value in given.items() if value not in (None, "")}
    host = host_of(said)
    options = {name: said[name] for name in HOW if name in said}
    options["validate_certs"] = said.get("validate_certs", True)
    kinds = [
        name
        for name, members in (
            ("token", ("token",)),
            ("username and password", ("username", "password")),
            ("kubeconfig", ("kubeconfig", "context")),
        )
        if any(member in said for member in members)
    ]
    if len(kinds) > 1:
        raise InvalidOptionError(f"{' and '.join(kinds)} are given: give one kind of credential")
    if "username" in said or "password" in said:
        return {**options, **_password(said, host)}
    _not_of_another_cluster(host, environment, kinds)
    if "token" in said:
        return {**options, **_token(str(said["token"]), host or environment.get("K8S_AUTH_HOST", ""))}
    if "kubeconfig" in said or "context" in said:
        return {**options, **_kubeconfig(said, environment)}
    token = environment.get("APPUIO_TOKEN") or environment.get("K8S_AUTH_API_KEY")
    if token:
        return {**options, **_token(token, host or environment.get("K8S_AUTH_HOST", ""))}
    if environment.get("K8S_AUTH_KUBECONFIG"):
        return {**options, "kubeconfig": environment["K8S_AUTH_KUBECONFIG"]}
    if host:
        raise InvalidOptionError(
            f"no credential is given for {host}",
            hint="Give a token, username and password, or a kubeconfig, or set APPUIO_TOKEN",
        )
    return options


def host_of(given: Mapping[str, Any]) -> str:
    """Return the URL of the API that the options name, empty when they name none; raises InvalidOptionError."""
    if given.get("host"):
        return api_url(str(given["host"]))
    if given.get("zone"):
        return zone_api(str(given["zone"]), str(given.get("base_domain") or DEFAULT_BASE_DOMAIN))
    return ""


def kubeconfig_server(kubeconfig: Mapping[str, Any], context: str | None = None) -> str:
    """Return the API's URL of a kubeconfig's context, by default its current one; raises InvalidOptionError."""
    name = context or kubeconfig.get("current-context")
    entry = _named(kubeconfig.get("contexts"), name).get("context") or {}
    server = (_named(kubeconfig.get("clusters"), entry.get("cluster")).get("cluster") or {}).get("server")
    if not server:
        raise InvalidOptionError(
            f"the kubeconfig has no context {name!r} with a server" if name else "no current context"
        )
    return str(server)


def check_kubeconfig(kubeconfig: Mapping[str, Any], context: str | None, host: str) -> None:
    """Raise InvalidOptionError when a kubeconfig's context is about another cluster than ``host``."""
    server = kubeconfig_server(kubeconfig, context)
    if not same_server(server, host):
        raise InvalidOptionError(
            f"the kubeconfig is logged in to {server}, not to {host}",
            hint="Name the context of this zone, or log in to it",
        )


def _token(token: str, host: str) -> dict[str, Any]:
    if not host:
        raise InvalidOptionError("a token is given, but no zone", hint="Give zone or host")
    return {"host": host, "api_key": token}


def _password(said: Mapping[str, Any], host: str) -> dict[str, Any]:
    if not ("username" in said and "password" in said):
        raise InvalidOptionError("username and password go together")
    if not host:
        raise InvalidOptionError("username and password are given, but no zone", hint="Give zone or host")
    return {"host": host, "username": said["username"], "password": said["password"]}


def _kubeconfig(said: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    path = said.get("kubeconfig") or environment.get("KUBECONFIG") or DEFAULT_KUBECONFIG
    if ":" in path:
        raise InvalidOptionError(
            "KUBECONFIG names several files", hint="Name the one to use with the kubeconfig option"
        )
    context = {"context": said["context"]} if "context" in said else {}
    return {"kubeconfig": path, **context}


def _not_of_another_cluster(host: str, environment: Mapping[str, str], kinds: list[str]) -> None:
    other = environment.get("K8S_AUTH_HOST")
    if host and other and "token" not in kinds and not same_server(other, host):
        raise InvalidOptionError(
            f"K8S_AUTH_HOST is {other}, but the zone's API is {host}",
            hint="Credentials of one cluster are not sent to another: give the task its own",
        )


def _named(entries: Any, name: Any) -> Mapping[str, Any]:
    return next((entry for entry in entries or () if entry.get("name") == name), {})
