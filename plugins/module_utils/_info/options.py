# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images are asked about: the module's options, checked before anybody is asked."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Any, Mapping

from .._argspec import TARGETS, ArgumentSpec
from .._errors import InvalidOptionError, MissingLibraryError
from .._reference import checked_image_name, checked_tag

SPEC = TARGETS + ArgumentSpec(
    options={
        "name": {"type": "str"},
        "tags": {"type": "list", "elements": "str", "aliases": ["tag"]},
        "details": {"type": "bool", "default": True},
        "jobs": {"type": "int", "default": 4},
        "query": {"type": "str"},
    },
)


@dataclass(frozen=True)
class Query:
    """An expression over the result (JMESPath, jmespath.org/specification.html)."""

    text: str
    expression: Any

    def search(self, result: Mapping[str, Any]) -> Any:
        """Return what the expression finds, None for nothing; raises InvalidOptionError where it does not fit."""
        from jmespath.exceptions import JMESPathError

        try:
            return self.expression.search(result)
        except (JMESPathError, TypeError, ValueError, AttributeError) as error:
            raise InvalidOptionError(f"query {self.text!r} does not fit the result: {_one_line(error)}") from None


@dataclass(frozen=True)
class InfoOptions:
    """What is asked of every zone: of one repository or all (None), of some tags or all (empty)."""

    name: str | None = None
    tags: tuple[str, ...] = ()
    details: bool = True
    jobs: int = 4
    query: Query | None = None

    def asks_for(self, tag: str) -> bool:
        """Whether a tag is asked about."""
        return not self.tags or tag in self.tags


def parse_options(options: Mapping[str, Any]) -> InfoOptions:
    """Return what the module's options ask; raises InvalidOptionError, MissingLibraryError for a query."""
    jobs = int(options.get("jobs") or 0)
    if not 1 <= jobs <= 32:
        raise InvalidOptionError("jobs is a number from 1 to 32")
    name, query = options.get("name"), options.get("query")
    return InfoOptions(
        name=checked_image_name(str(name)) if name else None,
        tags=tuple(dict.fromkeys(checked_tag(str(tag)) for tag in options.get("tags") or ())),
        details=bool(options.get("details", True)),
        jobs=jobs,
        query=_query(str(query)) if query else None,
    )


def _query(text: str) -> Query:
    try:
        import jmespath
        from jmespath.exceptions import JMESPathError
    except ImportError:
        raise MissingLibraryError("jmespath", "for the option query", traceback.format_exc()) from None
    try:
        return Query(text, jmespath.compile(text))
    except (JMESPathError, RecursionError) as error:
        raise InvalidOptionError(
            f"query {text!r} is no JMESPath expression: {_one_line(error)}",
            hint="See https://jmespath.org. Literals stand in backticks, strings in single quotes",
        ) from None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
