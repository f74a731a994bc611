# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tags of a source's repository are wanted, by patterns and versions; pure, linear but for the sorting.

Source: Semantic Versioning 2.0.0, section 11 (precedence); ranges are written as npm and Cargo have them: comparators
separated by blanks or commas, all of which have to hold, and ``||`` between alternatives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, Iterable, Mapping, NamedTuple, Pattern

from .._errors import InvalidOptionError
from .._prune.names import described_image, natural_key
from .._text import as_pattern

_VERSION_GROUP = "version"
_VERSION = re.compile(r"v?(\d{1,18})(?:\.(\d{1,18}))?(?:\.(\d{1,18}))?(?:-([0-9A-Za-z.-]+))?(?:[+_][0-9A-Za-z.-]+)?")
_COMPARATOR = re.compile(r"\s*(>=|<=|!=|==|=|>|<|\^|~>|~)?\s*(\S+)")
_WILDCARD = re.compile(r"(?:\.[xX*]){1,2}$")


class Version(NamedTuple):
    """What versions are compared by; ``rank`` puts a pre-release before its release."""

    numbers: tuple[int, int, int]
    rank: int
    identifiers: tuple[tuple[int, int, str], ...] = ()

    @property
    def is_prerelease(self) -> bool:
        """Whether the version comes before the release of its numbers."""
        return not self.rank


class _Comparator(NamedTuple):
    holds: Callable[[Version], bool]
    version: Version


class VersionRange:
    """A range of versions; raises InvalidOptionError for a text that is none."""

    def __init__(self, text: str) -> None:
        self._alternatives = [_comparators(part, text) for part in text.split("||")]

    def includes(self, version: Version, prereleases: bool = False) -> bool:
        """Whether a version is in the range.

        A pre-release only is where ``prereleases`` asks for it, or the range names one of the same numbers.
        """
        return any(
            all(one.holds(version) for one in comparators)
            and (
                prereleases
                or not version.is_prerelease
                or any(one.version.is_prerelease and one.version.numbers == version.numbers for one in comparators)
            )
            for comparators in self._alternatives
        )


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


def parse_version(text: str) -> Version | None:
    """Return the version that a text is, ``1.2`` as ``1.2.0``, without build metadata; None for a text that is none."""
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    major, minor, patch = (int(part or 0) for part in found.group(1, 2, 3))
    return Version((major, minor, patch), 0 if found[4] else 1, _identifiers(found[4] or ""))


def _order(tag: _Tag) -> tuple[Any, ...]:
    """Versions come after other names, so that they are the newest; the more exact of two equal versions is newer."""
    if tag.version is None:
        return (0, natural_key(tag.name))
    return (1, tag.version, natural_key(tag.name))


def _identifiers(text: str) -> tuple[tuple[int, int, str], ...]:
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in text.split(".") if part)


def _comparators(part: str, whole: str) -> list[_Comparator]:
    text = part.replace(",", " ").strip()
    if text in ("*", "x", "X"):
        return [_Comparator(lambda _version: True, Version((0, 0, 0), 1))]
    found = [_comparator(match[1] or "", match[2]) for match in _COMPARATOR.finditer(text)]
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        raise InvalidOptionError(
            f"semver {whole!r} is no range of versions", hint="Write it like '>=1.2 <2', '~1.4', '^1.2.3' or '1.4.x'"
        )
    return known


def _comparator(sign: str, text: str) -> _Comparator | None:
    wildcard = bool(_WILDCARD.search(text))
    version = parse_version(_WILDCARD.sub("", text))
    if version is None or (wildcard and sign not in ("", "=", "==", "~", "~>", "^")):
        return None
    given = _WILDCARD.sub("", text).partition("-")[0].count(".") + 1
    if sign in ("", "=", "==") and given == 3:
        return _Comparator(lambda other: other == version, version)
    if sign in ("", "=", "==", "~", "~>"):
        return _between(version, 1 if given == 1 else 2)
    if sign == "^":
        # All up to the first number that is not 0 stay as they are.
        leading = next((place for place, part in enumerate(version.numbers[:given], 1) if part), given)
        return _between(version, leading)
    tests: dict[str, Callable[[Version], bool]] = {
        ">=": lambda other: other >= version,
        ">": lambda other: other > version,
        "<": lambda other: other < version and (version.is_prerelease or other.numbers != version.numbers),
        "<=": lambda other: other <= version,
        "!=": lambda other: other != version,
    }
    return _Comparator(tests[sign], version)


def _between(low: Version, kept: int) -> _Comparator:
    """Return the comparator for all versions from one on whose first ``kept`` numbers are the same."""
    return _Comparator(lambda other: other >= low and other.numbers[:kept] == low.numbers[:kept], low)
