# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON Web Tokens (RFC 7519), signed by whoever has a key."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any


def signed_token(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """Return the token in its compact form."""
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in (header, claims)]
    signed = ".".join(unpadded_base64(part) for part in parts)
    return f"{signed}.{unpadded_base64(sign(signed.encode()))}"


def unpadded_base64(data: bytes) -> str:
    """Return the URL-safe form without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
