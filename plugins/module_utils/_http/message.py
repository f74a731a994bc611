# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes over the wire: origins, requests, bodies that can be opened again, responses; pure."""

from __future__ import annotations

import re
from email.message import Message
from typing import Any, Mapping, NamedTuple, Protocol
from urllib.parse import quote, urljoin, urlsplit

from .._errors import InvalidOptionError, without_userinfo
from .._json import parse_json

BLOCK_SIZE = 256 * 1024
_LOOPBACK = re.compile(r"127(?:\.\d{1,3}){3}")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?|[0-9a-f:.]*:[0-9a-f:.]*(?:%[a-z0-9._-]+)?")
_VISIBLE = re.compile(r"[!-~]*")
_HEADER_VALUE = re.compile(r"[\t -~\x80-\xff]*")
_RESERVED = "!#$%&'()*+,/:;=?@[]~"


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


class Origin(NamedTuple):
    """Scheme, host and port: what a connection, and a credential, belongs to (RFC 6454)."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """Return the origin of an absolute URL; raises ValueError as ``split_url``."""
        return split_url(url)[0]

    @classmethod
    def given(cls, url: str) -> Origin:
        """Return the origin of a URL that a user gave; raises InvalidOptionError."""
        try:
            return cls.of(url)
        except ValueError as error:
            raise InvalidOptionError(
                f"{without_userinfo(url)} is no address of a server: {error}", hint="Write it as https://HOST:PORT"
            ) from None

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


def split_url(url: str, base: str = "") -> tuple[Origin, str]:
    """Return the origin of a URL and its request target, path and query; ``base`` is what it is relative to.

    Raises ValueError, which says why, for an address that no request can be made to.
    """
    parts = urlsplit(urljoin(base, url.strip()))
    scheme = parts.scheme.lower()
    if scheme not in ("http", "https"):
        raise ValueError(f"its scheme is {scheme or 'missing'}, not http or https")
    host = (parts.hostname or "").lower()
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    if not _HOST.fullmatch(host):
        raise ValueError("its host is not the name or address of one")
    port = parts.port
    if port == 0:
        raise ValueError("its port is 0")
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    if not _VISIBLE.fullmatch(target):
        target = quote(target, safe=_RESERVED)
    return Origin(scheme, host, port or (443 if scheme == "https" else 80)), target


def is_header_value(text: str) -> bool:
    """Whether a text can be sent as the value of a header (RFC 9110, 5.5): Latin-1 without line ends."""
    return bool(_HEADER_VALUE.fullmatch(text))


class Request(NamedTuple):
    """One request to one origin; ``target`` is path and query."""

    method: str
    target: str
    headers: Mapping[str, str] = {}
    body: Body | None = None
    offset: int = 0

    def __repr__(self) -> str:
        """Leave out the headers, which hold credentials."""
        return f"Request({self.method!r}, {self.target!r})"


class Response:
    """An answer that was read to its end."""

    def __init__(self, status: int, headers: Message | None = None, body: bytes = b"") -> None:
        self.status = status
        self.headers = Message() if headers is None else headers
        self.body = body

    def __repr__(self) -> str:
        """Leave out headers and body, which may hold a token."""
        return f"Response({self.status})"

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


class BytesBody:
    """A body that is in memory: a manifest, a form."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        return len(self.content)

    def open(self, offset: int = 0) -> Reader:
        """Return a reader of the body from ``offset`` on."""
        return _BytesReader(self.content[offset:])
