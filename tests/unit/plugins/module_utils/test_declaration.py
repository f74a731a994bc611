# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What zones have beside what a file declares."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._declaration import STATES, declaration_of

A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def zone(*tags: str, name: str = "a", namespace: str = "shop", **more: Any) -> dict[str, Any]:
    found = [{"name": tag.partition(":")[0], "tag": tag.partition(":")[2], "digest": A} for tag in tags]
    return {"zone": name, "namespace": namespace, "tags": found, "failed": False, "unknown": [], **more}


def row(written: str, state: str = "up_to_date", zone: str = "a", **more: Any) -> dict[str, Any]:
    name, _colon, tag = written.partition(":")
    entry = {"entry": "entry 1 of images", "source": f"oci:{name}", "wanted": B, "reason": f"it is {state}"}
    return {"zone": zone, "namespace": "shop", "name": name, "tag": tag or None, "state": state, **entry, **more}


def undeclared(written: str, reason: str = "it is no longer declared", zone: str = "a") -> dict[str, Any]:
    name, _colon, tag = written.partition(":")
    return {"zone": zone, "namespace": "shop", "name": name, "tag": tag, "digest": A, "reason": reason}


def compared(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"images": [], "declared": list(rows), "deleted": [], "kept": [], "zones": [], **more}


def states(found: dict[str, Any]) -> dict[str, str]:
    (shown,) = found["zones"]
    return {tag: cell["state"] for tag, cell in shown["declaration"]["tags"].items()}


@pytest.mark.parametrize(
    ("state", "shown", "as_declared"),
    [
        ("up_to_date", "declared", True),
        ("kept", "declared", True),
        ("missing", "missing", False),
        ("outdated", "outdated", False),
        ("unknown", "unknown", None),
    ],
)
def test_a_declared_tag(state: str, shown: str, as_declared: bool | None) -> None:
    found = declaration_of([zone("app:1.0")], [compared(row("app:1.0", state))])
    assert states(found) == {"app:1.0": shown}
    assert found["as_declared"] is as_declared
    tag = {"name": "app", "tag": "1.0", "zones": ["a"], "reason": f"it is {state}", "source": "oci:app"}
    assert {one: found[one] for one in STATES} == {one: [tag] if one == shown else [] for one in STATES}
    assert found["counts"] == {one: int(one == shown) for one in STATES}


def test_a_tag_that_is_not_there_has_no_digest() -> None:
    found = declaration_of([zone()], [compared(row("app:1.0", "missing"))])
    cell = found["zones"][0]["declaration"]["tags"]["app:1.0"]
    assert (cell["state"], cell["digest"], cell["wanted"]) == ("missing", None, B)


def test_what_nobody_declares_and_what_the_set_has_brought() -> None:
    result = compared(
        row("app:1.0"),
        deleted=[undeclared("app:0.9")],
        kept=[undeclared("app:0.8", "it is used by Deployment web")],
    )
    found = declaration_of([zone("app:1.0", "app:0.9", "app:0.8", "app:hand")], [result])
    assert states(found) == {
        "app:0.8": "no_longer_declared",
        "app:0.9": "no_longer_declared",
        "app:1.0": "declared",
        "app:hand": "undeclared",
    }
    assert [tag["reason"] for tag in found["no_longer_declared"]] == [
        "it is used by Deployment web",
        "goes with delete: managed",
    ]
    assert found["as_declared"] is False


def test_what_nobody_declares_is_not_against_the_declaration() -> None:
    assert declaration_of([zone("app:1.0", "app:x")], [compared(row("app:1.0"))])["as_declared"] is True


def test_other_tags_of_a_repository_in_doubt_are_not_known() -> None:
    found = declaration_of([zone("app:1.0", "app:2.0", "own:1")], [compared(row("app:1.0"), row("app", "unknown"))])
    assert states(found) == {"app:1.0": "declared", "app:2.0": "unknown", "own:1": "undeclared"}
    assert found["unknown"][0]["reason"] == "it is unknown"


def test_a_repository_in_doubt_that_has_no_tags_is_shown_all_the_same() -> None:
    found = declaration_of([zone()], [compared(row("app", "unknown"))])
    assert [(tag["name"], tag["tag"]) for tag in found["unknown"]] == [("app", None)]
    assert found["as_declared"] is None


def test_a_namespace_in_doubt_leaves_nothing_known() -> None:
    rows = [row("app:1.0"), row("*", "unknown", reason="no route")]
    found = declaration_of([zone("own:1")], [compared(*rows)], "own")
    assert states(found) == {"own:1": "unknown"}
    found = declaration_of([zone()], [compared(row("*", "unknown", reason="no route"))])
    assert [(tag["name"], tag["tag"], tag["reason"]) for tag in found["unknown"]] == [("*", None, "no route")]


def test_what_cannot_be_copied_is_shown_where_it_is() -> None:
    rows = [row(tag, "kept", reason="it points to nothing") for tag in ("app:1.0", "app:2.0")]
    assert states(declaration_of([zone("app:1.0")], [compared(*rows)])) == {"app:1.0": "declared"}


def test_zones_are_counted_each_and_listed_together_where_the_reason_is_the_same() -> None:
    zones = [zone(name=name) for name in "abc"]
    rows = [
        row("app:1.0", "unknown", zone=name, reason=why)
        for name, why in zip("abc", ("down", "down", "slow"), strict=True)
    ]
    found = declaration_of(zones, [compared(*rows)])
    assert [(tag["zones"], tag["reason"]) for tag in found["unknown"]] == [(["a", "b"], "down"), (["c"], "slow")]
    assert found["counts"]["unknown"] == 3
    assert [one["declaration"]["counts"]["unknown"] for one in found["zones"]] == [1, 1, 1]


def test_a_zone_that_could_not_be_asked_has_no_declaration() -> None:
    zones = [zone("app:1.0"), zone(name="b", failed=True)]
    found = declaration_of(zones, [compared(row("app:1.0"), row("app:1.0", zone="b"))])
    assert ["declaration" in one for one in found["zones"]] == [True, False]
    assert found["as_declared"] is None
    assert found["counts"]["declared"] == 1


def test_only_what_was_asked_for() -> None:
    rows = [row("app:1.0", "missing"), row("app:2.0", "missing"), row("batch:1.0", "missing")]
    assert states(declaration_of([zone()], [compared(*rows)], "app", ["1.0"])) == {"app:1.0": "missing"}


def test_namespaces_that_are_not_shown_are_named() -> None:
    found = declaration_of([zone()], [compared(row("app:1.0", namespace="lab"))])
    assert (states(found), found["declared_elsewhere"], found["as_declared"]) == ({}, ["lab"], True)


def test_why_it_is_not_known_what_the_set_has_brought() -> None:
    refused = {"failed": True, "msg": "delete is managed, which needs the API"}
    errors = [{"zone": "a", "deletion_error": "may not list pods"}]
    found = declaration_of([zone("app:1.0", unknown=["the quota"])], [refused, compared(row("app:1.0"), zones=errors)])
    assert found["zones"][0]["unknown"] == [
        "the quota",
        "what is no longer declared: delete is managed, which needs the API",
        "what is no longer declared: may not list pods",
    ]
    assert states(found) == {"app:1.0": "declared"}


@pytest.mark.parametrize(
    ("attempts", "error"),
    [([{"msg": "no file"}, {"msg": "no file at all"}], "no file at all"), ([], "nothing was compared")],
)
def test_where_nothing_was_compared(attempts: list[dict[str, Any]], error: str) -> None:
    zones = [zone("app:1.0")]
    assert declaration_of(zones, attempts) == {"as_declared": None, "declaration_error": error, "zones": zones}
