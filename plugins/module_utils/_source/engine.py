# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image in a container engine, asked over the socket of its API.

Source: Docker Engine API 1.41, "Inspect an image" and "Export an image"; podman serves the same on its own socket.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import tempfile
from typing import Mapping
from urllib.parse import quote

from .._errors import SourceError
from .._http.message import BLOCK_SIZE
from .._oci.archive_config import ArchiveConfig, ImageSummary
from .._oci.model import Platform
from .._reference import parse_reference
from .docker_archive import DockerArchive
from .engine_location import is_image_id
from .file_blob import Part

_LARGEST_ANSWER = 4 * 1024 * 1024
_SECONDS = 300


class EngineImage:
    """An image by its name or ID; it is fetched, as ``docker save`` would, when its layers are needed."""

    def __init__(self, transport: str, reference: str, socket_path: str, directory: str) -> None:
        self.description = f"{transport}:{reference}"
        self._reference = reference.lstrip("@")
        self._socket = socket_path
        self._directory = directory
        self._path: str | None = None
        self._archive: DockerArchive | None = None
        named = None if is_image_id(reference) else parse_reference(reference)
        self.name = named.name if named else self._reference.rpartition(":")[2][:12]
        self.tag = named.tag if named else None

    def summary(self) -> ImageSummary:
        """Return the image ID and the platform as the engine tells them; raises SourceError."""
        found = self._inspected()
        # An engine that keeps images as registries do calls something else the ID: then the archive tells.
        if found.get("Descriptor"):
            return self.config().summary
        image_id = str(found.get("Id") or "")
        platform = Platform(*(str(found.get(name) or "") for name in ("Os", "Architecture", "Variant")))
        known = platform if platform.os and platform.architecture else None
        return ImageSummary(image_id if image_id.startswith("sha256:") else f"sha256:{image_id}", known)

    def check(self) -> None:
        """An engine has all layers of its images."""

    def config(self) -> ArchiveConfig:
        """Return the image by its configuration, for which it is fetched; raises SourceError."""
        return self._fetched().config()

    def layer(self, number: int) -> Part:
        """Return where the bytes of a layer are; raises SourceError."""
        return self._fetched().layer(number)

    def close(self) -> None:
        """Remove what was fetched."""
        if self._archive is not None:
            self._archive.close()
        if self._path is not None:
            os.unlink(self._path)
            self._path = self._archive = None

    def _inspected(self) -> Mapping[str, object]:
        connection, response = self._ask("json")
        try:
            document = json.loads(response.read(_LARGEST_ANSWER))
        except (OSError, ValueError, http.client.HTTPException):
            raise SourceError(
                f"{self.description} cannot be read: {self._socket} does not answer as an engine"
            ) from None
        finally:
            connection.close()
        return document if isinstance(document, dict) else {}

    def _fetched(self) -> DockerArchive:
        if self._archive is None:
            connection, response = self._ask("get")
            handle, self._path = tempfile.mkstemp(prefix="image-", suffix=".tar", dir=self._directory)
            try:
                with os.fdopen(handle, "wb") as file:
                    while block := response.read(BLOCK_SIZE):
                        file.write(block)
            except (OSError, http.client.HTTPException) as error:
                reason = getattr(error, "strerror", None) or type(error).__name__
                raise SourceError(f"{self.description} cannot be fetched from {self._socket}: {reason}") from None
            finally:
                connection.close()
            self._archive = DockerArchive(self._path, None, self._directory, self.description)
        return self._archive

    def _ask(self, what: str) -> tuple[_SocketConnection, http.client.HTTPResponse]:
        connection = _SocketConnection(self._socket)
        try:
            connection.request("GET", f"/images/{quote(self._reference, safe='/:@')}/{what}")
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise SourceError(
                f"{self.description} cannot be read: the engine's socket {self._socket} cannot be used: {reason}",
                hint="Start the engine's API (podman: systemctl --user start podman.socket), or give engine_socket",
            ) from None
        if response.status == 200:
            return connection, response
        output = response.read(_LARGEST_ANSWER).decode(errors="replace").strip()
        connection.close()
        if response.status == 404:
            raise SourceError(f"{self.description} does not exist", server_message=_message(output))
        raise SourceError(
            f"{self.description} cannot be read: status {response.status}", server_message=_message(output)
        )


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _message(output: str) -> str:
    try:
        return str(json.loads(output)["message"])
    except (ValueError, KeyError, TypeError):
        return output[:200]
