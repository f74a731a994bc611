# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry side of a zone: a real registry, and in front of it what makes it answer as OpenShift's does."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..api.authentication import ANONYMOUS, Authentication
from ..http.exchange import Exchange
from .blobs import Blobs
from .errors import HEADERS, RegistryError, not_found, registry_error
from .manifests import Manifests
from .rights import Access, FrontRights
from .upstream import Upstream, UpstreamGone

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
NAME = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"\w[\w.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_ROUTES = (
    ("signatures", re.compile(rf"/extensions/v2/(?P<name>{NAME})/signatures/(?P<digest>{_DIGEST})"), ("GET", "PUT")),
    ("base", re.compile(r"/v2/"), ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")),
    ("catalog", re.compile(r"/v2/_catalog"), ("GET",)),
    ("tags", re.compile(rf"/v2/(?P<name>{NAME})/tags/list"), ("GET",)),
    (
        "manifest",
        re.compile(rf"/v2/(?P<name>{NAME})/manifests/(?P<reference>{_DIGEST}|{_TAG})", re.ASCII),
        ("DELETE", "GET", "HEAD", "PUT"),
    ),
    ("blob", re.compile(rf"/v2/(?P<name>{NAME})/blobs/(?P<digest>{_DIGEST})"), ("DELETE", "GET", "HEAD")),
    ("start", re.compile(rf"/v2/(?P<name>{NAME})/blobs/uploads/"), ("POST",)),
    (
        "upload",
        re.compile(rf"/v2/(?P<name>{NAME})/blobs/uploads/(?P<upload>[a-zA-Z0-9_.=-]+)"),
        ("DELETE", "GET", "HEAD", "PATCH", "PUT"),
    ),
)


class Front:
    """Answers what comes to the registry's address."""

    def __init__(
        self,
        authentication: Authentication,
        rights: FrontRights,
        blobs: Blobs,
        manifests: Manifests,
        upstream_address: Callable[[], tuple[str, int]],
        api_runs: Callable[[], bool],
    ) -> None:
        self._authentication = authentication
        self._rights = rights
        self._blobs = blobs
        self._manifests = manifests
        self._upstream_address = upstream_address
        self._api_runs = api_runs

    def handle(self, exchange: Exchange) -> None:
        """Answer one request."""
        try:
            self._route(exchange)
        except RegistryError as error:
            exchange.reply(error.status, error.body, [*HEADERS, *error.headers])
        except UpstreamGone:
            # What the router in front of a real registry says while no pod of it is ready.
            exchange.reply(
                503, b"<html><body>Application is not available</body></html>\n", [("Content-Type", "text/html")]
            )

    def _route(self, exchange: Exchange) -> None:
        if fault := exchange.fault("revoke_token"):
            del fault
            if given := exchange.credentials():
                self._authentication.revoke(given[1], delay=0.0)
        path = exchange.path
        if path in ("/", "/healthz"):
            exchange.reply(200, b"", [("Cache-Control", "no-cache")])
            return
        if path == "/openshift/token":
            self._token(exchange)
            return
        if path == "/v2":
            raise RegistryError(
                301,
                b'<a href="/v2/">Moved Permanently</a>.\n\n',
                [("Location", "/v2/"), ("Content-Type", "text/html; charset=utf-8")],
            )
        for kind, pattern, methods in _ROUTES:
            if found := pattern.fullmatch(path):
                if exchange.method not in methods:
                    raise RegistryError(
                        405,
                        b"Method not allowed\n",
                        [("Allow", ", ".join(methods)), ("Content-Type", "text/plain; charset=utf-8")],
                    )
                self._answer(exchange, kind, found.groupdict())
                return
        raise not_found()

    def _answer(self, exchange: Exchange, kind: str, parts: dict[str, str]) -> None:
        name = parts.get("name", "")
        access = Access.of(exchange, kind, name)
        user = self._rights.check(exchange, access, api_runs=self._api_runs())
        exchange.record.user = user.name
        if kind == "base":
            exchange.reply(200, b"{}", [*HEADERS, ("Content-Type", "application/json")])
            return
        upstream = exchange.local.get("upstream")
        if upstream is None:
            upstream = exchange.local["upstream"] = Upstream(self._upstream_address)
        if kind in ("start", "upload", "blob"):
            self._blobs.handle(exchange, upstream, kind, parts, may_mount=access.may_mount)
            return
        if not self._api_runs():
            raise registry_error(500, "UNKNOWN", "unknown error", {})
        if kind == "catalog":
            self._manifests.catalog(exchange)
        elif kind == "signatures":
            exchange.reply_json(200, {"signatures": []}, HEADERS)
        elif kind == "tags":
            self._manifests.tags(exchange, name)
        else:
            self._manifests.handle(exchange, upstream, name, parts["reference"], user)

    def _token(self, exchange: Exchange) -> None:
        """The token endpoint, which echoes the token it is given."""
        json_headers = [*HEADERS[:1], ("Content-Type", "application/json")]
        if exchange.method != "GET":
            raise RegistryError(405, b"", [])
        scope = exchange.query.get("scope", "")
        parts = scope.split(":")
        if parts[0] == "repository" and len(parts) > 2 and parts[1].count("/") != 1:
            form = "it must be of the format \\u003cproject\\u003e/\\u003cname\\u003e"
            raise self._details(f'repository name \\"{parts[1]}\\" invalid: {form}')
        if "Authorization" not in exchange.headers:
            exchange.reply_json(200, {"access_token": "anonymous", "token": "anonymous"}, HEADERS[:1])
            return
        given = exchange.credentials()
        if given is None or given[0] != "basic" or not given[1]:
            raise RegistryError(401, b"", json_headers)
        if not self._api_runs():
            raise self._details("unable to validate token")
        user = self._authentication.user(given[1])
        if user is None or user is ANONYMOUS:
            raise RegistryError(401, b"", json_headers)
        exchange.record.user = user.name
        exchange.reply_json(200, {"access_token": given[1], "token": given[1]}, HEADERS[:1])

    @staticmethod
    def _details(text: str) -> RegistryError:
        return RegistryError(401, f'{{"details":"{text}"}}'.encode(), [("Content-Type", "application/json")])
