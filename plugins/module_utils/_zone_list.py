# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of zones, from an inventory file or the control API: hosts, their variables and groups; pure.

Source: APPUiO Cloud documentation, "Zones": identifiers are ``<provider>-<region>[-<n>]``; the control
API's ``appuio.io/v1`` kind ``Zone``, in which any address may be missing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._argspec import CONNECTION, CREDENTIALS, ZONE
from ._errors import InvalidOptionError
from ._zone import DEFAULT_BASE_DOMAIN, resolve_zone

ADDRESS = ("zone", "base_domain", "registry", "host", "name")
# Variables that are given without the prefix by mistake: a module's option is a variable with it.
_OPTIONS = frozenset(
    name
    for spec in (ZONE, CREDENTIALS, CONNECTION)
    for option, rule in spec.options.items()
    for name in (option, *rule.get("aliases", ()))
)
_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")


@dataclass(frozen=True)
class ZoneHost:
    """A zone as an inventory host; ``provider`` and ``region`` are empty where no identifier tells them."""

    name: str
    variables: dict[str, Any] = field(default_factory=dict)
    provider: str = ""
    region: str = ""


def zone_hosts(entries: Sequence[Any], base_domain: str = DEFAULT_BASE_DOMAIN) -> list[ZoneHost]:
    """Return a host for each entry of the list; raises InvalidOptionError for what cannot be meant."""
    hosts = [_host(entry, base_domain) for entry in entries]
    names = [host.name for host in hosts]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidOptionError(f"zones has {', '.join(twice)} more than once", hint="Give each its own name")
    return hosts


def hosts_of_control_api(items: Sequence[Mapping[str, Any]], base_domain: str = DEFAULT_BASE_DOMAIN) -> list[ZoneHost]:
    """Return a host for each Zone object; an address of the object wins over what the zone's name gives."""
    return [_host_of_object(item, base_domain) for item in items]


def provider_and_region(zone: str) -> tuple[str, str]:
    """Return provider and region of a zone identifier, ``("cloudscale", "lpg")`` of ``cloudscale-lpg-2``."""
    provider, _separator, rest = zone.partition("-")
    region, _separator, number = rest.rpartition("-")
    return provider, region if region and number.isdigit() else rest


def check_keys(given: Iterable[Any], known: Iterable[str], where: str) -> None:
    """Raise InvalidOptionError for a key that is a misspelled one of those known.

    A misspelled address would send a token to the default one.
    """
    names = list(known)
    for key in (str(key) for key in given):
        near = difflib.get_close_matches(key, names, 1, 0.75) if key not in names else []
        if near:
            raise InvalidOptionError(f"{where} has the unknown key {key}", hint=f"Is {near[0]} meant?")


def _check_entry(entry: Mapping[Any, Any], where: str) -> None:
    check_keys(entry, ADDRESS, where)
    for key in (str(key) for key in entry):
        if key in _OPTIONS and key not in ADDRESS:
            raise InvalidOptionError(
                f"{where} has the unknown key {key}", hint=f"Variables of a zone have a prefix: appuio_{key}"
            )


def _host(entry: Any, base_domain: str) -> ZoneHost:
    given = {"zone": entry} if isinstance(entry, str) else entry
    if not isinstance(given, Mapping):
        raise InvalidOptionError(f"{entry!r} in zones is neither a zone identifier nor a dictionary")
    zone = given.get("zone")
    if "://" in str(zone):
        raise InvalidOptionError(
            f"{zone!r} in zones is a URL, not a zone identifier", hint="Write it as host or registry"
        )
    _check_entry(given, f"the entry {given.get('name') or zone or ''} of zones")
    name = given.get("name") or zone
    if not name or not (zone or (given.get("registry") and given.get("host"))):
        raise InvalidOptionError("an entry of zones has neither zone, nor name, registry and host")
    if not _HOST_NAME.fullmatch(str(name)):
        raise InvalidOptionError(f"{name!r} cannot be the name of an inventory host")
    resolved = resolve_zone(zone, given.get("base_domain") or base_domain, given.get("registry"), given.get("host"))
    variables = {"appuio_zone": zone or name, "appuio_registry": resolved.registry, "appuio_host": resolved.host}
    variables.update({key: value for key, value in given.items() if key not in ADDRESS})
    provider, region = provider_and_region(zone) if zone else ("", "")
    return ZoneHost(str(name), variables, provider, region)


def _host_of_object(item: Mapping[str, Any], base_domain: str) -> ZoneHost:
    name = str((item.get("metadata") or {}).get("name") or "")
    data = item.get("data") or {}
    urls = data.get("urls") or {}
    resolved = resolve_zone(name, base_domain, urls.get("registry"), urls.get("kubernetesAPI"))
    variables = {"appuio_zone": name, "appuio_registry": resolved.registry, "appuio_host": resolved.host}
    more = {
        "appuio_display_name": data.get("displayName"),
        "appuio_console": urls.get("console"),
        "appuio_app_domain": data.get("defaultAppDomain"),
        "appuio_features": data.get("features"),
    }
    variables.update({key: value for key, value in more.items() if value})
    provider, region = provider_and_region(name)
    cloud = data.get("cloudProvider") or {}
    return ZoneHost(name, variables, str(cloud.get("name") or provider), str(cloud.get("region") or region))
