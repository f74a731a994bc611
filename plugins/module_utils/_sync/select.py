# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tags of a source's repository are wanted; pure, and linear in their number but for the sorting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping, NamedTuple, Pattern

from .._errors import InvalidOptionError
from .._prune.names import described_image, natural_key
from .._text import as_pattern
from .versions import Version, VersionRange, parse_version

SELECT: dict[str, dict[str, Any]] = {
    "match": {"type": "str"},
    "exclude": {"type": "str"},
    "semver": {"type": "str"},
    "prereleases": {"type": "bool"},
    "latest_per": {"type": "str", "choices": ["minor", "major"]},
    "newest": {"type": "int"},
    "repositories": {"type": "str"},
    "exclude_repositories": {"type": "str"},
}
_VERSION_GROUP = "version"


class _Tag(NamedTuple):
    name: str
    version: Version | None


@dataclass(frozen=True)
class Selection:
    """What tags are chosen by; the conditions follow one another in the order of the fields.

    ``repositories`` and ``exclude_repositories`` choose among the repositories of a namespace.
    """

    match: Pattern[str] | None = None
    exclude: Pattern[str] | None = None
    semver: VersionRange | None = None
    prereleases: bool = False
    latest_per: str | None = None
    newest: int | None = None
    repositories: Pattern[str] | None = None
    exclude_repositories: Pattern[str] | None = None

    def has_repository(self, name: str) -> bool:
        """Whether a repository of a namespace is wanted."""
        if self.exclude_repositories and self.exclude_repositories.search(name):
            return False
        return self.repositories is None or bool(self.repositories.search(name))

    def tags(self, listed: Iterable[str]) -> list[str]:
        """Return the tags that are wanted of those that a source lists, the newest first.

        What stands for the referrers of an image (cosign's tags, the OCI's fallback tag) is never one of them.
        """
        tags = [tag for tag in map(self._read, set(listed)) if tag is not None]
        if self.semver is not None:
            tags = [tag for tag in tags if tag.version and self.semver.includes(tag.version, self.prereleases)]
        elif self.latest_per or self.newest is not None:
            tags = [tag for tag in tags if not (tag.version and tag.version.is_prerelease) or self.prereleases]
        tags.sort(key=_order, reverse=True)
        if self.latest_per:
            tags = self._latest(tags)
        return [tag.name for tag in tags[: self.newest]]

    def _read(self, name: str) -> _Tag | None:
        """Return a tag with its version, None for one that is not meant."""
        if described_image(name) or (self.exclude and self.exclude.search(name)):
            return None
        found = self.match.search(name) if self.match else None
        if self.match and found is None:
            return None
        text = name
        if found is not None and _VERSION_GROUP in found.re.groupindex:
            text = found[_VERSION_GROUP] or ""
        return _Tag(name, parse_version(text))

    def _latest(self, tags: list[_Tag]) -> list[_Tag]:
        """Return the first tag of each minor or major version; what is no version is none of them."""
        count = 1 if self.latest_per == "major" else 2
        latest: dict[tuple[int, ...], _Tag] = {}
        for tag in tags:
            if tag.version is not None:
                latest.setdefault(tag.version.numbers[:count], tag)
        return list(latest.values())


def parse_selection(given: Mapping[str, Any]) -> Selection:
    """Return what the option ``select`` says; raises InvalidOptionError."""
    newest = given.get("newest")
    if newest is not None and newest < 1:
        raise InvalidOptionError("select.newest is a number from 1")
    semver = given.get("semver")
    return Selection(
        match=as_pattern("select.match", given.get("match")),
        exclude=as_pattern("select.exclude", given.get("exclude")),
        semver=VersionRange(str(semver)) if semver else None,
        prereleases=bool(given.get("prereleases")),
        latest_per=given.get("latest_per"),
        newest=newest,
        repositories=as_pattern("select.repositories", given.get("repositories")),
        exclude_repositories=as_pattern("select.exclude_repositories", given.get("exclude_repositories")),
    )


def _order(tag: _Tag) -> tuple[Any, ...]:
    """Versions come after other names, so that they are the newest; the more exact of two equal versions is newer."""
    if tag.version is None:
        return (0, natural_key(tag.name))
    return (1, tag.version, natural_key(tag.name))
