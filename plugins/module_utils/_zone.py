# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones and their addresses; pure.

Source: APPUiO Cloud documentation, "Zones": an API and a registry per zone, named after the zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ._errors import InvalidOptionError

DEFAULT_BASE_DOMAIN = "appuio.cloud"
API_PORT = 6443

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_AUTHORITY = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:[0-9]{1,5})?")


@dataclass(frozen=True)
class Zone:
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
        raise InvalidOptionError("no zone is named: give zone, or registry and host")
    domain = base_domain or DEFAULT_BASE_DOMAIN
    registry = registry_host(registry) if registry else None
    host = api_url(host) if host else None
    if zone:
        registry = registry or zone_registry(zone, domain)
        host = host or zone_api(zone, domain)
    return Zone(name=zone or registry or host or "", registry=registry, host=host)


def registry_host(value: str) -> str:
    """Return ``host[:port]`` of a registry; a scheme and trailing slashes are dropped."""
    text = value.strip()
    if "://" in text:
        scheme, text = text.split("://", 1)
        if scheme.lower() not in ("http", "https", "docker"):
            raise InvalidOptionError(f"registry {value!r} has the unknown scheme {scheme!r}")
    text = text.rstrip("/")
    if not _AUTHORITY.fullmatch(text):
        raise InvalidOptionError(
            f"registry {value!r} is not host[:port]", hint="Name only the registry, without a path"
        )
    if text.rpartition(":")[2].isdigit() and not 0 < int(text.rpartition(":")[2]) < 65536:
        raise InvalidOptionError(f"registry {value!r} has a port outside 1-65535")
    return text.lower()


def api_url(value: str) -> str:
    """Return the URL of an API without trailing slash; a missing scheme means https."""
    text = value.strip() if "://" in value else f"https://{value.strip()}"
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not _AUTHORITY.fullmatch(parts.netloc):
        raise InvalidOptionError(f"host {value!r} is not the URL of an API", hint="Write it as https://HOST:6443")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _zone_identifier(zone: str) -> str:
    if not _LABEL.fullmatch(zone):
        raise InvalidOptionError(
            f"zone {zone!r} is not a zone identifier",
            hint="Zones are named like cloudscale-lpg-2: lower-case letters, digits and hyphens",
        )
    return zone
