# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which proxy leads to an origin: the option, else HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.

The variables are read as curl reads them: in lower case first, and HTTP_PROXY in lower case only where a web
server may have set it. NO_PROXY holds names, which stand for what is below them, too, addresses and networks.
"""

from __future__ import annotations

import base64
import os
from typing import Mapping, NamedTuple
from urllib.parse import unquote, urlsplit

from .._errors import InvalidOptionError
from .message import Origin


class Proxy(NamedTuple):
    """An HTTP proxy; ``headers`` carry what it wants to know of us and go to nobody else."""

    origin: Origin
    headers: dict[str, str]

    def __repr__(self) -> str:
        """Leave out the headers, which hold the password."""
        return f"Proxy({self.origin})"


def proxy_for(origin: Origin, option: str | None, environment: Mapping[str, str] | None = None) -> Proxy | None:
    """Return the proxy for an origin, or None for the direct way; raises InvalidOptionError."""
    if option:
        return _parsed("proxy", option)
    environment = os.environ if environment is None else environment
    for name in (f"{origin.scheme}_proxy", "all_proxy"):
        upper = name.upper()
        if upper == "HTTP_PROXY" and "REQUEST_METHOD" in environment:
            upper = name
        address = environment.get(name) or environment.get(upper)
        if address:
            excluded = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
            return None if _is_excluded(origin, excluded) else _parsed(upper, address)
    return None


def _parsed(option: str, address: str) -> Proxy:
    """A proxy without a port is on the port of its scheme, as for curl and Go (Python's own client takes 80)."""
    text = address.strip()
    parts, origin = urlsplit(""), None
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        origin = Origin.of(f"{parts.scheme}://{parts.netloc}")
    except ValueError:
        # What is wrong stays unsaid, as the address may hold a password.
        pass
    if origin is None:
        what = (
            f"names a {parts.scheme} proxy"
            if parts.scheme.isalnum() and parts.scheme not in ("http", "https")
            else ("is not the address of a proxy")
        )
        raise InvalidOptionError(
            f"{option} {what}", hint="Write it as http://[user:password@]host:port, or https:// for TLS to the proxy"
        )
    headers = {}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return Proxy(origin, headers)


def _is_excluded(origin: Origin, excluded: str) -> bool:
    for entry in excluded.replace(",", " ").lower().split():
        if entry == "*":
            return True
        if "/" in entry:
            if _is_in_network(origin.host, entry):
                return True
            continue
        host, colon, port = entry.rpartition(":")
        if not (colon and port.isdigit() and (":" not in host or host.endswith("]"))):
            host, port = entry, ""
        host = host.strip("[]").lstrip("*").lstrip(".")
        below = host and (origin.host == host or origin.host.endswith(f".{host}"))
        if below and (not port or int(port) == origin.port):
            return True
    return False


def _is_in_network(host: str, network: str) -> bool:
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
