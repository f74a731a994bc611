# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outcome of a playbook: no zone is missing, and what pipelines read is what it should be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.appuio.registry.plugins.module_utils._outcome import (
    outcome_of,
    table_of,
    text_of,
    zone_results,
)

A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def result(zone: str, digest: str = A, **more: Any) -> dict[str, Any]:
    return {
        "zone": zone,
        "reference": f"{zone}.example/shop/app:1.0",
        "reference_digest": f"{zone}.example/shop/app@{digest}",
        "digest": digest,
        "changed": True,
        "failed": False,
        "error": None,
        "bytes": {"uploaded": 5, "total": 10},
        "duration": 1.26,
        **more,
    }


def failed(zone: str, error: str) -> dict[str, Any]:
    return {"zone": zone, "failed": True, "changed": False, "error": error}


def zones(*names: str) -> dict[str, dict[str, Any]]:
    return {name: {"appuio_push": {"failed": False, "zones": [result(name)]}} for name in names}


def test_each_zone_on_its_own() -> None:
    found = zone_results("ab", "ab", zones("a", "b"), "appuio_push", False)
    assert [one["zone"] for one in found] == ["a", "b"]


def test_one_task_for_all_zones_counts_once() -> None:
    together = {"failed": False, "zones": [result("a"), result("b")]}
    found = zone_results("ab", "ab", {host: {"appuio_push": together} for host in "ab"}, "appuio_push", True)
    assert [one["zone"] for one in found] == ["a", "b"]


def test_a_zone_that_failed_before_is_there() -> None:
    hostvars = {**zones("a"), "b": {"appuio_zone": "zone-b", "appuio_registry": "r"}}
    found = zone_results("ab", "a", hostvars, "appuio_push", False)
    assert [(one["zone"], one["failed"]) for one in found] == [("a", False), ("zone-b", True)]
    assert "failed before" in found[1]["error"]
    assert found[1]["registry"] == "r"


def test_a_zone_that_failed_with_a_result_keeps_it() -> None:
    hostvars = {**zones("a"), "b": {"appuio_push": {"failed": True, "zones": [failed("b", "no route")]}}}
    assert zone_results("ab", "a", hostvars, "appuio_push", False)[1]["error"] == "no route"


def test_a_zone_that_failed_with_a_reason_alone_keeps_it() -> None:
    hostvars = {"a": {"appuio_push": {"failed": True, "msg": "no route"}}}
    assert zone_results("a", "", hostvars, "appuio_push", False)[0]["error"] == "no route"


def test_the_result_of_an_earlier_play_is_none_of_a_zone_that_failed() -> None:
    assert zone_results("ab", "a", zones("a", "b"), "appuio_push", False)[1]["failed"]


def test_a_task_that_was_skipped_has_no_result() -> None:
    assert zone_results("a", "a", {"a": {"appuio_push": {"skipped": True}}}, "appuio_push", False) == []


def test_a_result_of_a_single_zone_gets_its_name() -> None:
    hostvars = {"a": {"appuio_zone": "z", "appuio_login_result": {"changed": True, "registry": "r", "diff": {}}}}
    assert zone_results("a", "a", hostvars, "appuio_login_result", False) == [
        {"zone": "z", "changed": True, "registry": "r"}
    ]


def test_the_outcome_of_zones_that_are_alike() -> None:
    outcome = outcome_of("push", [result("a"), result("b", changed=False)], {"in_sync": True})
    assert (outcome["digest"], outcome["changed"], outcome["failed"], outcome["in_sync"]) == (A, True, False, True)
    assert outcome["references"] == [f"a.example/shop/app@{A}", f"b.example/shop/app@{A}"]


def test_the_outcome_may_say_more_of_the_zones() -> None:
    outcome = outcome_of("report", [failed("a", "x")], {"zones": [{"zone": "a", "declaration": {}}]})
    assert (outcome["failed"], outcome["zones"]) == (True, [{"zone": "a", "declaration": {}}])


def test_zones_that_differ_have_no_digest_in_common() -> None:
    assert outcome_of("push", [result("a"), result("b", B)], {})["digest"] == ""
    assert outcome_of("push", [result("a"), result("b", "")], {})["digest"] == ""


def test_a_zone_that_failed_makes_the_outcome_fail() -> None:
    outcome = outcome_of("push", [result("a"), failed("b", "x")], {})
    assert outcome["failed"] is True
    assert outcome["digest"] == A
    assert outcome["references"] == [f"a.example/shop/app@{A}"]


COLUMNS = ["zone", "reference", "digest", "changed", "bytes", "seconds"]


def test_the_table() -> None:
    lines = table_of([result("long-name"), failed("b", "no\nroute"), result("c", changed=False, bytes={})], COLUMNS)
    assert lines == [
        "zone       reference                       digest        changed  bytes    seconds",
        "long-name  long-name.example/shop/app:1.0  aaaaaaaaaaaa  yes      5 of 10  1.3",
        "b          failed: no route",
        "c          c.example/shop/app:1.0          aaaaaaaaaaaa  no       0        1.3",
    ]


def test_a_table_of_nothing_but_failures() -> None:
    assert table_of([failed("b", "x")], COLUMNS) == ["b     failed: x"]
    assert table_of([], COLUMNS) == []


def test_text_for_pipelines() -> None:
    drift = [{"name": "app", "tag": "prod", "digests": {}}]
    more = {"in_sync": None, "drift": drift, "note": "two\nlines=1", "counts": {"missing": 1, "outdated": 0}}
    outcome = outcome_of("report", [result("a")], {**more, "unknown": [{"name": "app", "tag": None}]})
    assert json.loads(text_of("out.json", outcome)) == outcome
    assert text_of("out.env", outcome).splitlines() == [
        "APPUIO_PLAYBOOK=report",
        "APPUIO_CHANGED=true",
        "APPUIO_FAILED=false",
        f"APPUIO_DIGEST={A}",
        f"APPUIO_REFERENCES=a.example/shop/app@{A}",
        "APPUIO_IN_SYNC=",
        "APPUIO_DRIFT=app:prod",
        "APPUIO_NOTE=two lines=1",
        "APPUIO_COUNTS=missing:1,outdated:0",
        "APPUIO_UNKNOWN=app:",
    ]


@pytest.mark.parametrize("path", ["/github/output", "out.txt"])
def test_any_other_file_has_lines_as_github_reads_them(path: str) -> None:
    assert text_of(path, outcome_of("push", [result("a")], {})).splitlines()[3] == f"digest={A}"
