# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user wants pushed where, checked before anybody is asked; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from .._errors import InvalidOptionError
from .._oci.model import Platform
from .._oci.platforms import parse_platform
from .._reference import DEFAULT_TAG, checked_image_name, checked_namespace, checked_tag, is_digest
from .._targets import Target


@dataclass(frozen=True)
class Wish:
    """The options of a push that are the same for every zone."""

    name: str
    tags: tuple[str, ...]
    platforms: tuple[Platform, ...] = ()
    atomic: bool = True
    existing_tags: str = "overwrite"
    expected_digest: str | None = None
    force: bool = False
    referrers: bool = False
    check_quota: str = "warn"
    jobs: int = 4


def wish_from(options: Mapping[str, Any], source_name: str, source_tag: str | None) -> Wish:
    """Return the wish, with what the source is called where the user does not say; raises InvalidOptionError."""
    tags = options.get("tags")
    expected = options.get("expected_digest")
    if expected and not is_digest(expected):
        raise InvalidOptionError(
            f"expected_digest {expected!r} is not a digest", hint="Write it like sha256:<64 digits>"
        )
    jobs = int(options.get("jobs") or 0)
    if not 1 <= jobs <= 32:
        raise InvalidOptionError("jobs is a number from 1 to 32")
    named = [source_tag or DEFAULT_TAG] if tags is None else [checked_tag(str(tag)) for tag in tags]
    return Wish(
        name=checked_image_name(options.get("name") or source_name),
        tags=tuple(dict.fromkeys(named)),
        platforms=tuple(dict.fromkeys(parse_platform(text) for text in options.get("platforms") or ())),
        atomic=bool(options.get("atomic", True)),
        existing_tags=str(options.get("existing_tags") or "overwrite"),
        expected_digest=expected or None,
        force=bool(options.get("force")),
        referrers=bool(options.get("referrers")),
        check_quota=str(options.get("check_quota") or "warn"),
        jobs=jobs,
    )


def check_targets(targets: list[Target]) -> None:
    """Raise InvalidOptionError for a zone without a namespace or a registry."""
    for target in targets:
        checked_namespace(target.namespace)
        if target.zone.registry is None:
            raise InvalidOptionError(f"zone {target.zone.name} has no registry", hint="Give zone or registry")
