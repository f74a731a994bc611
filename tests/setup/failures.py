# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the log of a session says why it failed: the section of each failed test, or the log's end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

# Lines kept of a traceback, of what a test has printed, and of a log in which pytest shows no failed test.
_TRACEBACK, _CAPTURED, _TAIL = 60, 20, 60
_MOST_TESTS = 20
_CHAPTER = re.compile(r"=+ (.+) =+\Z")
_SECTION = re.compile(r"_+ (?!_ ).+ _+\Z")
_PART = re.compile(r"-{3,} Captured .+ -{3,}\Z")


def reasons(lines: Sequence[str]) -> list[str]:
    """Return the lines of a log that say why a session failed; of each failed test the end of its own section."""
    sections = list(_sections(lines))
    if not sections:
        return list(lines[-_TAIL:])
    shown = [line for section in sections[:_MOST_TESTS] for line in _shortened(section)]
    more = len(sections) - _MOST_TESTS
    return [*shown, f"... and {more} more failed tests"] if more > 0 else shown


def _sections(lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield what pytest prints of each failed test."""
    inside = False
    section: list[str] = []
    for line in lines:
        chapter = _CHAPTER.match(line)
        if chapter or (inside and _SECTION.match(line)):
            if section:
                yield section
            section = []
        if chapter:
            inside = chapter[1] in ("FAILURES", "ERRORS")
        elif inside:
            section.append(line)
    if section:
        yield section


def _shortened(section: Sequence[str]) -> list[str]:
    """Keep the heading, and the end of the traceback and of each part that the test has printed."""
    parts: list[list[str]] = [[section[0]]]
    for line in section[1:]:
        if len(parts) == 1 or _PART.match(line):
            parts.append([])
        parts[-1].append(line)
    shown = list(parts[0])
    for number, part in enumerate(parts[1:]):
        most = _CAPTURED if number or _PART.match(part[0]) else _TRACEBACK
        heading = part[:1] if _PART.match(part[0]) else []
        left_out = len(part) - most
        shown += [*heading, f"... {left_out} lines, which are in the log", *part[-most:]] if left_out > 0 else part
    return shown
