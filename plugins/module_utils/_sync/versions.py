# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions and ranges of them; pure.

Source: Semantic Versioning 2.0.0, section 11 (precedence); ranges are written as npm and Cargo have them: comparators
separated by blanks or commas, all of which have to hold, and ``||`` between alternatives.
"""

from __future__ import annotations

import re
from typing import Callable, NamedTuple

from .._errors import InvalidOptionError

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


def parse_version(text: str) -> Version | None:
    """Return the version that a text is, ``1.2`` as ``1.2.0``, without build metadata; None for a text that is none."""
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    major, minor, patch = (int(part or 0) for part in found.group(1, 2, 3))
    return Version((major, minor, patch), 0 if found[4] else 1, _identifiers(found[4] or ""))


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
