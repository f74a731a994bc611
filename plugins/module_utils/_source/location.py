# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the text of the option ``source`` to a source; containers-transports(5) is the notation."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Mapping, NamedTuple, Union

from .._errors import InvalidOptionError
from .._reference import Reference, parse_reference
from .._targets import Connection, Credential
from .base import AnySource

if TYPE_CHECKING:
    from .source_registries import SourceClients

_USE = "Use docker://, oci:, oci-archive:, docker-archive:, dir:, docker-daemon: or containers-storage:"

_OTHERS = (
    "tarball",
    "docker-tar",
    "ostree",
    "sif",
    "atomic",
    "file",
    "tar",
    "oci-layout",
    "ocidir",
    "podman",
    "engine",
)


class SourceContext(NamedTuple):
    """What sources need besides their place; ``directory`` is for blobs on their way.

    With ``clients``, sources of one registry share connections.
    """

    options: Mapping[str, Any]
    environment: Mapping[str, str]
    register_secret: Callable[[str], None]
    directory: str
    clients: SourceClients | None = None


# Each kind of source is imported when it is named or opened, as a module is compiled anew in each task.


class RegistryLocation(NamedTuple):
    """``docker://`` and what looks like a reference."""

    reference: Reference

    def open(self, context: SourceContext) -> AnySource:
        """Return the source; nothing is read yet."""
        from .registry import RegistrySource

        credential = _credential(self.reference, context.options, context.environment)
        if credential is not None:
            context.register_secret(credential.secret)
        how = _connection(context.options)
        return RegistrySource(self.reference, how, credential, context.directory, clients=context.clients)


class LayoutLocation(NamedTuple):
    """``oci:DIR[:name]`` and ``oci-archive:FILE[:name]``; a name may be a tag, a digest, or ``@number``."""

    path: str
    tag: str | None
    archived: bool = False

    def open(self, context: SourceContext) -> AnySource:
        """Return the source; nothing is read yet."""
        from .oci_layout import OciLayout

        return OciLayout(self.path, self.tag, self.archived, context.directory)


class DirectoryLocation(NamedTuple):
    """``dir:DIR``."""

    path: str

    def open(self, _context: SourceContext) -> AnySource:
        """Return the source; nothing is read yet."""
        from .file_source import DirectoryImage

        return DirectoryImage(self.path)


class ArchiveLocation(NamedTuple):
    """``docker-archive:FILE[:reference]``."""

    path: str
    reference: str | None

    def open(self, context: SourceContext) -> AnySource:
        """Return the source; nothing is read yet."""
        from .docker_archive import DockerArchive

        return DockerArchive(self.path, self.reference, context.directory)


class EngineLocation(NamedTuple):
    """``docker-daemon:reference`` and ``containers-storage:reference``."""

    transport: str
    reference: str

    def open(self, context: SourceContext) -> AnySource:
        """Return the source; nothing is read yet."""
        from .engine import EngineImage
        from .engine_location import default_socket

        socket = context.options.get("engine_socket") or default_socket(self.transport, context.environment)
        return EngineImage(self.transport, self.reference, socket, context.directory)


Location = Union[ArchiveLocation, EngineLocation, RegistryLocation, LayoutLocation, DirectoryLocation]


def parse_location(text: str) -> Location:
    """Return where the source is; raises InvalidOptionError; asks nobody, and looks at paths only."""
    text = text.strip()
    transport, colon, rest = text.partition(":")
    parse = _TRANSPORTS.get(transport)
    if colon and parse is not None:
        return parse(transport, rest)
    if "://" in text or transport in _OTHERS:
        raise InvalidOptionError(f"source has an unknown transport {transport!r}", hint=_USE)
    from .local_path import check_no_path

    check_no_path(text)
    return RegistryLocation(_reference(text))


def _docker(_transport: str, rest: str) -> Location:
    if not rest.startswith("//"):
        raise InvalidOptionError(f"source docker:{rest} lacks the slashes of docker://")
    return RegistryLocation(_reference(rest[2:]))


def _layout(transport: str, rest: str) -> Location:
    from .local_path import check_path, split_layout

    path, name = split_layout(rest)
    if not path:
        raise InvalidOptionError(f"source {transport}: names nothing")
    check_path(transport, path, wants_directory=transport == "oci")
    return LayoutLocation(path, name or None, transport == "oci-archive")


def _directory(transport: str, rest: str) -> Location:
    from .local_path import check_path

    path = os.path.expanduser(rest)
    if not path:
        raise InvalidOptionError("source dir: names no directory")
    check_path(transport, path, wants_directory=True)
    return DirectoryLocation(path)


def _archive(transport: str, rest: str) -> Location:
    from .local_path import check_path, split_existing

    path, colon, reference = rest.partition(":")
    path, reference = split_existing(rest) or (path, reference)
    if not path or (colon and rest.endswith(":")):
        raise InvalidOptionError(
            "source docker-archive: names no file", hint="Write it like docker-archive:FILE[:name:tag]"
        )
    check_path(transport, path, wants_directory=False)
    if reference and not (reference.startswith("@") and reference[1:].isdecimal()):
        parse_reference(reference)
    return ArchiveLocation(path, reference or None)


def _engine(transport: str, rest: str) -> Location:
    from .engine_location import checked_engine_reference

    if not rest:
        raise InvalidOptionError(f"source {transport}: names no image")
    return EngineLocation(transport, checked_engine_reference(rest))


_TRANSPORTS: Mapping[str, Callable[[str, str], Location]] = {
    "docker": _docker,
    "oci": _layout,
    "oci-archive": _layout,
    "dir": _directory,
    "docker-archive": _archive,
    "docker-daemon": _engine,
    "containers-storage": _engine,
}


def _reference(text: str) -> Reference:
    if "@" in text.partition("/")[0]:
        # Not repeated in the message: it would hold the password.
        raise InvalidOptionError(
            "source has a user name before its host", hint="Give source_username and source_password instead"
        )
    return parse_reference(text)


def _connection(options: Mapping[str, Any]) -> Connection:
    verify, authority = options.get("source_validate_certs"), options.get("source_ca_cert")
    return Connection(
        validate_certs=True if verify is None else bool(verify),
        plain_http=bool(options.get("source_plain_http")),
        ca_cert=str(authority) if authority else None,
        proxy=options.get("proxy"),
        timeout=options.get("timeout") or 60,
        retries=5 if options.get("retries") is None else int(options["retries"]),
        retry_delay=1.0 if options.get("retry_delay") is None else float(options["retry_delay"]),
    )


def _credential(reference: Reference, options: Mapping[str, Any], environment: Mapping[str, str]) -> Credential | None:
    username, password = options.get("source_username"), options.get("source_password")
    if username and password:
        return Credential(password, username, is_token=False, origin="source_password")
    from .._credentials.auth_file import stored_credential

    return stored_credential(reference.registry, reference.repository, options.get("source_auth_file"), environment)
