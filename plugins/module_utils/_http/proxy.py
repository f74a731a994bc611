# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which proxy leads to an origin: the option, else the environment by the standard library's rules."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from .._errors import InvalidOptionError
from .message import Origin


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy; ``headers`` carry what it wants to know of us and go to nobody else."""

    host: str
    port: int
    headers: dict[str, str] = field(default_factory=dict, repr=False)


def proxy_for(origin: Origin, option: str | None) -> Proxy | None:
    """Return the proxy for an origin, or None for the direct way; raises InvalidOptionError."""
    if option:
        return _parsed(option)
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    address = proxies.get(origin.scheme) or proxies.get("all")
    if not address or proxy_bypass(origin.authority):
        return None
    return _parsed(address)


def _parsed(address: str) -> Proxy:
    parts = urlsplit(address if "://" in address else f"http://{address}")
    try:
        host, port = parts.hostname, parts.port or 3128
    except ValueError:
        host, port = None, 0
    if parts.scheme != "http" or not host:
        raise InvalidOptionError("the proxy is not http://[user:password@]host:port")
    headers = {}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return Proxy(host, port, headers)
