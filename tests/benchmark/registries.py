# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real CNCF Distribution registries: behind a log for what is counted, behind a route or a slow network when asked."""

from __future__ import annotations

import json
import ssl
import urllib.request
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.zone import Distribution
from tests.zone.authority import Authority
from tests.zone.process.registry import RegistryProcess

from .network import Network
from .route import Route

_ACCEPTED = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


@dataclass(frozen=True)
class Registry:
    """A registry that runs: ``address`` is host and port, ``ca_file`` is None without TLS."""

    address: str
    ca_file: Path | None = None
    log: Distribution | None = None

    def manifest(self, repository: str, tag: str) -> tuple[str, dict[str, Any]]:
        """Return digest and content of what a tag points to; raises OSError."""
        scheme = "https" if self.ca_file else "http"
        request = urllib.request.Request(f"{scheme}://{self.address}/v2/{repository}/manifests/{tag}")
        request.add_header("Accept", ", ".join(_ACCEPTED))
        context = ssl.create_default_context(cafile=str(self.ca_file)) if self.ca_file else None
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.headers["Docker-Content-Digest"], json.load(answer)

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests since they were forgotten last; none where nothing is logged."""
        return [] if self.log is None else self.log.requests()

    def forget_requests(self) -> None:
        """Forget the requests so far."""
        if self.log is not None:
            self.log.clear_requests()


class Registries:
    """Registries of one kind, started when they are asked for, and stopped together.

    With ``routed``, haproxy is in front of each, with ``network`` at the far end of that as well.
    """

    def __init__(
        self, folder: Path, *, tls: bool, counted: bool, routed: bool = False, network: Network | None = None
    ) -> None:
        self._folder = folder
        self._tls = tls
        self._counted = counted
        self._routed = routed
        self._network = network
        self._running: dict[str, Registry] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Registries:
        return self

    def __exit__(self, *_ignored: object) -> None:
        self._stack.close()

    def zones(self, number: int) -> list[Registry]:
        """Return so many registries to push to."""
        return [self._get(f"zone-{index + 1}") for index in range(number)]

    def source(self) -> Registry:
        """Return the registry to copy from."""
        return self._get("source")

    def _get(self, name: str) -> Registry:
        if name not in self._running:
            folder = self._folder / name
            folder.mkdir(parents=True)
            with self._network.far() if self._network else nullcontext():
                registry = self._logged(folder) if self._counted else self._plain(folder)
                self._running[name] = self._behind_route(folder, registry) if self._routed else registry
        return self._running[name]

    def _behind_route(self, folder: Path, registry: Registry) -> Registry:
        assert registry.ca_file is not None
        address = self._network.far_address if self._network else "127.0.0.1"
        route = Route(folder / "route", address, registry.address, registry.ca_file)
        self._stack.callback(route.stop)
        route.start()
        return Registry(route.host, route.ca_file, registry.log)

    def _logged(self, folder: Path) -> Registry:
        registry = self._stack.enter_context(Distribution(folder, tls=self._tls))
        return Registry(registry.registry, Path(registry.ca_file) if registry.ca_file else None, registry)

    def _plain(self, folder: Path) -> Registry:
        http: dict[str, Any] = {"addr": "127.0.0.1:0", "secret": "not one"}
        ca_file = None
        if self._tls:
            authority = Authority(folder, "ca")
            certificate, key = authority.certificate("registry", ["127.0.0.1", "localhost"])
            http["tls"] = {"certificate": str(certificate), "key": str(key)}
            ca_file = authority.ca_file
        process = RegistryProcess(folder, http_secret="not one", extra={"http": http})
        process.start()
        self._stack.callback(process.stop)
        host, port = process.address
        return Registry(f"{host}:{port}", ca_file)
