# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a kubeconfig logs in, where, and with which token: what ``oc whoami -t`` prints.

Source: Kubernetes documentation, "Organizing Cluster Access Using kubeconfig Files" (merging, contexts).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import dataclass, field
from typing import Any, Mapping

from .._errors import AppuioError, InvalidOptionError, MissingLibraryError
from .._openshift.api_options import check_kubeconfig, kubeconfig_server
from .auth_paths import home
from .exec_plugin import plugin_token
from .kinds import Kubeconfig
from .token import checked_token

_LISTS = ("clusters", "contexts", "users")
_OTHER_MEANS = (
    ("client-certificate", "a client certificate"),
    ("client-certificate-data", "a client certificate"),
    ("auth-provider", "an auth provider"),
    ("username", "a user name and a password"),
)


@dataclass(frozen=True)
class Login:
    """A context of a kubeconfig: its server, how that is trusted, and who is logged in."""

    server: str
    token: str = field(repr=False)
    ca_file: str | None = None
    ca_data: bytes | None = field(default=None, repr=False)
    verify: bool = True


def kubeconfig_login(kind: Kubeconfig, host: str | None, environment: Mapping[str, str]) -> Login:
    """Return who a kubeconfig logs in.

    Raises InvalidOptionError where it is about another cluster than that of ``host`` (None: any), or gives no
    token that a registry takes.
    """
    paths = kubeconfig_paths(kind, environment)
    document = _merged(paths)
    name = kind.context or document.get("current-context")
    if not name:
        raise InvalidOptionError(f"{_shown(paths)} has no current context", hint="Name one with context")
    server = kubeconfig_server(document, str(name))
    if host:
        check_kubeconfig(document, str(name), host)
    context = _named(document, "contexts", str(name)).get("context") or {}
    cluster = _named(document, "clusters", context.get("cluster")).get("cluster") or {}
    user = _named(document, "users", context.get("user"))
    token = _token(user.get("user") or {}, str(user.get("name") or ""), _shown(paths), environment)
    return Login(
        server=server,
        token=checked_token(token, f"the token of the context {name} in {_shown(paths)}"),
        ca_file=cluster.get("certificate-authority"),
        ca_data=_decoded(cluster.get("certificate-authority-data"), _shown(paths)),
        verify=not cluster.get("insecure-skip-tls-verify"),
    )


def kubeconfig_paths(kind: Kubeconfig, environment: Mapping[str, str]) -> list[str]:
    """Return the files: the one named, else those of KUBECONFIG, else the one in the home directory."""
    named = kind.path or environment.get("K8S_AUTH_KUBECONFIG")
    if named:
        return [os.path.expanduser(named)]
    several = [path for path in environment.get("KUBECONFIG", "").split(os.pathsep) if path]
    return several or [os.path.join(home(environment), ".kube", "config")]


def _merged(paths: list[str]) -> dict[str, Any]:
    """The first file that says something wins; of several, those that do not exist are left out."""
    merged: dict[str, Any] = {name: [] for name in _LISTS}
    found = [path for path in paths if len(paths) == 1 or os.path.exists(path)]
    if not found:
        raise InvalidOptionError(f"none of the kubeconfig files {_shown(paths)} exists", hint="Run oc login first")
    for path in found:
        document = _read(path)
        merged.setdefault("current-context", document.get("current-context") or None)
        merged["current-context"] = merged["current-context"] or document.get("current-context")
        for name in _LISTS:
            known = {entry.get("name") for entry in merged[name]}
            entries = [entry for entry in document.get(name) or () if isinstance(entry, dict)]
            merged[name] += [_anchored(entry, path) for entry in entries if entry.get("name") not in known]
    return merged


def _read(path: str) -> Mapping[str, Any]:
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except FileNotFoundError:
        raise InvalidOptionError(f"the kubeconfig {path} does not exist", hint="Run oc login first") from None
    except (OSError, UnicodeDecodeError) as error:
        raise AppuioError(
            f"the kubeconfig {path} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
    document = _parsed(text, path)
    if not isinstance(document, Mapping):
        raise InvalidOptionError(f"{path} is no kubeconfig")
    return document


def _parsed(text: str, path: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        import yaml
    except ImportError:
        raise MissingLibraryError("PyYAML", "to read a kubeconfig that is written in YAML") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InvalidOptionError(f"the kubeconfig {path} is no YAML{where}") from None


def _anchored(entry: dict[str, Any], path: str) -> dict[str, Any]:
    """Relative paths in a kubeconfig start at its folder."""
    anchored = dict(entry)
    for kind, member in (("cluster", "certificate-authority"), ("user", "tokenFile")):
        value = entry.get(kind)
        if isinstance(value, dict) and value.get(member):
            anchored[kind] = {**value, member: os.path.join(os.path.dirname(path), str(value[member]))}
    return anchored


def _token(user: Mapping[str, Any], name: str, shown: str, environment: Mapping[str, str]) -> str:
    if user.get("tokenFile"):
        try:
            with open(user["tokenFile"], encoding="ascii") as stream:
                return stream.read()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or error
            raise AppuioError(f"the token file {user['tokenFile']} of {shown} cannot be read: {why}") from None
    if user.get("token"):
        return str(user["token"])
    if user.get("exec"):
        return plugin_token(user["exec"], environment)
    means = next((words for member, words in _OTHER_MEANS if user.get(member)), "no credential")
    raise InvalidOptionError(
        f"user {name!r} of {shown} has {means}, which gives no token that a registry takes",
        hint="Log in with oc login, or name a context that has a token",
    )


def _decoded(data: Any, shown: str) -> bytes | None:
    if not data:
        return None
    try:
        return base64.b64decode(str(data), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidOptionError(f"the certificate-authority-data of {shown} is no base64") from None


def _named(document: Mapping[str, Any], kind: str, name: Any) -> Mapping[str, Any]:
    return next((entry for entry in document[kind] if entry.get("name") == name), {})


def _shown(paths: list[str]) -> str:
    return os.pathsep.join(paths)
