# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones and their addresses; pure.

Source: APPUiO Cloud documentation, "Zones": an API and a registry per zone, named after the zone.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from ._errors import InvalidOptionError, without_userinfo

DEFAULT_BASE_DOMAIN = "appuio.cloud"
API_PORT = 6443
# Where the pods of a zone pull from (OpenShift documentation, "Accessing the registry").
INTERNAL_REGISTRY = "image-registry.openshift-image-registry.svc:5000"

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_AUTHORITY = re.compile(rf"(?:\[[0-9a-fA-F:.]+\]|{_NAME}(?:\.{_NAME})*)(?::[0-9]{{1,5}})?")


class Zone(NamedTuple):
    """One zone: ``name`` for messages, ``registry`` as ``host[:port]``, ``host`` as the API's URL."""

    name: str
    registry: str | None
    host: str | None


def zone_registry(zone: str, base_domain: str = DEFAULT_BASE_DOMAIN) -> str:
    """Return the host of a zone's registry; raises InvalidOptionError for what is no zone identifier."""
    return f"registry.{_zone_identifier(zone)}.{base_domain}"


def zone_api(zone: str, base_domain: str = DEFAULT_BASE_DOMAIN) -> str:
    """Return the URL of a zone's API; raises InvalidOptionError for what is no zone identifier."""
    return f"https://api.{_zone_identifier(zone)}.{base_domain}:{API_PORT}"


def resolve_zone(
    zone: str | None = None,
    base_domain: str | None = None,
    registry: str | None = None,
    host: str | None = None,
) -> Zone:
    """Return the addresses that the options give: an explicit one wins over what the zone gives.

    Raises InvalidOptionError when nothing names a zone, or when an address cannot be one.
    """
    if not (zone or registry or host):
        raise InvalidOptionError(
            "no zone is named: give zone, or registry and host", hint="A variable that is empty names none"
        )
    domain = base_domain or DEFAULT_BASE_DOMAIN
    registry = registry_host(registry) if registry else None
    host = api_url(host) if host else None
    if zone:
        registry = registry or zone_registry(zone, domain)
        host = host or zone_api(zone, domain)
    return Zone(name=zone or registry or host or "", registry=registry, host=host)


def same_server(one: str, other: str) -> bool:
    """Tell whether two URLs are of one server, whatever their spelling."""

    def authority(url: str) -> tuple[str | None, int]:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        return parts.hostname, parts.port or (80 if parts.scheme == "http" else 443)

    return authority(one) == authority(other)


def registry_host(value: str) -> str:
    """Return ``host[:port]`` of a registry; a scheme and trailing slashes are dropped."""
    text = _public("registry", value)
    if "://" in text:
        scheme, text = text.split("://", 1)
        if scheme.lower() not in ("http", "https", "docker"):
            raise InvalidOptionError(f"registry {value!r} has the unknown scheme {scheme!r}")
    text = text.rstrip("/")
    if not _AUTHORITY.fullmatch(text):
        raise InvalidOptionError(
            f"registry {value!r} is not host[:port]", hint="Name only the registry, without a path"
        )
    _check_port("registry", value, text)
    return text.lower()


def api_url(value: str) -> str:
    """Return the URL of an API without trailing slash; a missing scheme means https."""
    text = _public("host", value)
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not _AUTHORITY.fullmatch(parts.netloc):
        raise InvalidOptionError(f"host {value!r} is not the URL of an API", hint="Write it as https://HOST:6443")
    _check_port("host", value, parts.netloc)
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _public(option: str, value: str) -> str:
    """Return the value without blanks around it; raises InvalidOptionError, without the secret, for one with a
    user name or password in it."""
    shown = without_userinfo(value.strip())
    if shown != value.strip():
        raise InvalidOptionError(
            f"{option} {shown!r} was given with a user name or password in it",
            hint="Give token, or username and password",
        )
    return shown


def _check_port(option: str, value: str, authority: str) -> None:
    port = authority.rpartition(":")[2]
    if port.isdigit() and ":" in authority and not 0 < int(port) < 65536:
        raise InvalidOptionError(f"{option} {value!r} has a port outside 1-65535")


def _zone_identifier(zone: str) -> str:
    if not _LABEL.fullmatch(zone):
        raise InvalidOptionError(
            f"zone {zone!r} is not a zone identifier",
            hint="Zones are named like cloudscale-lpg-2: lower-case letters, digits and hyphens. "
            "The address of an API is the option host, that of a registry the option registry",
        )
    return zone
