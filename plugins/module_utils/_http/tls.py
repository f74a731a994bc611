# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is trusted: the system's authorities and the ones the user names; and where TLS may be missing."""

from __future__ import annotations

import os
import re
import ssl
from contextlib import suppress
from functools import cache, lru_cache

from .._errors import InvalidOptionError
from .._targets import Connection
from .message import Origin

_HASHED = re.compile(r"[0-9a-f]{8}\.0")


def check_encrypted(origin: Origin, connection: Connection) -> None:
    """Raise InvalidOptionError for an address without TLS on another host, unless ``plain_http`` asks for that."""
    if origin.scheme == "http" and not (connection.plain_http or origin.is_loopback):
        raise InvalidOptionError(
            f"{origin} would get everything in clear", hint="Write it with https://, or set plain_http: true"
        )


def tls_context(
    verify: bool = True,
    ca_file: str | None = None,
    client_cert: str | None = None,
    client_key: str | None = None,
    directory: str | None = None,
) -> ssl.SSLContext:
    """Return a context for connections to a registry or an API; raises InvalidOptionError for unusable files.

    A named authority is trusted besides the system's, also when it is an intermediate one or the server's
    own certificate, as Go's clients do it. Python 3.13's stricter form check is off, so that a zone is
    reached or not reached whatever Python there is. Of the system's authorities, only those in ``directory`` are
    trusted where one is given.
    """
    context = ssl.create_default_context(capath=directory)
    context.verify_flags |= getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0x80000)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise InvalidOptionError(
                f"the authorities in {ca_file} cannot be read: {error}", hint="They are certificates in PEM format"
            ) from None
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client_cert:
        try:
            context.load_cert_chain(client_cert, client_key)
        except (OSError, ssl.SSLError) as error:
            raise InvalidOptionError(
                f"the client certificate {client_cert} cannot be used: {error}",
                hint="It is in PEM format, with its key, without a passphrase, in the same file or in client_key",
            ) from None
    return context


@cache
def hashed_authorities() -> str | None:
    """Return the directory of the system's authorities, in which OpenSSL opens none but the one that it looks for.

    To read the file of all of them is a fifth of an unchanged push. None where the system has no such directory.
    Source: X509_LOOKUP_hash_dir(3).
    """
    found = ssl.get_default_verify_paths().capath
    with suppress(OSError), os.scandir(found or "") as entries:
        return found if any(_HASHED.fullmatch(entry.name) for entry in entries) else None
    return None


# The registries of a task share what they trust. Not for urllib3, which changes what a context that it is given checks.
shared_tls_context = lru_cache(maxsize=None)(tls_context)
