# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image in a container engine, asked over the socket of its API.

Source: Docker Engine API 1.41, "Inspect an image" and "Export an image"; podman serves the same on its own socket,
and "libpod/manifests" beside it.
"""

from __future__ import annotations

import http.client
import socket
from contextlib import contextmanager
from typing import Any, Iterator
from urllib.parse import quote

from .._errors import SourceError
from .._http.message import BLOCK_SIZE
from .._json import JsonError, parse_json
from .._oci.archive_config import ArchiveConfig, ImageSummary
from .._oci.model import Platform
from .._reference import DEFAULT_TAG, is_digest, parse_reference
from .archive_files import Archive
from .docker_archive import DockerArchive
from .engine_location import is_image_id
from .local_file import Part, TemporaryFile

_LARGEST_ANSWER = 4 * 1024 * 1024
_SECONDS = 300
# The oldest API that podman 4 and 5 serve.
_LIBPOD = "/v4.0.0/libpod"


class EngineImage:
    """An image by its name or ID; it is fetched, as ``docker save`` would, when its layers are needed."""

    def __init__(self, transport: str, reference: str, socket_path: str, directory: str) -> None:
        self.description = f"{transport}:{reference}"
        self._reference = reference.lstrip("@")
        self._socket = socket_path
        self._directory = directory
        self._archive: DockerArchive | None = None
        self._image_id: str | None = None
        named = None if is_image_id(reference) else parse_reference(reference)
        if named and not named.tag and not named.digest:
            # An engine that is asked for a name without a tag gives all images of that name.
            self._reference = f"{self._reference}:{DEFAULT_TAG}"
        self.name = named.name if named else self._reference.rpartition(":")[2][:12]
        self.tag = named.tag if named else None
        self._named = named is not None and not named.digest

    def summary(self) -> ImageSummary:
        """Return the image ID and the platform as the engine tells them; raises SourceError."""
        found = self._document(f"/images/{self._quoted}/json")
        self._check_list(found)
        # An engine that keeps images as registries do calls something else the ID: then the archive tells.
        if found.get("Descriptor"):
            summary = self._fetched().summary()
            self._image_id = summary.image_id
            return summary
        image_id = str(found.get("Id") or "")
        image_id = image_id if image_id.startswith("sha256:") else f"sha256:{image_id}"
        if not is_digest(image_id):
            raise SourceError(f"{self.description} cannot be read: {self._socket} gave no ID of an image")
        platform = Platform(*(str(found.get(name) or "") for name in ("Os", "Architecture", "Variant")))
        self._image_id = image_id
        return ImageSummary(image_id, platform if platform.os and platform.architecture else None)

    def check(self) -> None:
        """An engine has all layers of its images."""

    def config(self) -> ArchiveConfig:
        """Return the image by its configuration, for which it is fetched.

        Raises SourceError where the engine gives another image under this name than it told of: then nothing that
        was compared with that, such as ``expected_digest``, is true of it.
        """
        config = self._fetched().config()
        if self._image_id is not None and config.image_id != self._image_id:
            raise SourceError(
                f"{self.description} was {self._image_id} and is {config.image_id} now",
                hint="It was built or pulled anew meanwhile: run the push again",
            )
        return config

    def layer(self, number: int) -> Part:
        """Return where the bytes of a layer are; raises SourceError."""
        return self._fetched().layer(number)

    def close(self) -> None:
        """Let go of what was fetched."""
        if self._archive is not None:
            self._archive.close()
            self._archive = None

    def _check_list(self, inspected: dict[str, Any]) -> None:
        """podman gives one platform of a manifest list as if that were the image: one without the name asked for.

        Only then is the list asked for, as podman looks for it in registries where it has none itself.
        """
        names = inspected.get("RepoTags")
        if not self._named or not isinstance(names, list) or any(self._is_own_name(str(name)) for name in names):
            return
        found = self._optional(f"{_LIBPOD}/manifests/{self._quoted}/json")
        entries = found.get("manifests")
        if not isinstance(entries, list) or len(entries) < 2:
            return
        found_platforms = [entry.get("platform") for entry in entries if isinstance(entry, dict)]
        platforms = [
            "/".join(str(one.get(name)) for name in ("os", "architecture", "variant") if one.get(name))
            for one in found_platforms
            if isinstance(one, dict)
        ]
        raise SourceError(
            f"{self.description} is a manifest list ({', '.join(platforms)}), and an engine gives one image of it only",
            hint=f"Save all of it: podman manifest push --all {self._reference} oci-archive:FILE, "
            "and push oci-archive:FILE",
        )

    def _is_own_name(self, name: str) -> bool:
        """Engines shorten names, each in its own way: docker.io/library/app:1.0, localhost/app:1.0, app:1.0."""
        return (
            name == self._reference
            or f"/{name}".endswith(f"/{self._reference}")
            or (f"/{self._reference}".endswith(f"/{name}"))
        )

    def _fetched(self) -> DockerArchive:
        if self._archive is None:
            with self._asked(f"/images/{self._quoted}/get") as response:
                if response.status != 200:
                    raise self._refused(response)
                file = TemporaryFile(self._directory, self.description)
                try:
                    while block := response.read(BLOCK_SIZE):
                        file.write(block)
                except (OSError, http.client.HTTPException) as error:
                    raise SourceError(
                        f"{self.description} cannot be fetched from {self._socket}: {_reason(error)}"
                    ) from None
            files = Archive.of(file, self.description)
            self._archive = DockerArchive("", None, self._directory, self.description, files)
        return self._archive

    def _document(self, path: str) -> dict[str, Any]:
        """Return the JSON object that the engine answers; raises SourceError."""
        with self._asked(path) as response:
            if response.status != 200:
                raise self._refused(response)
            try:
                found = parse_json(response.read(_LARGEST_ANSWER + 1), _LARGEST_ANSWER)
            except (OSError, http.client.HTTPException, JsonError) as error:
                raise SourceError(
                    f"{self.description} cannot be read: {self._socket} does not answer as an engine: its answer "
                    f"{error if isinstance(error, JsonError) else _reason(error)}"
                ) from None
        if not isinstance(found, dict):
            raise SourceError(f"{self.description} cannot be read: {self._socket} does not answer as an engine")
        return found

    def _optional(self, path: str) -> dict[str, Any]:
        """Return the same, or nothing where only some engines have it."""
        try:
            return self._document(path)
        except SourceError:
            return {}

    @contextmanager
    def _asked(self, path: str) -> Iterator[http.client.HTTPResponse]:
        connection = _SocketConnection(self._socket)
        try:
            try:
                connection.request("GET", path)
                response = connection.getresponse()
            except (OSError, ValueError, http.client.HTTPException) as error:
                raise SourceError(
                    f"{self.description} cannot be read: the engine's socket {self._socket} cannot be used: "
                    f"{_reason(error)}",
                    hint="Start the engine's API (podman: systemctl --user start podman.socket), or give engine_socket",
                ) from None
            yield response
        finally:
            connection.close()

    def _refused(self, response: http.client.HTTPResponse) -> SourceError:
        try:
            output = response.read(_LARGEST_ANSWER)
        except (OSError, http.client.HTTPException):
            output = b""
        if response.status == 404:
            return SourceError(f"{self.description} does not exist", server_message=_message(output))
        return SourceError(
            f"{self.description} cannot be read: status {response.status}", server_message=_message(output)
        )

    @property
    def _quoted(self) -> str:
        return quote(self._reference, safe="/:@")


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _reason(error: Exception) -> str:
    if isinstance(error, http.client.IncompleteRead):
        return "the answer ended too early"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _message(output: bytes) -> str | None:
    """The engine's own words, on one line."""
    try:
        found = parse_json(output)
    except JsonError:
        text = output[:200].decode(errors="replace")
    else:
        text = str(found.get("message") or "") if isinstance(found, dict) else ""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:300] or None
