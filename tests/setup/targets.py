# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sessions of nox a target of the Makefile consists of, in two lanes that run side by side."""

from __future__ import annotations

from .versions import for_sanity, for_zones, newest, runnable

# One lane uses both processors by itself (pytest with two workers); the other reads code, and ends with shorter tests.
Lanes = tuple[list[str], list[str]]
CHECKS = ("test", "unit", "zone", "interop", "integration", "sanity", "lint", "artifact")
# What is run by hand and shown as it goes, with its session.
ALONE = {
    **{name: name for name in ("demo", "zones", "bench", "mutation", "docs", "release")},
    "importer": "build-import-check",
}

LINT = [
    "ruff",
    "formatters",
    "typing",
    "yamllint",
    "ansible-lint",
    "docs-check",
    "ansible-doc",
    "license-check",
    "extra-checks",
    "antsibull-nox-config",
]


def lanes(target: str) -> Lanes:
    """Return the sessions of a target."""
    units = [f"unit-{core.name}" for core in runnable()]
    zones = [f"zone-{core.name}" for core in for_zones()]
    sanity = [f"sanity-{core.name}" for core in for_sanity()]
    assert newest() is not None
    tests = {"unit": units, "zone": zones}
    checks = {
        "lint": LINT,
        "sanity": [*sanity, "sanity-targets"],
        "integration": ["integration"],
        "interop": ["interop"],
        "artifact": ["artifact"],
    }
    if target == "test":
        return [name for names in tests.values() for name in names], [n for names in checks.values() for n in names]
    return tests.get(target, []), checks.get(target, [])
