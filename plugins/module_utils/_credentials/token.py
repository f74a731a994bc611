# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of an API: their shape, whose they are and when they end, read without a key; pure.

Source: RFC 7519 (JSON Web Tokens, which service accounts have); OpenShift's OAuth tokens (``sha256~…``) say nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from .._errors import InvalidOptionError
from .._json import parse_json

_PRINTABLE = re.compile(r"[!-~]+")


def checked_token(value: str, source: str) -> str:
    """Return a token without surrounding whitespace; raises InvalidOptionError for what can be no token.

    ``source`` names for the user where the value came from; the value itself is never shown.
    """
    token = value.strip()
    if not token:
        raise InvalidOptionError(
            f"{source} is empty",
            hint="The variable or command that it comes from gave nothing: oc whoami -t prints a token after oc login",
        )
    if not _PRINTABLE.fullmatch(token):
        raise InvalidOptionError(
            f"{source} holds whitespace or characters that no token has",
            hint="Give the token alone, as oc whoami -t prints it",
        )
    if claims(_decoded(token)):
        raise InvalidOptionError(
            f"{source} is still encoded in base64, as Secrets hold it", hint="Decode it with the filter b64decode"
        )
    return token


def claims(token: str) -> dict[str, Any]:
    """Return what a JSON Web Token says of itself, unverified; empty for any other token."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = parse_json(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def expiry(token: str) -> float | None:
    """Return when a token ends, in seconds since the epoch, or None where it does not say."""
    end = claims(token).get("exp")
    return float(end) if isinstance(end, (int, float)) and not isinstance(end, bool) and 0 < end < 1e11 else None


def subject(token: str) -> str | None:
    """Return the user a token is of, such as ``system:serviceaccount:shop:image-pusher``, where it says."""
    found = claims(token).get("sub")
    return found if isinstance(found, str) else None


def is_api_token(secret: str) -> bool:
    """Tell whether a stored password is a token of an OpenShift API: an OAuth token or a service account's."""
    return secret.startswith("sha256~") or (subject(secret) or "").startswith("system:serviceaccount:")


def account_user(namespace: str, name: str) -> str:
    """Return the user name of a service account."""
    return f"system:serviceaccount:{namespace}:{name}"


def timestamp(seconds: float | None) -> str | None:
    """Return seconds since the epoch as an RFC 3339 time in UTC."""
    if seconds is None:
        return None
    from datetime import datetime, timezone

    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
