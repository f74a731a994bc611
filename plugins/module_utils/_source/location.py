# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the text of the option ``source`` to a source; containers-transports(5) is the notation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping

from .._credential import Credential
from .._credentials.auth_file import stored_credential
from .._errors import InvalidOption
from .._reference import Reference, is_tag, parse_reference
from .._targets import Connection
from .base import Source
from .oci_layout import OciLayout
from .registry import RegistrySource

_NOT_YET = ("oci-archive", "docker-archive", "dir", "docker-daemon", "containers-storage", "tarball", "docker-tar")


@dataclass(frozen=True)
class RegistryLocation:
    """``docker://`` and what looks like a reference."""

    reference: Reference


@dataclass(frozen=True)
class LayoutLocation:
    """``oci:DIR[:tag]``."""

    directory: str
    tag: str | None


def parse_location(text: str) -> RegistryLocation | LayoutLocation:
    """Return where the source is; raises InvalidOption; asks nobody."""
    text = text.strip()
    transport, colon, rest = text.partition(":")
    if colon and transport == "oci":
        return _layout(rest)
    if colon and transport == "docker":
        if not rest.startswith("//"):
            raise InvalidOption(f"source {text!r} lacks the slashes of docker://")
        return RegistryLocation(parse_reference(rest[2:]))
    if colon and transport in _NOT_YET:
        raise InvalidOption(f"source {text!r}: {transport} is not a source yet", advice="Use docker:// or oci:")
    if "://" in text:
        raise InvalidOption(f"source {text!r} has an unknown transport", advice="Use docker:// or oci:")
    return RegistryLocation(parse_reference(text))


def open_source(
    location: RegistryLocation | LayoutLocation,
    options: Mapping[str, Any],
    environment: Mapping[str, str],
    mask: Callable[[str], None],
    directory: str,
) -> Source:
    """Return the source; ``directory`` is for blobs on their way; nothing is read yet."""
    if isinstance(location, LayoutLocation):
        return OciLayout(location.directory, location.tag)
    verify, authority = options.get("source_validate_certs"), options.get("source_ca_cert")
    connection = Connection(
        validate_certs=True if verify is None else bool(verify),
        ca_cert=str(authority) if authority else None,
        proxy=options.get("proxy"),
        timeout=options.get("timeout") or 60,
        retries=5 if options.get("retries") is None else int(options["retries"]),
        retry_delay=1.0 if options.get("retry_delay") is None else float(options["retry_delay"]),
    )
    credential = _credential(location.reference, options, environment)
    if credential is not None:
        mask(credential.secret)
    return RegistrySource(location.reference, connection, credential, directory)


def _credential(reference: Reference, options: Mapping[str, Any], environment: Mapping[str, str]) -> Credential | None:
    username, password = options.get("source_username"), options.get("source_password")
    if username and password:
        return Credential(password, username, is_token=False, origin="source_password")
    return stored_credential(reference.registry, reference.repository, options.get("source_auth_file"), environment)


def _layout(rest: str) -> LayoutLocation:
    directory, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag or not is_tag(tag):
        directory, tag = rest, ""
    if not directory:
        raise InvalidOption("source oci: names no directory")
    return LayoutLocation(directory, tag or None)
