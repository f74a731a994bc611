# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the text of the option ``source`` to a source; containers-transports(5) is the notation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping, Union

from .._credential import Credential
from .._credentials.auth_file import stored_credential
from .._errors import InvalidOptionError
from .._reference import Reference, is_tag, parse_reference
from .._targets import Connection
from .base import AnySource
from .engine_location import SOCKETS, checked_engine_reference, default_socket

_USE = "Use docker://, oci:, oci-archive:, docker-archive:, dir:, docker-daemon: or containers-storage:"

_OTHERS = ("tarball", "docker-tar", "ostree", "sif", "atomic")


@dataclass(frozen=True)
class RegistryLocation:
    """``docker://`` and what looks like a reference."""

    reference: Reference


@dataclass(frozen=True)
class LayoutLocation:
    """``oci:DIR[:tag]`` and ``oci-archive:FILE[:tag]``."""

    path: str
    tag: str | None
    archived: bool = False


@dataclass(frozen=True)
class DirectoryLocation:
    """``dir:DIR``."""

    path: str


@dataclass(frozen=True)
class ArchiveLocation:
    """``docker-archive:FILE[:reference]``."""

    path: str
    reference: str | None


@dataclass(frozen=True)
class EngineLocation:
    """``docker-daemon:reference`` and ``containers-storage:reference``."""

    transport: str
    reference: str


Location = Union[ArchiveLocation, EngineLocation, RegistryLocation, LayoutLocation, DirectoryLocation]


def parse_location(text: str) -> Location:
    """Return where the source is; raises InvalidOptionError; asks nobody."""
    text = text.strip()
    transport, colon, rest = text.partition(":")
    if colon and transport in ("oci", "oci-archive"):
        return _layout(transport, rest)
    if colon and transport == "dir":
        if not rest:
            raise InvalidOptionError("source dir: names no directory")
        return DirectoryLocation(rest)
    if colon and transport == "docker":
        if not rest.startswith("//"):
            raise InvalidOptionError(f"source {text!r} lacks the slashes of docker://")
        return RegistryLocation(parse_reference(rest[2:]))
    if colon and transport == "docker-archive":
        return _archive(rest)
    if colon and transport in SOCKETS:
        return EngineLocation(transport, checked_engine_reference(rest))
    if "://" in text or transport in _OTHERS:
        raise InvalidOptionError(f"source {text!r} has an unknown transport", hint=_USE)
    return RegistryLocation(parse_reference(text))


def open_source(
    location: Location,
    options: Mapping[str, Any],
    environment: Mapping[str, str],
    register_secret: Callable[[str], None],
    directory: str,
) -> AnySource:
    """Return the source; ``directory`` is for blobs on their way; nothing is read yet.

    Each kind of source is imported when it is used, as a module is compiled anew in each task.
    """
    if isinstance(location, LayoutLocation):
        from .oci_layout import OciLayout

        return OciLayout(location.path, location.tag, location.archived, directory)
    if isinstance(location, ArchiveLocation):
        from .docker_archive import DockerArchive

        return DockerArchive(location.path, location.reference, directory)
    if isinstance(location, EngineLocation):
        from .engine import EngineImage

        socket = options.get("engine_socket") or default_socket(location.transport, environment)
        return EngineImage(location.transport, location.reference, socket, directory)
    if isinstance(location, DirectoryLocation):
        from .directory import DirectoryImage

        return DirectoryImage(location.path)
    from .registry import RegistrySource

    verify, authority = options.get("source_validate_certs"), options.get("source_ca_cert")
    connection = Connection(
        validate_certs=True if verify is None else bool(verify),
        plain_http=bool(options.get("source_plain_http")),
        ca_cert=str(authority) if authority else None,
        proxy=options.get("proxy"),
        timeout=options.get("timeout") or 60,
        retries=5 if options.get("retries") is None else int(options["retries"]),
        retry_delay=1.0 if options.get("retry_delay") is None else float(options["retry_delay"]),
    )
    credential = _credential(location.reference, options, environment)
    if credential is not None:
        register_secret(credential.secret)
    return RegistrySource(location.reference, connection, credential, directory)


def _credential(reference: Reference, options: Mapping[str, Any], environment: Mapping[str, str]) -> Credential | None:
    username, password = options.get("source_username"), options.get("source_password")
    if username and password:
        return Credential(password, username, is_token=False, origin="source_password")
    return stored_credential(reference.registry, reference.repository, options.get("source_auth_file"), environment)


def _archive(rest: str) -> ArchiveLocation:
    path, colon, reference = rest.partition(":")
    if not path or (colon and not reference):
        raise InvalidOptionError(
            "source docker-archive: names no file", hint="Write it like docker-archive:FILE[:name:tag]"
        )
    if reference and not (reference.startswith("@") and reference[1:].isdigit()):
        parse_reference(reference)
    return ArchiveLocation(path, reference or None)


def _layout(transport: str, rest: str) -> LayoutLocation:
    path, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag or not is_tag(tag):
        path, tag = rest, ""
    if not path:
        raise InvalidOptionError(f"source {transport}: names nothing")
    return LayoutLocation(path, tag or None, transport == "oci-archive")
