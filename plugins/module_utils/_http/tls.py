# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is trusted: the system's authorities and the ones the user names; and where TLS may be missing."""

from __future__ import annotations

import ssl
from functools import lru_cache

from .._errors import InvalidOptionError
from .._targets import Connection
from .message import Origin


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
) -> ssl.SSLContext:
    """Return a context for connections to a registry or an API; raises InvalidOptionError for unusable files.

    A named authority is trusted besides the system's, also when it is an intermediate one or the server's
    own certificate, as Go's clients do it. Python 3.13's stricter form check is off, so that a zone is
    reached or not reached whatever Python there is.
    """
    context = ssl.create_default_context()
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


# Reading the system's authorities is a fifth of an unchanged push, and the registries of a task share them.
# Not for urllib3, which changes what a context that it is given checks.
shared_tls_context = lru_cache(maxsize=None)(tls_context)
