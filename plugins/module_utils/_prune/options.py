# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tags a user wants to remove: the module's options, checked before anybody is asked; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Mapping, Pattern

from .._argspec import TARGETS, ArgumentSpec
from .._errors import InvalidOptionError
from .._openshift.documents import NEVER
from .._reference import checked_image_name, checked_namespace
from .._text import as_pattern, seconds_of

SPEC = TARGETS + ArgumentSpec(
    options={
        "name": {"type": "str"},
        "keep": {"type": "int"},
        "older_than": {"type": "str"},
        "revisions": {"type": "int"},
        "match": {"type": "str"},
        "protect": {"type": "str"},
        "max_delete": {"type": "int", "default": 50},
        "protect_in_use": {"type": "bool", "default": True},
        "workload_namespaces": {"type": "list", "elements": "str", "default": []},
        "ignore_unreadable": {"type": "list", "elements": "str", "default": []},
        "last_tag": {"type": "bool", "default": False},
        "empty_repositories": {"type": "str", "choices": ["keep", "remove"], "default": "keep"},
    },
)


@dataclass(frozen=True)
class PruneOptions:
    """What may go: beyond the newest ``keep`` and older than ``older_than``, of what matches and is not protected.

    With neither of the two no tag goes. ``revisions`` is how many images the history of a tag keeps. With ``only``,
    nothing goes but these tags, each by its stream and name.
    """

    name: str | None = None
    keep: int | None = None
    older_than: timedelta | None = None
    revisions: int | None = None
    match: Pattern[str] | None = None
    protect: Pattern[str] | None = None
    max_delete: int = 50
    protect_in_use: bool = True
    workload_namespaces: tuple[str, ...] = ()
    ignore_unreadable: frozenset[str] = frozenset()
    last_tag: bool = False
    empty_repositories: bool = False
    only: frozenset[tuple[str, str]] | None = None

    def protects(self, tag: str) -> bool:
        """Whether the user wants a tag to stay by its name."""
        return bool(self.protect and self.protect.search(tag))

    def excludes(self, stream: str, tag: str) -> bool:
        """Whether a tag of a stream is none of those that the user means."""
        if self.only is not None:
            return (stream, tag) not in self.only
        return bool(self.match and not self.match.search(tag))

    def too_young(self, pushed: datetime, now: datetime) -> bool:
        """Whether what was pushed then is not old enough; what has no known time (NEVER) is taken for young."""
        return self.older_than is not None and (pushed == NEVER or now - pushed < self.older_than)


def parse_options(options: Mapping[str, Any]) -> PruneOptions:
    """Return what the module's options say; raises InvalidOptionError."""
    keep, most = options.get("keep"), int(options["max_delete"])
    if keep is not None and keep < 0:
        raise InvalidOptionError("keep is a number from 0")
    revisions = options.get("revisions")
    if revisions is not None and revisions < 1:
        raise InvalidOptionError("revisions is a number from 1: a tag keeps what it points to")
    if most < 1:
        raise InvalidOptionError("max_delete is a number from 1")
    if all(
        options.get(name) in (None, "", "keep") for name in ("keep", "older_than", "revisions", "empty_repositories")
    ):
        raise InvalidOptionError(
            "one of keep, older_than, revisions and empty_repositories is required",
            hint="Nothing is removed without a limit",
        )
    return PruneOptions(
        name=checked_image_name(str(options["name"])) if options.get("name") else None,
        keep=keep,
        older_than=_age(options.get("older_than")),
        revisions=revisions,
        match=as_pattern("match", options.get("match")),
        protect=as_pattern("protect", options.get("protect")),
        max_delete=most,
        protect_in_use=bool(options["protect_in_use"]),
        workload_namespaces=tuple(checked_namespace(str(name)) for name in options["workload_namespaces"]),
        ignore_unreadable=frozenset(str(name).lower() for name in options["ignore_unreadable"]),
        last_tag=bool(options["last_tag"]),
        empty_repositories=options.get("empty_repositories") == "remove",
    )


def _age(written: str | None) -> timedelta | None:
    return timedelta(seconds=seconds_of("older_than", written)) if written else None
