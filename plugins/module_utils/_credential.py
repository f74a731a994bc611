# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who somebody is towards a registry or an API; pure."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

DEFAULT_USERNAME = "serviceaccount"


@dataclass(frozen=True)
class Credential:
    """A user name and the secret that goes with it.

    ``is_token`` says that ``secret`` is a token of the zone's API, which OpenShift's registry takes
    as a bearer token; otherwise it is a password. ``origin`` tells the user where it came from.
    """

    secret: str = field(repr=False)
    username: str = DEFAULT_USERNAME
    is_token: bool = True
    origin: str = "token"


def basic(credential: Credential) -> str:
    """Return ``user:secret`` in base64, as auth files and the Basic scheme (RFC 7617) have it."""
    return base64.b64encode(f"{credential.username}:{credential.secret}".encode()).decode()
