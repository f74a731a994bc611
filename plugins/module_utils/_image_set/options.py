# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images are wanted in which zones, and what may be deleted: the module's options, checked before any request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping

from .._argspec import TARGETS, ArgumentSpec, entry_rules, readable_parameters
from .._errors import InvalidOptionError
from .._push.options import SPEC as PUSH
from .._reference import checked_namespace
from .._targets import RunContext
from .entry import SOURCE_OPTIONS, GivenEntry, ImageEntry, given_of, parse_entry, parse_origin

_SELECT: dict[str, dict[str, Any]] = {
    "match": {"type": "str"},
    "exclude": {"type": "str"},
    "semver": {"type": "str"},
    "prereleases": {"type": "bool"},
    "latest_per": {"type": "str", "choices": ["minor", "major"]},
    "newest": {"type": "int"},
    "repositories": {"type": "str"},
    "exclude_repositories": {"type": "str"},
}
# What may stand in ``defaults``, too.
_SHARED: dict[str, dict[str, Any]] = {
    "namespace": {"type": "str"},
    "zones": {"type": "list", "elements": "str"},
    "source_zone": {"type": "raw"},
    **entry_rules(
        {
            name: PUSH.options[name]
            for name in (
                "platforms",
                "referrers",
                "existing_tags",
                "compression",
                "compression_level",
                *SOURCE_OPTIONS,
            )
        }
    ),
}
IMAGE: dict[str, dict[str, Any]] = {
    **{name: PUSH.options[name] for name in ("source", "sources", "name", "tags", "expected_digest")},
    "select": {"type": "dict", "options": _SELECT},
    **_SHARED,
}
SPEC = TARGETS + ArgumentSpec(
    options={
        "images": {"type": "list", "elements": "dict", "options": IMAGE},
        "images_file": {"type": "path"},
        "defaults": {"type": "dict", "options": _SHARED},
        "atomic": {"type": "str", "choices": ["image", "set", "none"], "default": "image"},
        "keep_going": {"type": "bool", "default": True},
        "delete": {"type": "str", "choices": ["none", "managed"], "default": "none"},
        "set_name": {"type": "str"},
        "max_delete": {"type": "int", "default": 50},
        "protect_in_use": {"type": "bool", "default": True},
        "workload_namespaces": {"type": "list", "elements": "str", "default": []},
        "ignore_unreadable": {"type": "list", "elements": "str", "default": []},
        "check_quota": {"type": "str", "choices": ["warn", "fail", "ignore"], "default": "warn"},
        "jobs": {"type": "int", "default": 4},
        "spool_limit": {"type": "int", "default": 4096},
        "progress": {"type": "bool", "default": True},
    },
    mutually_exclusive=(("images", "images_file"),),
    required_one_of=(("images", "images_file"),),
)
_MEBIBYTE = 1024 * 1024
# Questions at the same time to each zone, of all images that are planned at the same time.
_QUESTIONS = 8
_SET_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class SyncOptions:
    """What is wanted; ``spool_limit`` in bytes."""

    entries: tuple[ImageEntry, ...]
    atomic: str = "image"
    keep_going: bool = True
    delete: bool = False
    set_name: str = ""
    max_delete: int = 50
    protect_in_use: bool = True
    workload_namespaces: tuple[str, ...] = ()
    ignore_unreadable: frozenset[str] = frozenset()
    check_quota: str = "warn"
    jobs: int = 4
    spool_limit: int = 4096 * _MEBIBYTE


def parse_options(options: Mapping[str, Any], context: RunContext) -> SyncOptions:
    """Return what the module's options say, and those of its file; raises InvalidOptionError; asks nobody."""
    jobs, most, limit = int(options["jobs"]), int(options["max_delete"]), int(options["spool_limit"])
    if not 1 <= jobs <= 16:
        raise InvalidOptionError("jobs is a number from 1 to 16")
    if most < 1:
        raise InvalidOptionError("max_delete is a number from 1")
    if limit < 1:
        raise InvalidOptionError("spool_limit is a number of MiB from 1")
    set_name = str(options.get("set_name") or "")
    if set_name and not _SET_NAME.fullmatch(set_name):
        raise InvalidOptionError(f"set_name {set_name!r} is not a name of lower-case letters, digits and -")
    shared = {
        **{name: options.get(name) for name in ("proxy", "timeout", "retries", "retry_delay")},
        # Checked for all images together.
        "check_quota": "ignore",
        "jobs": max(1, _QUESTIONS // jobs),
        "atomic": options["atomic"] != "none",
    }
    defaults = given_of(options.get("defaults") or {})
    entries = [
        GivenEntry(entry, f"entry {number} of images") for number, entry in enumerate(options["images"] or (), 1)
    ]
    if options.get("images_file"):
        from .images_file import read_images_file

        found = read_images_file(str(options["images_file"]))
        defaults = {**defaults, **_typed(found.defaults, _SHARED, context)}
        entries = [GivenEntry(_typed(entry, IMAGE, context), entry.where) for entry in found.entries]
    if not entries:
        raise InvalidOptionError("there are no images: neither images nor images_file has an entry")
    known = [one["source_zone"] for one in (defaults, options.get("defaults") or {}) if one.get("source_zone")]
    return SyncOptions(
        entries=tuple(
            parse_entry(entry, shared, defaults, lambda own, push: parse_origin(own, push, options, known, context))
            for entry in entries
        ),
        atomic=str(options["atomic"]),
        keep_going=bool(options["keep_going"]),
        delete=options["delete"] == "managed",
        set_name=set_name,
        max_delete=most,
        protect_in_use=bool(options["protect_in_use"]),
        workload_namespaces=tuple(checked_namespace(str(one)) for one in options["workload_namespaces"] or ()),
        ignore_unreadable=frozenset(str(one).lower() for one in options["ignore_unreadable"] or ()),
        check_quota=str(options["check_quota"]),
        jobs=jobs,
        spool_limit=limit * _MEBIBYTE,
    )


def _typed(entry: GivenEntry, options: dict[str, dict[str, Any]], context: RunContext) -> dict[str, Any]:
    """Return an entry of the file as Ansible would read it in the task; raises InvalidOptionError."""
    try:
        if not isinstance(entry.given, Mapping):
            raise InvalidOptionError("it is no mapping")
        given = {str(name): value for name, value in entry.given.items()}
        return context.typed(options, readable_parameters(given, ArgumentSpec(options)))
    except InvalidOptionError as error:
        error.message = f"{entry.where}: {error.message}"
        raise
