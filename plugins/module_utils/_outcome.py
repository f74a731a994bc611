# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks tell in the end: the results of all zones, as a table for people and as text for pipelines; pure.

Source: GitLab documentation, "artifacts:reports:dotenv"; GitHub documentation, "Setting an output parameter".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_LOST = "failed before, in an earlier task of this run, whose message is above"
_SHORT = 12


def zone_results(
    hosts: Iterable[str], alive: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], name: str, together: bool
) -> list[dict[str, Any]]:
    """Return the results of all zones of a play, from the variable that a module's task has registered.

    ``together`` says that one task served all zones, so that each host has the results of all. A host that failed
    without a result has one that says so; a host whose task was skipped has none.
    """
    living = set(alive)
    found: list[dict[str, Any]] = []
    lost: list[tuple[str, str]] = []
    for host in hosts:
        variables = hostvars[host]
        registered = variables.get(name) or {}
        # What a failed host has may be the result of an earlier play.
        own = _results_of(registered) if host in living or registered.get("failed") else []
        if own and not (together and found):
            found += [{"zone": _zone_of(host, variables), **result} for result in own]
        if not own and host not in living:
            lost.append((host, str((registered.get("failed") and registered.get("msg")) or _LOST)))
    return found + [_lost(host, hostvars[host], error) for host, error in lost]


def _results_of(registered: Mapping[str, Any]) -> list[dict[str, Any]]:
    if registered.get("skipped") or not registered:
        return []
    if registered.get("zones") is not None:
        return [dict(result) for result in registered["zones"]]
    if registered.get("failed"):
        return []
    return [{key: value for key, value in registered.items() if key not in ("diff", "invocation", "warnings")}]


def _zone_of(host: str, variables: Mapping[str, Any]) -> str:
    return str(variables.get("appuio_zone") or host)


def _lost(host: str, variables: Mapping[str, Any], error: str) -> dict[str, Any]:
    registry = str(variables.get("appuio_registry") or "")
    shown = {"zone": _zone_of(host, variables), "registry": registry, "namespace": "", "tags": [], "images": []}
    return {**shown, "changed": False, "failed": True, "error": error}


def outcome_of(playbook: str, results: Sequence[Mapping[str, Any]], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outcome of a playbook as data: what the next job needs to know, and the zones' results.

    ``digest`` is empty where the zones have not all got the same image. ``more`` may have more of the zones, too.
    """
    done = [result for result in results if not result.get("failed")]
    digests = {str(result.get("digest") or "") for result in done}
    return {
        "playbook": playbook,
        "changed": any(result.get("changed") for result in results),
        "failed": len(done) < len(results),
        "digest": digests.pop() if len(digests) == 1 else "",
        "references": [result["reference_digest"] for result in done if result.get("reference_digest")],
        "zones": [dict(result) for result in results],
        **more,
    }


def table_of(results: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[str]:
    """Return lines with a heading for each column and a row for each zone; why a zone failed is not cut."""
    rows = [[_cell(result, column) for column in columns] for result in results if not result.get("failed")]
    cells = [list(columns), *rows]
    cells += [[str(result.get("zone"))] for result in results if result.get("failed")]
    widths = [max(len(row[number]) for row in cells if number < len(row)) for number in range(len(columns))]
    lines = iter([_line(row, widths) for row in [list(columns), *rows]])
    table = [next(lines)] if rows else []
    for result in results:
        if result.get("failed"):
            table.append(
                f"{str(result.get('zone')).ljust(widths[0])}  failed: {' '.join(str(result['error']).split())}"
            )
        else:
            table.append(next(lines))
    return table


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()


def _cell(result: Mapping[str, Any], column: str) -> str:
    if column == "digest":
        return str(result.get("digest") or "").partition(":")[2][:_SHORT]
    if column == "bytes":
        count = result.get("bytes") or {}
        total = f" of {count['total']}" if count.get("total") else ""
        return f"{count.get('uploaded', 0)}{total}"
    if column == "seconds":
        return f"{result.get('duration') or 0:.1f}"
    value = result.get(column)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def text_of(path: str, outcome: Mapping[str, Any]) -> str:
    """Return the outcome in the format that the file's ending tells: JSON, dotenv, or lines as GitHub reads them."""
    if path.endswith(".json"):
        return json.dumps(outcome, indent=2, sort_keys=True) + "\n"
    dotenv = path.endswith(".env")
    lines = []
    for name, value in outcome.items():
        if name != "zones":
            lines.append(f"{'APPUIO_' + name.upper() if dotenv else name}={_flat(value)}\n")
    return "".join(lines)


def _flat(value: Any) -> str:
    """Return a value on one line, as a line end would begin another variable."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(_flat(entry) for entry in value)
    if isinstance(value, Mapping):
        if {"name", "tag"} <= set(value):
            return f"{value['name']}:{value['tag'] or ''}"
        return ",".join(f"{name}:{_flat(entry)}" for name, entry in value.items())
    return "" if value is None else " ".join(str(value).split())
