# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes over the wire: origins, requests, bodies that can be opened again, responses; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Mapping, Protocol
from urllib.parse import urlsplit

from .._json import parse_json

BLOCK_SIZE = 256 * 1024
_LOOPBACK = re.compile(r"127(?:\.\d{1,3}){3}")


class Reader(Protocol):
    """A stream of bytes that fills a caller's buffer."""

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer from its start; return the number of bytes, 0 at the end."""

    def close(self) -> None:
        """Give back what the reader holds."""


class Body(Protocol):
    """The body of a request; it can be opened again, at any offset, for a retry."""

    @property
    def length(self) -> int:
        """Bytes of the whole body."""

    def open(self, offset: int = 0) -> Reader:
        """Return a reader of the body from ``offset`` on."""


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port: what a connection, and a credential, belongs to (RFC 6454)."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """Return the origin of an absolute URL."""
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        return cls(scheme, (parts.hostname or "").lower(), parts.port or (443 if scheme == "https" else 80))

    @property
    def authority(self) -> str:
        """``host[:port]`` as the Host header has it, without the scheme's own port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether what is sent there stays on this host (RFC 1122, 3.2.1.3; RFC 4291, 2.5.3)."""
        return self.host in ("localhost", "::1") or bool(_LOOPBACK.fullmatch(self.host))

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True)
class Request:
    """One request to one origin; ``target`` is path and query."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Body | None = None
    offset: int = 0


@dataclass(frozen=True)
class Response:
    """An answer that was read to its end."""

    status: int
    headers: Message = field(default_factory=Message)
    body: bytes = b""

    def json(self) -> Any:
        """Return the body's JSON value, or None when it is not JSON."""
        try:
            return parse_json(self.body)
        except ValueError:
            return None


class _BytesReader:
    def __init__(self, content: bytes) -> None:
        self._rest = memoryview(content)

    def readinto(self, buffer: memoryview) -> int:
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        self._rest.release()


@dataclass(frozen=True)
class BytesBody:
    """A body that is in memory: a manifest, a form."""

    content: bytes = field(repr=False)

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        return len(self.content)

    def open(self, offset: int = 0) -> Reader:
        """Return a reader of the body from ``offset`` on."""
        return _BytesReader(self.content[offset:])
