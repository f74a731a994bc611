# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a kubeconfig logs in, where and how, read by ``kubernetes.config``.

Source: Kubernetes documentation, "Organizing Cluster Access Using kubeconfig Files" (merging, contexts), and
"client-go credential plugins".
"""

from __future__ import annotations

import logging
import os
import threading
import traceback
from dataclasses import dataclass, field
from typing import Any, Mapping

from .._errors import AppuioError, InvalidOptionError, MissingLibraryError
from .._openshift.client import IMPORTING
from .._zone import api_url, same_server

PLUGIN_SECONDS = 60.0
_OTHER_MEANS = (
    ("client-certificate", "a client certificate"),
    ("client-certificate-data", "a client certificate"),
    ("exec", "an exec plugin"),
    ("auth-provider", "an auth provider"),
    ("username", "a user name and a password"),
)


@dataclass(frozen=True)
class Login:
    """A context: its server, how that is reached and trusted, and who is logged in; ``means`` says it in words."""

    server: str
    context: str
    user: str
    means: str
    token: str | None = field(default=None, repr=False)
    ca_cert: str | None = None
    verify: bool = True
    client_cert: str | None = None
    client_key: str | None = field(default=None, repr=False)
    tls_server_name: str | None = None
    proxy: str | None = field(default=None, repr=False)


def load_login(files: str, context: str | None, host: str | None, directory: str) -> Login:
    """Return who the files (separated as in ``KUBECONFIG``) log in at ``host``; None: at the context's own server.

    Without ``context`` it is the current one, or the only one whose server is ``host``. Certificates that stand
    in a file are written into ``directory``. Raises InvalidOptionError where it is about another cluster, and
    AppuioError for what cannot be read, and for an exec plugin that fails.
    """
    try:
        with IMPORTING:
            from kubernetes.client import Configuration
            from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger
    except ImportError:
        raise MissingLibraryError("kubernetes", "to read a kubeconfig", traceback.format_exc()) from None
    if not any(os.path.exists(os.path.expanduser(one)) for one in files.split(os.pathsep) if one):
        raise InvalidOptionError(f"the kubeconfig {files} does not exist", hint="Run oc login first")
    try:
        merger: Any = KubeConfigMerger(files)  # type: ignore[no-untyped-call]
        document = {**_mapping(_plain(merger.config)), **_first_current(merger.config_files)}
        chosen = _context_of(document, context, host, files)
        loader = KubeConfigLoader(  # type: ignore[no-untyped-call]
            merger.config, active_context=chosen, config_base_path=None, temp_file_path=directory or None
        )
    except AppuioError:
        raise
    except Exception as error:  # yaml, ConfigException, and whatever a document of another shape makes of it
        raise InvalidOptionError(f"{files} cannot be read as a kubeconfig: {_reason(error)}") from None
    entry = _mapping(_named(document, "contexts", chosen).get("context"))
    user = _named(document, "users", entry.get("user"))
    configuration = Configuration()
    configuration.verify_ssl = True
    failure = _loaded(loader, configuration, files)
    token = _bearer(configuration)
    means = next((words for name, words in _OTHER_MEANS if _mapping(user.get("user")).get(name)), "no credential")
    if means == "an exec plugin" and not token and not configuration.cert_file:
        raise AppuioError(f"the exec plugin of {files} gave no token: {failure or 'it gave no reason'}")
    return Login(
        server=api_url(str(configuration.host)),
        context=chosen,
        user=str(user.get("name") or ""),
        means=means,
        token=token,
        ca_cert=configuration.ssl_ca_cert or None,
        verify=bool(configuration.verify_ssl),
        client_cert=configuration.cert_file or None,
        client_key=configuration.key_file or None,
        tls_server_name=getattr(configuration, "tls_server_name", None) or None,
        proxy=_mapping(_named(document, "clusters", entry.get("cluster")).get("cluster")).get("proxy-url"),
    )


def _context_of(document: Mapping[str, Any], context: str | None, host: str | None, files: str) -> str:
    """Return the context that is meant; raises InvalidOptionError where that is none, or of another cluster."""
    servers = _servers(document)
    name = str(context or document.get("current-context") or "")
    if context and context not in servers:
        raise InvalidOptionError(f"{files} has no context {context!r} with a server", hint=_known(servers))
    if host and not (name in servers and same_server(servers[name], host)):
        others = [one for one, server in servers.items() if same_server(server, host)]
        if context or not others:
            where = f"logged in to {servers[name]}, not to {host}" if name in servers else f"not about {host}"
            raise InvalidOptionError(
                f"the kubeconfig is {where}", hint="Name the context of this zone, or log in to it with oc login"
            )
        if len(others) > 1:
            raise InvalidOptionError(
                f"{files} has several contexts for {host}: {', '.join(sorted(others))}", hint="Name one with context"
            )
        return others[0]
    if not name:
        raise InvalidOptionError(f"{files} has no current context", hint=_known(servers))
    if name not in servers:
        raise InvalidOptionError(f"{files} has no context {name!r} with a server", hint=_known(servers))
    return name


def _first_current(files: Mapping[str, Any]) -> dict[str, str]:
    """Return the current context as kubectl takes it, of the first file that names one; the library takes the last."""
    named = [_mapping(content).get("current-context") for content in files.values()]
    return {"current-context": str(next((name for name in named if name), ""))}


def _servers(document: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for entry in document.get("contexts") or ():
        context = _mapping(_mapping(entry).get("context"))
        cluster = _mapping(_named(document, "clusters", context.get("cluster")).get("cluster"))
        if cluster.get("server"):
            found[str(entry.get("name"))] = str(cluster["server"])
    return found


def _loaded(loader: Any, configuration: Any, files: str) -> str:
    """Fill the configuration; return what went wrong with an exec plugin, which the library only logs."""
    kept = _Kept()
    root = logging.getLogger()
    ended: list[BaseException | None] = []

    def load() -> None:
        try:
            loader.load_and_set(configuration)
            ended.append(None)
        except BaseException as error:
            ended.append(error)

    root.addHandler(kept)
    try:
        # In a thread, as the library waits for a plugin for ever, and some wait for a browser.
        thread = threading.Thread(target=load, daemon=True)
        thread.start()
        thread.join(PLUGIN_SECONDS)
    finally:
        root.removeHandler(kept)
    if not ended:
        raise AppuioError(f"the exec plugin of {files} gave no answer within {PLUGIN_SECONDS:g} s")
    if ended[0] is not None:
        raise InvalidOptionError(f"{files} cannot be used: {_reason(ended[0])}")
    return kept.text


class _Kept(logging.Handler):
    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = self.text or " ".join(record.getMessage().split())[:300]


def _bearer(configuration: Any) -> str | None:
    """Return the token alone; the library keeps it with its scheme, under one of two names."""
    for name in ("BearerToken", "authorization"):
        scheme, _space, token = str(configuration.api_key.get(name) or "").strip().partition(" ")
        if scheme == "Bearer" and token.strip():
            return token.strip()
    return None


def _known(servers: Mapping[str, str]) -> str:
    return f"It has the contexts {', '.join(sorted(servers))}" if servers else "Run oc login first"


def _named(document: Mapping[str, Any], kind: str, name: Any) -> Mapping[str, Any]:
    entries = document.get(kind) or ()
    return next((entry for entry in entries if isinstance(entry, Mapping) and entry.get("name") == name), {})


def _plain(value: Any) -> Any:
    """Return what the library has merged, without the wrappers that say which file each part is from."""
    value = getattr(value, "value", value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _reason(error: BaseException) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"no YAML in line {mark.line + 1}, column {mark.column + 1}"
    return " ".join(str(error).split())[:300] or type(error).__name__
