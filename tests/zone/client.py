# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain HTTP client of a zone, for tests: no retries, no credentials of its own."""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .api.manifest import OCI_INDEX, OCI_MANIFEST, TYPES
from .zone import Zone

ACCEPT = ", ".join(TYPES)
# Seconds after which what hangs is given up; no slow machine comes near it.
GUARD = 600.0


@dataclass
class Reply:
    """An answer that was read."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The first error code of a registry's answer."""
        code: str = self.json["errors"][0]["code"]
        return code


class Client:
    """Sends requests to one side of a zone, with a token or without."""

    def __init__(self, zone: Zone, token: str | None = None, side: str = "registry") -> None:
        self.token = token
        self._address = zone.registry if side == "registry" else urlsplit(zone.host).netloc
        self._tls = ssl.create_default_context(cafile=zone.registry_ca_file if side == "registry" else zone.ca_file)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send a request on a connection of its own; ``Content_Type=…`` becomes Content-Type."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None and "Authorization" not in fields:
            fields["Authorization"] = f"Bearer {self.token}"
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            fields.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPSConnection(self._address, context=self._tls, timeout=GUARD)
        try:
            connection.request(method, path, body, fields)
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def start_upload(self, repository: str) -> str:
        """Start an upload and return its path with the query."""
        reply = self("POST", f"/v2/{repository}/blobs/uploads/")
        if reply.status != 202:
            raise RuntimeError(f"{reply.status} {reply.body!r}")
        return path_of(reply.headers["Location"])

    def put_blob(self, repository: str, content: bytes) -> str:
        """Upload a blob and return its digest."""
        digest = digest_of(content)
        reply = self("PUT", f"{self.start_upload(repository)}&digest={digest}", content)
        if reply.status != 201:
            raise RuntimeError(f"{reply.status} {reply.body!r}")
        return digest

    def put_manifest(self, repository: str, reference: str, document: dict[str, Any] | bytes) -> Reply:
        """Put a manifest or an index under a tag or its digest."""
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        media_type = json.loads(content)["mediaType"]
        return self("PUT", f"/v2/{repository}/manifests/{reference}", content, Content_Type=media_type)

    def image(self, repository: str, text: str = "one", config: bytes | None = None) -> dict[str, Any]:
        """Upload the blobs of a small image and return its manifest."""
        layer = text.encode()
        config = json.dumps({"architecture": "amd64", "os": "linux", "t": text}).encode() if config is None else config
        return {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": self.put_blob(repository, config),
                "size": len(config),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar",
                    "digest": self.put_blob(repository, layer),
                    "size": len(layer),
                }
            ],
        }


def index_of(*manifests: dict[str, Any], platform: dict[str, str] | None = None) -> dict[str, Any]:
    """Return an index of manifests, all for one platform; ``{}`` leaves the platform out."""
    entries = []
    for manifest in manifests:
        content = json.dumps(manifest).encode()
        entry = {"mediaType": manifest["mediaType"], "digest": digest_of(content), "size": len(content)}
        wanted = {"os": "linux", "architecture": "amd64"} if platform is None else platform
        entries.append(entry | ({"platform": wanted} if wanted else {}))
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}


def digest_of(content: bytes | dict[str, Any]) -> str:
    """Return the digest of octets, or of a document as put_manifest sends it."""
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    return "sha256:" + hashlib.sha256(content).hexdigest()


def path_of(location: str) -> str:
    """Return the path and query of an absolute location."""
    split = urlsplit(location)
    return f"{split.path}?{split.query}" if split.query else split.path


def refusal(reply: Reply) -> tuple[int, str, str]:
    """Return (code, reason, message) of the Status that the API refuses with."""
    status = reply.json
    if (status["kind"], status["status"], status["code"]) != ("Status", "Failure", reply.status):
        raise AssertionError(f"this is no refusal: {status}")
    return reply.status, status["reason"], status["message"]


def eventually(call: Callable[[], Any]) -> Any:
    """Return the first result that is true, as controllers act a moment later; raises TimeoutError after ``GUARD``."""
    until = time.monotonic() + GUARD
    while not (result := call()):
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.02)
    return result
