# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Digests (OCI Image Format Specification 1.1, "Digests"); pure."""

from __future__ import annotations

import hashlib
from typing import Any

from .._errors import SourceError


def digest_of(content: bytes) -> str:
    """Return the sha256 digest of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def new_hash(digest: str) -> Any:
    """Return a hash object for a digest's algorithm; raises SourceError for one that no registry takes."""
    algorithm = digest.partition(":")[0]
    if algorithm not in ("sha256", "sha512"):
        raise SourceError(f"{digest} uses the digest algorithm {algorithm!r}, which registries do not take")
    return hashlib.new(algorithm)


def matches(content: bytes, digest: str) -> bool:
    """Whether the bytes are what the digest names."""
    found = new_hash(digest)
    found.update(content)
    return f"{digest.partition(':')[0]}:{found.hexdigest()}" == digest
