# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task is about: its zones, who it is there, how they are reached, and what it knows of where it runs; pure.

An entry of ``zones`` takes what it does not say from the task. Credentials are taken whole: an entry
that says who it is gets nothing of the task's credentials.
"""

from __future__ import annotations

import base64
from typing import Any, Callable, Mapping, NamedTuple, Sequence

from ._errors import InvalidOptionError
from ._reference import checked_namespace
from ._zone import Zone, resolve_zone, same_server

WHERE = ("zone", "base_domain", "registry", "host", "namespace")
WHO = ("token", "username", "password", "kubeconfig", "context", "service_account", "auth_file")
HOW = (
    "validate_certs",
    "plain_http",
    "ca_cert",
    "registry_ca_cert",
    "client_cert",
    "client_key",
    "proxy",
    "timeout",
    "retries",
    "retry_delay",
)
DEFAULT_USERNAME = "serviceaccount"
# What stands in the environment for us alone, and for no program that is started for a task.
SECRET_VARIABLES = ("APPUIO_TOKEN", "K8S_AUTH_API_KEY", "K8S_AUTH_PASSWORD")


def _ignored(_value: str) -> None:
    """Take no notice."""


def _as_given(_options: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Take it as it is."""
    return dict(given)


class RunContext(NamedTuple):
    """What a task may know of where it runs, handed in so that it can be tested without it.

    ``register_secret`` keeps a value out of all output; ``return_secret`` lets it stand in the result of a
    success, for a module whose result is a secret. ``typed`` reads a mapping from a file as the options of a task
    are read, by their declarations: it raises InvalidOptionError, and keeps what is secret out of all output.
    """

    environment: Mapping[str, str] = {}
    temporary_directory: str = ""
    register_secret: Callable[[str], None] = _ignored
    warn: Callable[[str], None] = _ignored
    return_secret: Callable[[str], None] = _ignored
    typed: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]] = _as_given

    def __repr__(self) -> str:
        """Leave out the environment, which may hold secrets."""
        return f"RunContext({self.temporary_directory!r})"


class Credential(NamedTuple):
    """A user name and the secret that goes with it.

    ``is_token`` says that ``secret`` is a token of the zone's API, which OpenShift's registry takes
    as a bearer token; otherwise it is a password. ``origin`` tells the user where it came from.
    """

    secret: str
    username: str = DEFAULT_USERNAME
    is_token: bool = True
    origin: str = "token"

    def __repr__(self) -> str:
        """Leave out the secret."""
        return f"Credential(username={self.username!r}, is_token={self.is_token!r}, origin={self.origin!r})"


def basic(credential: Credential) -> str:
    """Return ``user:secret`` in base64, as auth files and the Basic scheme (RFC 7617) have it."""
    return base64.b64encode(f"{credential.username}:{credential.secret}".encode()).decode()


class Connection(NamedTuple):
    """How to reach a server; ``timeout`` and ``retry_delay`` in seconds."""

    validate_certs: bool = True
    plain_http: bool = False
    ca_cert: str | None = None
    registry_ca_cert: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    proxy: str | None = None
    timeout: float = 60
    retries: int = 5
    retry_delay: float = 1.0


class Target(NamedTuple):
    """One zone of the task: where, in which namespace, who (options as given) and how."""

    zone: Zone
    namespace: str | None
    who: Mapping[str, Any]
    connection: Connection = Connection()

    def __repr__(self) -> str:
        """Leave out who, which holds secrets."""
        return f"Target({self.zone!r}, {self.namespace!r}, {self.connection!r})"


def targets_from(options: Mapping[str, Any], registry: bool = False, namespace: bool = False) -> list[Target]:
    """Return a target for each zone the options name, in their order; asks nobody.

    ``registry`` and ``namespace`` say that each zone needs one. Raises InvalidOptionError for what cannot be meant.
    """
    targets = _targets_of(options)
    for target in targets:
        try:
            _check(target, registry, namespace)
        except InvalidOptionError as error:
            raise error.at(zone=target.zone.name if options.get("zones") else None) from None
    return targets


def source_target(
    given: Mapping[str, Any],
    options: Mapping[str, Any],
    namespace: str | None = None,
    known: Sequence[Mapping[str, Any]] = (),
) -> Target:
    """Return the zone that the images of a task come from, with its registry and ``namespace``; asks nobody.

    What it does not say is said by what is ``known`` of the same zone, then by the task's zone, and at last by the task
    itself. But a token of the task is for the task's zones alone. Raises InvalidOptionError.
    """
    entry = _entry(given)
    zone = _zone_of(entry, options)
    zones = options.get("zones")
    ours = _of_same_zone(entry, zone, zones or [_without_none(options, (*WHERE, *WHO))], options)
    layers = [entry, *_of_same_zone(entry, zone, known, options), *ours]
    who = next((own for own in (_without_none(layer, WHO) for layer in layers) if own), {})
    merged: dict[str, Any] = {}
    for layer in reversed(layers):
        merged.update({name: value for name, value in layer.items() if name not in WHO})
    merged["namespace"] = entry.get("namespace") or namespace or merged.get("namespace")
    target = _target({**merged, **who}, options)
    if "token" in target.who and not (who or ours):
        raise InvalidOptionError(
            f"zone {zone.name} has no credential of its own, and the task's token is for the zones of the task",
            hint="Give it one in source_zone, such as token",
        )
    _check(target, registry=True, namespace=True)
    return target


def _of_same_zone(
    entry: Mapping[str, Any], zone: Zone, others: Sequence[Any], task: Mapping[str, Any]
) -> list[dict[str, Any]]:
    named = [one for one in map(_entry, others) if any(one.get(name) for name in ("zone", "registry", "host"))]
    return [one for one in named if _is_same(entry, zone, _zone_of(one, task))]


def _check(target: Target, registry: bool, namespace: bool) -> None:
    if namespace or target.namespace is not None:
        checked_namespace(target.namespace)
    if registry and target.zone.registry is None:
        raise InvalidOptionError(f"zone {target.zone.name} has no registry", hint="Give zone or registry")


def _zone_of(entry: Mapping[str, Any], task: Mapping[str, Any]) -> Zone:
    domain = entry.get("base_domain") or task.get("base_domain")
    return resolve_zone(entry.get("zone"), domain, entry.get("registry"), entry.get("host"))


def _is_same(entry: Mapping[str, Any], zone: Zone, other: Zone) -> bool:
    """Whether an entry means another zone: by its name alone, and by its addresses where it gives any of them."""
    if not any(entry.get(name) for name in ("base_domain", "registry", "host")):
        return zone.name == other.name
    if entry.get("host") and not (zone.host and other.host and same_server(zone.host, other.host)):
        return False
    return zone.registry is not None and zone.registry == other.registry


def _without_none(options: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: options[name] for name in names if options.get(name) is not None}


def _targets_of(options: Mapping[str, Any]) -> list[Target]:
    entries = options.get("zones")
    if entries is None:
        return [_target(options, {})]
    if not entries:
        raise InvalidOptionError("zones is empty: name at least one zone")
    for name in ("zone", "registry", "host"):
        if options.get(name):
            raise InvalidOptionError(f"zones and {name} exclude each other", hint="Put it into the entries of zones")
    targets = [_target(_entry(entry), options) for entry in entries]
    names = [target.zone.name for target in targets]
    for name in names:
        if names.count(name) > 1:
            raise InvalidOptionError(f"zones names {name} more than once")
    return targets


def _entry(entry: Any) -> dict[str, Any]:
    if isinstance(entry, str):
        return {"zone": entry}
    if not isinstance(entry, Mapping):
        raise InvalidOptionError("an entry of zones is neither a zone identifier nor a dictionary")
    return {str(name): value for name, value in entry.items() if value is not None}


def _target(entry: Mapping[str, Any], task: Mapping[str, Any]) -> Target:
    def given(name: str) -> Any:
        value = entry.get(name)
        return task.get(name) if value is None else value

    own = _without_none(entry, WHO)
    who = own or _without_none(task, WHO)
    how = {name: given(name) for name in HOW if given(name) is not None}
    return Target(zone=_zone_of(entry, task), namespace=given("namespace"), who=who, connection=_connection(how))


def _connection(how: Mapping[str, Any]) -> Connection:
    connection = Connection(**how)
    if connection.client_key and not connection.client_cert:
        raise InvalidOptionError("client_key needs client_cert")
    if connection.timeout <= 0 or connection.retries < 0 or connection.retry_delay < 0:
        raise InvalidOptionError("timeout must be above 0, retries and retry_delay not below 0")
    return connection
