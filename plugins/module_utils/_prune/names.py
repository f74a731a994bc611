# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the name of a tag says: a version, a build, or neither, as tags that move from image to image have it; pure.

A prune that takes a moving tag (``staging``, ``latest``) for an old build removes what a deployment pulls next, so
that whatever might be one is taken for one.
"""

from __future__ import annotations

import re

_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+.*)?")
_DIGITS = re.compile(r"(\d+)")
_SEPARATOR = re.compile(r"[-_.]+")
# A commit, a date or the number of a pipeline, which no name of an environment ends in.
_UNIQUE = re.compile(r"(?:sha|g|git)?(?=[0-9a-f]*\d)[0-9a-f]{7,64}|[a-z]{0,2}\d{6,}(?:t\d{4,6}z?)?")
_NUMBERED = re.compile(r"(?:[a-z]|build|run|job|pr|mr|pull|rev)?\d+")
_REFERRERS = re.compile(r"sha256-([0-9a-f]{64})(?:\.[A-Za-z0-9]+)?")
_ENVIRONMENTS = re.compile(
    "blue|canary|current|demo|edge|green|int|integration|latest|live|next|nightly|preprod|preview|prod|production|qa"
    "|release|stable|stage|staging|test|testing|uat"
)


def version_key(tag: str) -> tuple[tuple[int, ...], tuple[tuple[int, int, str], ...]] | None:
    """Return what versions are compared by (Semantic Versioning 2.0.0, section 11), None for a tag that is none."""
    found = _VERSION.fullmatch(tag)
    if not found:
        return None
    numbers = tuple(int(part or 0) for part in found.group(1, 2, 3))
    if not found[4]:
        return numbers, ((2, 0, ""),)
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in found[4].split("."))
    return numbers, parts


def natural_key(tag: str) -> tuple[tuple[bool, int, str], ...]:
    """Return what names are compared by so that their numbers count: ``b-9`` before ``b-10``."""
    return tuple((part.isdigit(), int(part) if part.isdigit() else 0, part) for part in _DIGITS.split(tag))


def is_build(tag: str, moved: bool = False) -> bool:
    """Whether a tag has a commit, a date or a number in its name (``main-1a2b3c4``, ``build-17``, ``20260101.2``).

    ``production-2`` is none: that is a second environment. Neither is a numbered tag that has ``moved``, that is,
    pointed to several images, as ``pr-12`` does.
    """
    words = [word for word in _SEPARATOR.split(tag.lower()) if word]
    if any(_UNIQUE.fullmatch(word) for word in words):
        return True
    numbered = bool(words) and bool(_NUMBERED.fullmatch(words[-1])) and not any(map(_ENVIRONMENTS.fullmatch, words))
    return numbered and not moved


def described_image(tag: str) -> str | None:
    """Return the digest that a tag with signatures or other referrers belongs to (``sha256-<hex>.sig``), else None.

    Source: OCI Distribution Specification 1.1, "Referrers Tag Schema"; cosign has the same with an ending.
    """
    found = _REFERRERS.fullmatch(tag)
    return f"sha256:{found[1]}" if found else None
