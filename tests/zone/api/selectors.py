# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Label and field selectors of list requests; pure."""

from __future__ import annotations

import re
from typing import Any

_SET = re.compile(r"\s*([^\s,!=()]+)\s+(in|notin)\s+\(([^)]*)\)\s*")


def matches_labels(item: dict[str, Any], selector: str) -> bool:
    """Tell whether an object's labels fit; raises ValueError for what is no selector."""
    labels = item["metadata"].get("labels") or {}
    return all(_fits(labels, part) for part in re.split(r",(?![^(]*\))", selector) if part.strip())


def matches_fields(item: dict[str, Any], selector: str) -> bool:
    """Tell whether an object's fields fit."""
    for part in filter(None, selector.split(",")):
        path, operator, value = re.split(r"(!=|==|=)", part, maxsplit=1)
        found: Any = item
        for step in path.strip().split("."):
            found = found.get(step) if isinstance(found, dict) else None
        if (str(found or "") == value.strip()) is (operator == "!="):
            return False
    return True


def _fits(labels: dict[str, str], part: str) -> bool:
    if found := _SET.fullmatch(part):
        values = {value.strip() for value in found[3].split(",")}
        return (labels.get(found[1]) in values) is (found[2] == "in")
    pieces = re.split(r"(!=|==|=)", part.strip(), maxsplit=1)
    if len(pieces) == 3:
        return (labels.get(pieces[0].strip()) == pieces[2].strip()) is (pieces[1] != "!=")
    name = pieces[0].strip()
    if not re.fullmatch(r"!?[\w./-]+", name):
        raise ValueError(f"unable to parse requirement: {part!r}")
    return name[1:] not in labels if name.startswith("!") else name in labels
