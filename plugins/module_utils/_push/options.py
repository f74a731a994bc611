# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a push: how Ansible reads them, and what they mean for every zone alike."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple, Sequence

from .._argspec import TARGETS, ArgumentSpec
from .._errors import InvalidOptionError
from .._oci.model import Platform
from .._reference import DEFAULT_TAG, checked_digest, checked_image_name, checked_tag
from .._text import as_texts, is_blank

SPEC = TARGETS + ArgumentSpec(
    options={
        "source": {"type": "str"},
        "sources": {"type": "list", "elements": "raw"},
        "source_username": {"type": "str"},
        "source_password": {"type": "str", "no_log": True},
        "source_auth_file": {"type": "path"},
        "source_validate_certs": {"type": "bool", "default": True},
        "source_plain_http": {"type": "bool", "default": False},
        "source_ca_cert": {"type": "path"},
        "name": {"type": "str"},
        "tags": {"type": "list", "elements": "str", "aliases": ["tag"]},
        "platforms": {"type": "list", "elements": "str"},
        "referrers": {"type": "bool", "default": False},
        "atomic": {"type": "bool", "default": True},
        "existing_tags": {"type": "str", "choices": ["overwrite", "keep", "fail"], "default": "overwrite"},
        "expected_digest": {"type": "str"},
        "check_quota": {"type": "str", "choices": ["warn", "fail", "ignore"], "default": "warn"},
        "force": {"type": "bool", "default": False},
        "compression": {"type": "str", "choices": ["gzip", "zstd", "none"], "default": "gzip"},
        "compression_level": {"type": "int"},
        "jobs": {"type": "int", "default": 4},
        "progress": {"type": "bool", "default": True},
        "engine_socket": {"type": "path"},
    },
    required_together=(("source_username", "source_password"),),
    mutually_exclusive=(
        ("source_password", "source_auth_file"),
        ("source", "sources"),
        ("sources", "platforms"),
    ),
    required_one_of=(("source", "sources"),),
)


class PushOptions(NamedTuple):
    """What is to be pushed, the same for every zone."""

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


def parse_options(options: Mapping[str, Any], source_name: str, source_tag: str | None) -> PushOptions:
    """Return the options, with name and tag of the source where none are given; raises InvalidOptionError."""
    tags = as_texts("tags", options.get("tags"))
    expected = options.get("expected_digest")
    expected = None if is_blank(expected) else checked_digest("expected_digest", str(expected))
    jobs = int(options.get("jobs") or 0)
    if not 1 <= jobs <= 32:
        raise InvalidOptionError("jobs is a number from 1 to 32")
    named = [source_tag or DEFAULT_TAG] if tags is None else [checked_tag(tag) for tag in tags]
    platforms = as_texts("platforms", options.get("platforms")) or ()
    return PushOptions(
        name=checked_image_name(options.get("name") or source_name),
        tags=tuple(dict.fromkeys(named)),
        platforms=_parsed(platforms) if platforms else (),
        atomic=bool(options.get("atomic", True)),
        existing_tags=str(options.get("existing_tags") or "overwrite"),
        expected_digest=expected,
        force=bool(options.get("force")),
        referrers=bool(options.get("referrers")),
        check_quota=str(options.get("check_quota") or "warn"),
        jobs=jobs,
    )


def _parsed(platforms: Sequence[str]) -> tuple[Platform, ...]:
    from .._oci.platforms import parse_platform

    return tuple(dict.fromkeys(parse_platform(text) for text in platforms))
