# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What zones have beside what a file declares: the results of two modules, joined for the report; pure.

Whether a tag is as declared is decided by appuio_image_sync alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

# The states of declared tags that the module does not call so.
_AS_DECLARED = ("up_to_date", "kept")
# Brought by the set and no longer in it; and nobody's declaration.
NO_LONGER_DECLARED, UNDECLARED, UNKNOWN = "no_longer_declared", "undeclared", "unknown"
# The name of a row that stands for all images of a namespace.
_EVERY = "*"
STATES = ("declared", "missing", "outdated", NO_LONGER_DECLARED, UNDECLARED, UNKNOWN)
_NOT_AS_DECLARED = ("missing", "outdated", NO_LONGER_DECLARED)
_NO_ENTRY: Mapping[str, Any] = {"wanted": None, "source": None, "entry": None}
_WOULD_GO = "goes with delete: managed"


def declaration_of(
    zones: Sequence[Mapping[str, Any]],
    attempts: Sequence[Mapping[str, Any]],
    name: str = "",
    tags: Collection[str] = (),
) -> dict[str, Any]:
    """Return zones, as appuio_image_info has them, each with its ``declaration``, and the tags of each state.

    ``attempts`` are results of appuio_image_sync in check mode, of which the first that has images counts; why the
    others have none goes to ``unknown`` of each zone. Where none has, there is only ``declaration_error``, which says
    why. ``name`` and ``tags`` limit what is shown. ``as_declared`` is None where that is not known, and
    ``declared_elsewhere`` are namespaces that are not shown.
    """
    compared = next((one for one in attempts if "images" in one), None)
    if compared is None:
        error = str(attempts[-1].get("msg") or "") if attempts else "nothing was compared"
        return {"as_declared": None, "declaration_error": error, "zones": [dict(zone) for zone in zones]}
    refused = [str(one.get("msg")) for one in attempts[: list(attempts).index(compared)]]
    errors = {str(zone["zone"]): zone.get("deletion_error") for zone in compared.get("zones") or ()}
    shown: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for zone in zones:
        if zone.get("failed"):
            shown.append(dict(zone))
            continue
        rows = list(_rows(zone, compared, name, tags))
        reasons = [reason for reason in (*refused, errors.get(str(zone["zone"]))) if reason]
        unknown = [*(zone.get("unknown") or ()), *(f"what is no longer declared: {reason}" for reason in reasons)]
        of_zone = {"counts": _counts(rows), "tags": {_key(row): _cell(row) for row in rows}}
        shown.append({**zone, "unknown": unknown, "declaration": of_zone})
        found += rows
    lists = {state: _joined([row for row in found if row["state"] == state]) for state in STATES}
    doubt = bool(lists[UNKNOWN]) or any(zone.get("failed") for zone in zones)
    as_declared = False if any(lists[state] for state in _NOT_AS_DECLARED) else None if doubt else True
    elsewhere = {str(one["namespace"]) for one in compared.get("declared") or ()}
    elsewhere -= {str(zone.get("namespace")) for zone in zones}
    return {
        "as_declared": as_declared,
        "counts": _counts(found),
        **lists,
        "declared_elsewhere": sorted(elsewhere),
        "zones": shown,
    }


def _rows(
    zone: Mapping[str, Any], compared: Mapping[str, Any], name: str, tags: Collection[str]
) -> Iterator[dict[str, Any]]:
    """Yield each tag that a zone has or is to have, in the order of their names, with its state.

    A repository of which nobody knows what is declared, and that has no tag, is one without a ``tag``.
    """

    def here(kind: str) -> dict[tuple[str, Any], Mapping[str, Any]]:
        own = [one for one in compared.get(kind) or () if all(one[key] == zone[key] for key in ("zone", "namespace"))]
        return {(one["name"], one["tag"]): one for one in own if not name or one["name"] in (name, _EVERY)}

    declared, deleted, kept = here("declared"), here("deleted"), here("kept")
    there = {(tag["name"], tag["tag"]): tag["digest"] for tag in zone["tags"]}
    for key in sorted({*there, *(key for key in declared if key[1] is not None)}):
        if tags and key[1] not in tags:
            continue
        row = {"zone": zone["zone"], "name": key[0], "tag": key[1], "digest": there.get(key)}
        said = declared.get(key) or declared.get((key[0], None)) or declared.get((_EVERY, None))
        if said is not None:
            if said["state"] == "kept" and key not in there:
                continue
            state = "declared" if said["state"] in _AS_DECLARED else said["state"]
            yield {**row, "state": state, **_from_entry(said)}
        elif key in deleted or key in kept:
            reason = _WOULD_GO if key in deleted else kept[key]["reason"]
            yield {**row, "state": NO_LONGER_DECLARED, **_NO_ENTRY, "reason": reason}
        else:
            yield {**row, "state": UNDECLARED, **_NO_ENTRY, "reason": "no entry declares it"}
    for repository, tag in declared:
        if tag is None and not any(repository in (key[0], _EVERY) for key in (*there, *declared) if key[1] is not None):
            said = declared[repository, None]
            row = {"zone": zone["zone"], "name": repository, "tag": None, "digest": None, "state": UNKNOWN}
            yield {**row, **_from_entry(said)}


def _from_entry(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in ("wanted", "source", "entry", "reason")}


def _counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many tags have each state, each tag counted in each zone."""
    return {state: sum(row["state"] == state for row in rows) for state in STATES}


def _joined(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the tags of one state, each once with its zones, and apart where the reasons differ."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = (row["name"], row["tag"], row["reason"])
        one = found.setdefault(key, {"name": row["name"], "tag": row["tag"], "zones": [], "reason": row["reason"]})
        one["zones"].append(row["zone"])
        if row.get("source"):
            one["source"] = row["source"]
    return [found[key] for key in sorted(found, key=lambda key: (key[0], key[1] or "", key[2]))]


def _key(row: Mapping[str, Any]) -> str:
    return f"{row['name']}:{row['tag'] or ''}"


def _cell(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("state", "digest", "wanted", "source", "entry", "reason")}
